"""Time, so that tests can move it by hand."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading


class Clock(Protocol):
    """A monotonic clock that can be waited on."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back."""

    def wait_until(self, condition: threading.Condition, deadline: float | None) -> None:
        """Wait on ``condition``, which is held, until notified or ``deadline`` has passed.

        ``None`` waits for a notification only.
        """


class SystemClock:
    """The machine's monotonic clock."""

    def monotonic(self) -> float:
        """Seconds of ``time.monotonic()``."""
        return time.monotonic()

    def wait_until(self, condition: threading.Condition, deadline: float | None) -> None:
        """Wait without polling: with no deadline and no notification there is no wake-up."""
        if deadline is None:
            condition.wait()
        else:
            condition.wait(max(0.0, deadline - time.monotonic()))
