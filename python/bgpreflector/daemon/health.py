"""Detect threads that hang."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Mapping

HANG_TIMEOUT = 60.0
"""Seconds without progress, beyond VPP's timeout, after which a thread counts as hung."""

ThreadLiveness = Mapping[str, tuple[bool, int]]
"""By thread: whether it has work, and a counter that grows with its progress."""


class HangDetector:
    """Compares samples of the threads' work and progress. From any thread.

    An event may take hours, for instance under a rate limit; what counts is its progress.
    """

    def __init__(self, timeout: float, clock: Callable[[], float] = time.monotonic) -> None:
        """``timeout`` in seconds of ``clock``, which is the event loop's own."""
        self._timeout = timeout
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[Hashable, float]] = {}

    def check(
        self,
        current_event: tuple[str, float] | None,
        heartbeat: Hashable,
        threads: ThreadLiveness | None = None,
    ) -> dict[str, str]:
        """Return what to say of each thread that hangs, by its name.

        ``current_event`` is what the event loop processes and since when; ``heartbeat`` is
        anything that changes as it proceeds. ``threads`` are those of other threads, which it may
        wait for: they are named first.
        """
        now = self._clock()
        with self._lock:
            hung = {
                name: f"the {name} hangs: it has work and made no progress for {stalled:.0f} s"
                for name, (has_work, beat) in (threads or {}).items()
                if (stalled := self._stalled_for(name, (has_work, beat), now, idle=not has_work))
                >= self._timeout
            }
            stalled = self._stalled_for(
                "", (current_event, heartbeat), now, idle=current_event is None
            )
        if current_event is not None and stalled >= self._timeout:
            name, began = current_event
            hung["event loop"] = (
                f"the event loop hangs: it has processed {name!r} for {now - began:.0f} s and "
                f"made no progress for {stalled:.0f} s"
            )
        return hung

    def _stalled_for(self, name: str, seen: Hashable, now: float, *, idle: bool) -> float:
        """Seconds without progress; 0 if there is no work."""
        before, since = self._seen.get(name, (None, now))
        if idle or before != seen:
            since = now
        self._seen[name] = (seen, since)
        return now - since


def in_words(hung: Mapping[str, str]) -> str | None:
    """What :meth:`HangDetector.check` returned in a sentence; ``None`` if no thread hangs."""
    return "; ".join(hung.values()) or None
