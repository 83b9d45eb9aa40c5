"""The last route changes, for whoever watches: some of each batch, never all of a full table."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass

from bgpreflector import _core
from bgpreflector.controller import Event, Observer
from bgpreflector.reflector import BGPRouteBatchUpdate

KEPT = 200
"""Changes that are remembered."""

OF_EACH = 20
"""Changes that are taken of one batch."""


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


class RecentChanges(Observer):
    """Looks at the route changes that pass."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Made into what is asked for only then: here the change is on its way to VPP.
        self._noted: deque[tuple[int, float, _core.RouteChange]] = deque(maxlen=KEPT)
        self._count = 0

    def since(self, number: int) -> list[RecentChange]:
        """Those after the one of that number, the oldest first. From any thread."""
        with self._lock:
            noted = [entry for entry in self._noted if entry[0] > number]
        return [
            RecentChange(n, at, c.operation, c.table, c.prefix, tuple(c.desired))
            for n, at, c in noted
        ]

    def handles_event(self, event: Event) -> bool:
        """True for batches of route changes."""
        return isinstance(event, BGPRouteBatchUpdate)

    def observe(self, event: Event) -> str:
        """Take note of some of the batch."""
        if isinstance(event, BGPRouteBatchUpdate) and not event.superseded:
            with self._lock:
                self._note(event)
        return ""

    def _note(self, event: BGPRouteBatchUpdate) -> None:
        now = time.time()
        for change in event.batch.changes(OF_EACH):
            if isinstance(change, _core.RouteChange) and change.operation != "none":
                self._count += 1
                self._noted.append((self._count, now, change))
