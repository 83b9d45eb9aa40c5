"""Who else writes routes into VPP, and where their routes override ours."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

_log = logging.getLogger(__name__)

LINUX_NL = ("lcp-rt", "lcp-rt-dynamic")
"""FIB sources of VPP's linux_nl plugin, there exactly if it is loaded (``lcp_router.c``)."""

OF_VPP_ITSELF = 0x10
"""Sources of a lower priority than this are not clients' or plugins' (``fib_source.h``): routes of
interfaces and the like, which every VPP has."""

NAMED = 20
"""Prefixes that a log record names."""


@dataclass(frozen=True)
class FibSource:
    """A FIB source of VPP's."""

    id: int
    name: str
    priority: int
    """Lower wins where several sources have a prefix."""


def better_sources(sources: Iterable[FibSource], ours: int | None) -> tuple[FibSource, ...]:
    """Those whose routes VPP forwards by rather than by ours: their priority is lower.

    Of the same priority VPP may prefer either.
    """
    known = {source.id: source for source in sources}
    own = None if ours is None else known.get(ours)
    if own is None:
        return ()
    return tuple(s for s in known.values() if s.priority <= own.priority and s.id != ours)


@dataclass(frozen=True)
class Overridden:
    """Our prefixes that VPP forwards by a route of another source."""

    count: int = 0
    some: tuple[tuple[int, str, str], ...] = ()
    """VPP table, prefix, and the other source's name."""


class FibSources:
    """What is known of the other writers: for the log, and for whoever shows the state."""

    def __init__(self) -> None:
        self.linux_nl = False
        """Whether VPP mirrors the kernel's routes by itself, too."""

        self.overridden = Overridden()
        """As it was when it was looked up last."""

        self.unknown = True
        """Whether nobody has looked since VPP was connected to."""

        self._better: tuple[FibSource, ...] = ()
        self._names: dict[int, str] = {}

    def forget(self) -> None:
        """Another VPP is connected to, or the same one after a while."""
        self.unknown, self.linux_nl, self._better = True, False, ()

    def learn(self, sources: Iterable[FibSource], ours: int | None) -> None:
        """Take note of VPP's sources, and warn of the plugin that does what we do, once."""
        known = {source.id: source for source in sources}
        warned, self.linux_nl = self.linux_nl, any(s.name in LINUX_NL for s in known.values())
        self._names = {source.id: source.name for source in known.values()}
        before, self._better = self._better, better_sources(known.values(), ours)
        self.unknown |= self._better != before
        own = known.get(ours) if ours is not None else None
        if self.linux_nl and own is not None and not warned:
            _log.warning(
                "VPP has the linux_nl plugin (FIB sources %s): it mirrors the kernel's routes "
                "too, and where it does, VPP forwards by its routes and not by ours (%s, "
                "priority %d). Let one of the two do it: disable linux_nl_plugin.so in the "
                "plugins section of VPP's startup.conf, or give it another network namespace "
                "(default netns in its linux-cp section) than the one that is read here",
                " and ".join(LINUX_NL),
                own.name,
                own.priority,
            )

    def name(self, source: int) -> str:
        """The name of a FIB source, or its number where it came after VPP was connected to."""
        return self._names.get(source, str(source))

    @property
    def better(self) -> Sequence[int]:
        """Ids of the sources whose routes would override ours."""
        return [source.id for source in self._better]

    @property
    def hiding(self) -> Sequence[int]:
        """Ids of the sources behind whose routes ours may be when VPP is connected to.

        linux_nl's are left out: what the kernel lacks they lack, too.
        """
        return [
            source.id
            for source in self._better
            if source.priority >= OF_VPP_ITSELF and source.name not in LINUX_NL
        ]

    def found(self, count: int, some: Iterable[tuple[int, str, int]]) -> Overridden:
        """Take note of what was found; say it, unless it was the same before."""
        names = {source.id: source.name for source in self._better}
        named = tuple((table, prefix, names.get(id_, str(id_))) for table, prefix, id_ in some)
        before, self.overridden = self.overridden, Overridden(count, tuple(sorted(named)))
        self.unknown = False
        if count and self.overridden != before:
            by_source = Counter(name for _, _, name in named)
            _log.warning(
                "VPP forwards %d of our prefixes by routes of other FIB sources (%s): ours stay "
                "behind them until those are removed, or vpp.fib_source.priority is lower than "
                "theirs when VPP starts. For instance: %s",
                count,
                ", ".join(sorted(by_source)),
                ", ".join(f"{p} (table {t}, {name})" for t, p, name in named[:NAMED]),
            )
        elif before.count and not count:
            _log.info("VPP forwards by our routes alone again")
        return self.overridden


def look_slowly(
    dump: Callable[[int], Iterable[tuple[int, str]]],
    is_ours: Callable[[int, str], bool],
    sources: Iterable[int],
    limit: int,
) -> tuple[int, list[tuple[int, str, int]]]:
    """As ``Engine.overridden``, from dumps (VPP table, prefix) of one source each."""
    count = 0
    some: list[tuple[int, str, int]] = []
    for source in sources:
        for table, prefix in dump(source):
            if is_ours(table, prefix):
                count += 1
                if len(some) < limit:
                    some.append((table, prefix, source))
    return count, some
