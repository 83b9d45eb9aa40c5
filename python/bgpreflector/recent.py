"""The last route changes, for whoever watches: some of each batch, never all of a full table."""

from __future__ import annotations

from dataclasses import dataclass

from bgpreflector import _core


@dataclass(frozen=True)
class RecentChange:
    """A change on its way to VPP."""

    number: int
    """Counts from 1 on."""

    time: float
    """Seconds since the epoch."""

    operation: str
    table: int
    """Kernel table."""

    prefix: str
    paths: tuple[str, ...]
    """Paths that VPP shall have; none to delete the prefix."""


def recent_changes(engine: _core.Engine, since: int) -> list[RecentChange]:
    """Those after the one of that number, the oldest first. From any thread."""
    return [
        RecentChange(number, at, c.operation, c.table, c.prefix, tuple(c.desired))
        for number, at, c in engine.recent_changes(since)
    ]
