"""The daemon's memory, and what a route costs, as the table grows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from statistics import median

import pytest

from lab import Namespace, global_table
from lab.prefixes import Family
from lab.vpp import SimulatedVpp

from .bare_dump import bare_dump
from .conftest import Add
from .process import daemon
from .rows import Row, at_most
from .size import FULL, MEASURES, V4, rounds
from .timing import in_turns, timed
from .world import LINK, SW_IF_INDEX, apply, empty_kernel, engine, lines

pytestmark = [pytest.mark.root, pytest.mark.timeout(3000)]

LARGEST = int(os.environ.get("BGPREFLECTOR_BENCH_LARGEST", V4))
"""Routes of the largest table; four million take a gigabyte of the kernel's memory."""

TARGETS: dict[Family, int] = {4: 64, 6: 96}
"""Bytes a route above the empty process."""


def sizes(family: Family) -> list[int]:
    """Table sizes, ever larger."""
    largest = LARGEST if family == 4 else LARGEST // 5
    steps = [10_000, 100_000, FULL if family == 4 else FULL // 5, 4 * FULL]
    return [step for step in steps if step < largest] + [largest]


def growing(kernel: Namespace, family: Family) -> Iterator[int]:
    """Fills the kernel step by step; the routes that it has then."""
    table = global_table(family, sizes(family)[-1])
    filled = 0
    for size in sizes(family):
        apply(kernel, lines("add", table[filled:size]))
        filled = size
        yield size


def cold_start(kernel: Namespace) -> float:
    """Seconds that the kernel's dump into a new table takes."""
    made = engine(kernel)
    made.set_interfaces({LINK: SW_IF_INDEX}, None, False)
    taken = timed(made.resync)
    made.close()
    return taken


@pytest.mark.parametrize("family", [4, 6])
def test_growth(family: Family, simulator: SimulatedVpp, add: Add) -> None:
    """From ten thousand routes on."""
    costs: dict[int, float] = {}
    with empty_kernel("memory") as kernel:
        with daemon(kernel, simulator, 0) as process:
            empty, _ = process.resident()
        for size in growing(kernel, family):
            simulator.fault("restart")
            with daemon(kernel, simulator, size) as process:
                now, most = process.resident()
            target = at_most(TARGETS[family]) if size == sizes(family)[-1] else None
            what = f"Memory above the empty process, {size:,} IPv{family} routes"
            note = f"at most so far {(most - empty) / size:.0f}"
            add(Row(what, (now - empty) / size, "bytes/route", target=target, note=note))
            ours, bare = in_turns(rounds(5), lambda: cold_start(kernel), lambda: bare_dump(kernel))
            costs[size] = median(ours) / size * 1e9
            add(
                Row(
                    f"Cold start, cost of a route, {size:,} IPv{family} routes", costs[size],
                    "ns", "bare dump", median(bare) / size * 1e9, median(ours) / median(bare),
                )
            )  # fmt: skip
    first, last = min(costs), max(costs)
    add(
        Row(
            f"Cold start, cost of an IPv{family} route, {last:,} against {first:,}",
            costs[last], "ns", f"with {first:,} routes", costs[first],
            costs[last] / costs[first], at_most(1.5, ratio=True) if MEASURES else None,
        )
    )  # fmt: skip
