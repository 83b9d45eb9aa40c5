"""Other FIB sources in VPP, and where their routes override ours."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bgpreflector.log_fields import fields

_log = logging.getLogger(__name__)

LINUX_NL = ("lcp-rt", "lcp-rt-dynamic")
"""FIB sources of VPP's linux_nl plugin, present if and only if it is loaded (``lcp_router.c``)."""

OF_VPP_ITSELF = 0x10
"""Sources below this priority are VPP's own (``fib_source.h``), such as interface routes."""

MAX_LOGGED = 20
"""Prefixes that a log record names."""


@dataclass(frozen=True)
class FibSource:
    """A FIB source of VPP's."""

    id: int
    name: str
    priority: int
    """The source with the lowest priority forwards a prefix."""


def better_sources(sources: Iterable[FibSource], ours: int | None) -> tuple[FibSource, ...]:
    """Return the sources that take precedence over ours: their priority is lower.

    At equal priority VPP may prefer either.
    """
    known = {source.id: source for source in sources}
    own = None if ours is None else known.get(ours)
    if own is None:
        return ()
    return tuple(s for s in known.values() if s.priority <= own.priority and s.id != ours)


@dataclass(frozen=True)
class Overridden:
    """Our prefixes that another source overrides."""

    count: int = 0
    some: tuple[tuple[int, str, str], ...] = ()
    """VPP table, prefix, and the other source's name."""


class FibSources:
    """The other FIB sources as last seen, for logs and status."""

    def __init__(self) -> None:
        self.linux_nl = False
        """Whether VPP's linux_nl plugin mirrors the kernel's routes too."""

        self.overridden = Overridden()
        """Result of the last lookup."""

        self.unknown = True
        """Whether no lookup was made since the last connect."""

        self._better: tuple[FibSource, ...] = ()
        self._names: dict[int, str] = {}

    def forget(self) -> None:
        """Reset after a connect, which may be to another VPP."""
        self.unknown, self.linux_nl, self._better = True, False, ()

    def update(self, sources: Iterable[FibSource], ours: int | None) -> None:
        """Store VPP's sources, and warn once if linux_nl is loaded."""
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
                extra=fields("linux_nl loaded", fib_source=own.name, priority=own.priority),
            )

    def name(self, source: int) -> str:
        """The name of a FIB source, or its number if it was added after the connect."""
        return self._names.get(source, str(source))

    @property
    def better(self) -> Sequence[int]:
        """Ids of the sources that take precedence over ours."""
        return [source.id for source in self._better]

    @property
    def hiding(self) -> Sequence[int]:
        """Ids of the sources whose routes may hide ours at connect.

        linux_nl's are left out: they have only what the kernel has.
        """
        return [
            source.id
            for source in self._better
            if source.priority >= OF_VPP_ITSELF and source.name not in LINUX_NL
        ]

    def found(self, count: int, some: Iterable[tuple[int, str, int]]) -> Overridden:
        """Store the result, and log it if it changed."""
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
                ", ".join(f"{p} (table {t}, {name})" for t, p, name in named[:MAX_LOGGED]),
                extra=fields(
                    "routes overridden",
                    overridden=count,
                    routes=[
                        {"prefix": p, "vpp_table": t, "fib_source": name}
                        for t, p, name in named[:MAX_LOGGED]
                    ],
                ),
            )
        elif before.count and not count:
            _log.info("VPP forwards by our routes alone again")
        return self.overridden


def overridden_by_papi(
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
