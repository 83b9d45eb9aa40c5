"""Times of several ways to do a thing, taken in turns: what disturbs one disturbs all."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from statistics import median

Way = Callable[[], float]
"""Does it once; the seconds that it took."""


def timed(action: Callable[[], object]) -> float:
    """Seconds that the call takes."""
    gc.collect()
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def in_turns(rounds: int, *ways: Way) -> list[list[float]]:
    """The times of each way, ``rounds`` of each, one after the other."""
    times: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds):
        for way, taken in zip(ways, times, strict=True):
            taken.append(way())
    return times


def ratio(ours: list[float], peers: list[float]) -> float:
    """The median of the rounds' ratios."""
    return median(mine / theirs for mine, theirs in zip(ours, peers, strict=True))
