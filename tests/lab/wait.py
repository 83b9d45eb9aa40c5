"""Waiting for a condition, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

SHOWN = 2000
"""Characters of the last seen state that an error shows."""


class ConditionNotMet(AssertionError):  # noqa: N818 - read as a sentence in a failed test
    """A condition was not met before its deadline."""


def wait_until(
    condition: Callable[[], T],
    timeout: float,
    message: str,
    *,
    accept: Callable[[T], bool] = bool,
    interval: float = 0.02,
) -> T:
    """Calls ``condition`` until ``accept`` takes what it returns, and returns that.

    ``timeout`` and ``interval`` are seconds. Raises `ConditionNotMet` with ``message`` and the
    state seen last; what ``condition`` itself raises is passed on.
    """
    deadline = time.monotonic() + timeout
    while True:
        seen = condition()
        if accept(seen):
            return seen
        if time.monotonic() >= deadline:
            text = repr(seen)
            shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text)} characters)"
            raise ConditionNotMet(f"{message}: not within {timeout:g} s; last seen: {shown}")
        time.sleep(interval)
