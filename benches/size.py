"""How large the benchmarks are."""

from __future__ import annotations

import os

ROUTES = "BGPREFLECTOR_BENCH_ROUTES"
"""Environment variable: IPv4 routes of the table; it has a fifth as many of IPv6."""

ASKED = ROUTES in os.environ
"""Whether `make bench` runs, which has criterion measure the core first."""

SMOKE = 500
FULL = 1_000_000

V4 = int(os.environ.get(ROUTES, SMOKE))
V6 = V4 // 5
ALL = V4 + V6

MEASURES = V4 >= 10_000
"""Whether figures mean anything, or the benchmarks only prove that they work."""


def scaled(full: int, *, least: int) -> int:
    """``full`` for a full table, fewer for a smaller one, never less than ``least``."""
    return max(least, full * V4 // FULL)


def rounds(full: int) -> int:
    """How often something is measured."""
    return full if MEASURES else 1
