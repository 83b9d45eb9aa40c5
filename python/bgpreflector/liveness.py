"""Whether the event loop gets on: a thread that is there may hang all the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

PATIENCE = 60.0
"""Seconds without any progress, beside what waiting for VPP may take, after which it hangs."""


class Liveness:
    """Compares looks at what the loop is at, and at how far that is. From any thread.

    An event may take hours, for instance under a rate limit; what matters is that it gets on.
    """

    def __init__(self, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        """``patience`` in seconds of ``clock``, which is the event loop's own."""
        self._patience = patience
        self._clock = clock
        self._lock = threading.Lock()
        self._last: tuple[object, Hashable] | None = None
        self._since = 0.0

    def look(self, at_work: tuple[str, float] | None, progress: Hashable) -> str | None:
        """What hangs, or ``None``.

        ``at_work`` is what the loop is at and since when; ``progress`` is anything that differs
        once it has got on.
        """
        now = self._clock()
        with self._lock:
            if self._last != (at_work, progress):
                self._last, self._since = (at_work, progress), now
            stands = now - self._since
        if at_work is None or stands < self._patience:
            return None
        name, began = at_work
        return (
            f"the event loop hangs: it has been at {name!r} for {now - began:.0f} s, and has not "
            f"got on for {stands:.0f} s"
        )
