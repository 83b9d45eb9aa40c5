"""The deadlines of the event loop."""

from __future__ import annotations

from enum import Enum, auto


class Timer(Enum):
    """The loop's timers; each is set at most once at a time."""

    RETRY = auto()
    HEALING = auto()
    PERIODIC_HEALING = auto()


class Timers:
    """Deadlines in the seconds of the loop's clock. Used by one thread at a time."""

    def __init__(self) -> None:
        self._deadlines: dict[Timer, float] = {}

    def set(self, timer: Timer, deadline: float) -> None:
        """Set, or move, the deadline of ``timer``."""
        self._deadlines[timer] = deadline

    def cancel(self, timer: Timer) -> None:
        """Forget ``timer``; nothing happens if it is not set."""
        self._deadlines.pop(timer, None)

    def is_set(self, timer: Timer) -> bool:
        """Whether ``timer`` has a deadline."""
        return timer in self._deadlines

    def next_deadline(self) -> float | None:
        """The earliest deadline, ``None`` if there is none."""
        return min(self._deadlines.values(), default=None)

    def pop_due(self, now: float) -> Timer | None:
        """Take out the earliest timer whose deadline has passed."""
        timer = min(self._deadlines, key=self._deadlines.__getitem__, default=None)
        if timer is None or self._deadlines[timer] > now:
            return None
        del self._deadlines[timer]
        return timer
