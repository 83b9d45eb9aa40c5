"""Exponential delays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenacity import RetryCallState, Retrying, stop_after_attempt, stop_never
from tenacity.wait import wait_base, wait_exponential

if TYPE_CHECKING:
    from tenacity.stop import stop_base


class Backoff:
    """The delays before each attempt: ``first`` seconds, then twice as long each time.

    At most ``maximum`` seconds each and at most ``attempts`` of them; ``None`` for either
    means without limit.
    """

    def __init__(
        self, first: float, *, attempts: int | None = None, maximum: float | None = None
    ) -> None:
        self._wait: wait_base = (
            wait_exponential(multiplier=first)
            if maximum is None
            else wait_exponential(multiplier=first, max=maximum)
        )
        self._stop: stop_base = stop_never if attempts is None else stop_after_attempt(attempts)
        self._attempts = 0

    def next_delay(self) -> float | None:
        """Seconds to wait before the next attempt, ``None`` if there must be none."""
        state = RetryCallState(retry_object=Retrying(), fn=None, args=(), kwargs={})
        state.attempt_number = self._attempts
        if self._stop(state):
            return None
        self._attempts += 1
        state.attempt_number = self._attempts
        return float(self._wait(state))

    def reset(self) -> None:
        """Begin again with the first delay."""
        self._attempts = 0
