"""One log line for a change of many routes, such as the loss of a link or of a session."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bgpreflector import _core
from bgpreflector.log_fields import fields
from bgpreflector.routes.listing import link_names, listing_groups
from bgpreflector.units import duration_text

from .report import State, StatusReport

if TYPE_CHECKING:
    from .daemon import Daemon

_log = logging.getLogger(__name__)

MIN_CHANGES = 1000
"""The fewest changes that are logged."""

MAX_WAIT = 60.0
"""Seconds after which changes that go on are logged so far."""

MIN_RATE_SECONDS = 2.0
"""The fewest seconds that a rate is computed from."""

MAX_INTERFACES = 3
"""The most interfaces in a line."""

MIN_SHARE = 10
"""An interface is named if at least one in so many of the changes is its own."""

WORDS: Mapping[str, str] = {"delete": "withdrawn", "add": "added", "replace": "changed"}
"""By the request to VPP."""


def routes_by_interface(daemon: Daemon) -> Counter[str]:
    """The routes that VPP has, by the kernel's interface that they go through; one of several next
    hops counts with each. It walks the table, a page at a time."""
    names = link_names(daemon.engine)
    listing = _core.RouteListing(daemon.engine, states=["installed"])
    counts: Counter[str] = Counter()
    for *_, hops, count in listing_groups(listing):
        through = {names[hop.interface] for hop in hops if hop.interface in names}
        counts.update(dict.fromkeys(through, count))
    return counts


def left_of(report: StatusReport) -> int:
    """Prefixes that are dirty or have a request in flight."""
    counts = report.prefixes.values()
    rejected = sum(c["rejected"] for c in counts)
    missing = sum(abs(c["desired"] + c["unconfirmed"] - c["installed"]) for c in counts)
    return max(report.dirty, missing - rejected, 0)


@dataclass(frozen=True)
class Summary:
    """Changes of VPP's routes between two times at which it was in sync."""

    withdrawn: int = 0
    added: int = 0
    changed: int = 0
    """Those that have other paths now."""

    seconds: float = 0.0
    """From the first change to the last, to about half a second."""

    left: Mapping[str, int] = field(default_factory=dict)
    """Routes left through the interfaces that lost most."""

    now: Mapping[str, int] = field(default_factory=dict)
    """Routes through the interfaces that gained most."""

    @property
    def total(self) -> int:
        """All changes."""
        return self.withdrawn + self.added + self.changed

    def __str__(self) -> str:
        """The sentence.

        Examples:
            >>> print(Summary(withdrawn=2000, left={"eth1": 0}))
            2,000 routes withdrawn, 0 left through eth1
            >>> print(Summary(withdrawn=1, added=6000, seconds=3.0, now={"eth0": 7000}))
            6,000 routes added, 1 withdrawn, 7,000 through eth0 now, in 3 s (2,000 a second)
        """
        counts = ((self.withdrawn, "withdrawn"), (self.added, "added"), (self.changed, "changed"))
        most = sorted((pair for pair in counts if pair[0]), reverse=True)
        parts = [
            f"{count:,}{' routes' if first else ''} {word}"
            for (count, word), first in zip(most, (True, False, False), strict=False)
        ]
        parts += [f"{count:,} left through {name}" for name, count in self.left.items()]
        parts += [f"{count:,} through {name} now" for name, count in self.now.items()]
        if self.seconds >= MIN_RATE_SECONDS:
            rate = self.total / self.seconds
            parts.append(f"in {duration_text(self.seconds)} ({rate:,.0f} a second)")
        return ", ".join(parts)

    def log(self) -> None:
        """One record at info level."""
        _log.info(
            "%s",
            self,
            extra=fields(
                "routes changed",
                withdrawn=self.withdrawn,
                added=self.added,
                changed=self.changed,
                seconds=round(self.seconds, 3),
                interfaces={**self.left, **self.now},
            ),
        )


class MassChanges:
    """Finds them in a daemon's status, sampled again and again.

    Changes belong together until VPP is in sync and a sample shows no further ones.
    """

    def __init__(self, count_routes: Callable[[], Mapping[str, int]]) -> None:
        """``count_routes``: :func:`routes_by_interface`, once each :data:`MIN_CHANGES` changes."""
        self._count_routes = count_routes
        self._logged: Counter[str] = Counter()
        self._seen: Counter[str] | None = None
        self._began: float | None = None
        self._last_change = self._last_sample = 0.0
        self._uncounted = 0
        self._interfaces: Mapping[str, int] | None = None

    def sample(self, report: StatusReport, now: float) -> bool:
        """Take a status sampled at a time in seconds; whether all changes have been logged."""
        done = Counter({name: made.done for name, made in report.vpp.requests.items()})
        before, self._seen = self._seen, done
        if before is None:
            self._logged = done
        elif any(done[name] < count for name, count in before.items()):
            # Another daemon after a reload: its counters start at 0.
            self._logged, before = Counter(), Counter()
        if before is not None and done != before:
            if self._began is None:
                # It was in sync until an event woke the sampling thread.
                self._began = max(self._last_sample, now - 1)
            self._last_change = now
        changing = before is not None and done != before
        self._last_sample = now
        too_long = self._began is not None and now - self._began >= MAX_WAIT
        rejected = report.state == State.REJECTED.value and not left_of(report)
        if not (report.in_sync or rejected) or (changing and not too_long):
            return False
        self._end(done)
        return not changing

    def _end(self, done: Counter[str]) -> None:
        changes, self._logged = done - self._logged, done
        began, self._began = self._began, None
        self._uncounted += changes.total()
        before = self._interfaces
        if before is not None and self._uncounted < MIN_CHANGES:
            return
        self._uncounted = 0
        self._interfaces = after = self._count_routes()
        if changes.total() < MIN_CHANGES:
            return
        left, now = _moved(before or {}, after, changes.total())
        Summary(
            **{word: changes[request] for request, word in WORDS.items()},
            seconds=0.0 if began is None else self._last_change - began,
            left=left,
            now=now,
        ).log()


def _moved(
    before: Mapping[str, int], after: Mapping[str, int], changes: int
) -> tuple[dict[str, int], dict[str, int]]:
    """The interfaces that lost most routes and those that gained most, with what they have."""
    gained = {name: after.get(name, 0) - before.get(name, 0) for name in {**before, **after}}
    most = sorted(gained, key=lambda name: (-abs(gained[name]), name))
    named = [name for name in most if abs(gained[name]) * MIN_SHARE >= changes][:MAX_INTERFACES]
    return (
        {name: after.get(name, 0) for name in named if gained[name] < 0},
        {name: after.get(name, 0) for name in named if gained[name] > 0},
    )
