"""A limit on requests that are sent one by one."""

from __future__ import annotations

import time
from collections.abc import Callable


class RateLimiter:
    """Waits so that the rate stays below a limit.

    For ``vpp_papi``; the bulk connection has its own limit.
    """

    def __init__(
        self,
        per_second: int | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``None``: no limit."""
        self._interval = 0.0 if per_second is None else 1.0 / per_second
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    def wait(self) -> None:
        """Return when the next request may be sent."""
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + self._interval
