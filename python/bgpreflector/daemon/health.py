"""Whether the threads get on: one that is there may hang all the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Mapping

PATIENCE = 60.0
"""Seconds without any progress, beside what waiting for VPP may take, after which it hangs."""

Pulses = Mapping[str, tuple[bool, int]]
"""By thread: whether it has something to do, and a number that grows as it gets on."""


class Liveness:
    """Compares looks at what the threads have to do, and at how far they are. From any thread.

    An event may take hours, for instance under a rate limit; what matters is that it gets on.
    """

    def __init__(self, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        """``patience`` in seconds of ``clock``, which is the event loop's own."""
        self._patience = patience
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[Hashable, float]] = {}

    def look(
        self, at_work: tuple[str, float] | None, progress: Hashable, pulses: Pulses | None = None
    ) -> str | None:
        """What hangs, or ``None``.

        ``at_work`` is what the event loop is at and since when; ``progress`` is anything that
        differs once that has got on. ``pulses`` are those of other threads, which may be what it
        waits for: they are named first.
        """
        now = self._clock()
        with self._lock:
            said = [
                f"the {name} hangs: it has something to do, and has not got on for {stands:.0f} s"
                for name, (has_to_do, beats) in (pulses or {}).items()
                if (stands := self._stands(name, (has_to_do, beats), now, idle=not has_to_do))
                >= self._patience
            ]
            stands = self._stands("", (at_work, progress), now, idle=at_work is None)
        if at_work is not None and stands >= self._patience:
            name, began = at_work
            said.append(
                f"the event loop hangs: it has been at {name!r} for {now - began:.0f} s, and has "
                f"not got on for {stands:.0f} s"
            )
        return "; ".join(said) or None

    def _stands(self, name: str, seen: Hashable, now: float, *, idle: bool) -> float:
        """Seconds for which the same was seen; 0 where there is nothing to do."""
        before, since = self._seen.get(name, (None, now))
        if idle or before != seen:
            since = now
        self._seen[name] = (seen, since)
        return now - since
