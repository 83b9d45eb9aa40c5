"""What this process holds, to be compared with what it held before."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import wait_until


@contextmanager
def without_collector() -> Iterator[None]:
    """What is free now is free because nobody refers to it, not because it was looked for."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def held() -> dict[str, int]:
    """Threads, those of the compiled module too, and open descriptors."""
    process = Path("/proc/self")
    return {name: len(list((process / name).iterdir())) for name in ("task", "fd")}


def no_more_than(before: dict[str, int]) -> None:
    """Waits until this process holds no more than that.

    Threads that were asked to end may still run, also of those that were there before.
    """
    less = lambda now: all(now[name] <= before[name] for name in before)  # noqa: E731
    wait_until(held, 10, f"no more than {before}", accept=less)
