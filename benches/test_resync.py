"""A resync where nothing has changed."""

from __future__ import annotations

from statistics import median

import pytest

from lab import Namespace
from lab.vpp import SimulatedVpp

from .bare_dump import bare_dump
from .conftest import Add
from .rows import Row, at_most
from .size import ALL, rounds
from .timing import in_turns, ratio, timed
from .vpp_side import all_in_vpp

pytestmark = [pytest.mark.root, pytest.mark.timeout(1800)]


def test_resync(plain_kernel: Namespace, simulator: SimulatedVpp, add: Add) -> None:
    """VPP hears nothing of it, and it costs little more than the dump."""
    with all_in_vpp(plain_kernel, simulator) as made:
        before = simulator.simulator.statistics()["route_requests"]
        assert before == ALL

        ours, bare = in_turns(
            rounds(7), lambda: timed(made.resync), lambda: bare_dump(plain_kernel)
        )

        assert made.status().dirty == 0
        requests = simulator.simulator.statistics()["route_requests"] - before
    what = "Resync with nothing changed"
    target = at_most(1.3, ratio=True)
    add(Row(what, median(ours), "s", "bare dump", median(bare), ratio(ours, bare), target))
    add(Row(f"{what}: requests to VPP", requests, "", target=at_most(0)))
    assert requests == 0
