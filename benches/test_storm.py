"""All routes move to another next hop, as when a session is lost."""

from __future__ import annotations

import time

import pytest

from bulk.chain import running_daemon
from lab import Namespace, wait_until
from lab.vpp import SimulatedVpp

from .conftest import Add
from .rows import Row, at_most
from .size import ALL, V4, V6
from .timing import timed
from .world import LINK, apply, both_tables, lines

pytestmark = [pytest.mark.root, pytest.mark.timeout(1800)]

TIMEOUT = 300.0


def test_storm(plain_kernel: Namespace, simulator: SimulatedVpp, add: Add) -> None:
    """VPP hears of every prefix once."""
    table = both_tables(V4, V6)
    with running_daemon(plain_kernel, simulator, LINK) as daemon:
        statistics = simulator.simulator.statistics

        def wait_in_sync() -> None:
            wait_until(
                lambda: (daemon.in_sync, statistics()["routes"]),
                TIMEOUT,
                "everything in VPP",
                accept=lambda seen: seen == (True, ALL),
                interval=0.005,
            )

        wait_in_sync()
        before = statistics()
        began = time.perf_counter()
        kernel = timed(lambda: apply(plain_kernel, lines("replace", table, shift=1)))
        # What the daemon has not heard of yet it does not know to lack.
        wait_until(
            lambda: statistics()["replaces"] - before["replaces"],
            TIMEOUT,
            "VPP has heard of everything",
            accept=lambda count: count >= ALL,
            interval=0.005,
        )
        wait_in_sync()
        taken = time.perf_counter() - began
        after = statistics()
        assert daemon.engine.audit().drift == {"missing": 0, "different": 0, "stale": 0}
        audit = daemon.sink.audit(repair=False)
        assert audit is not None
        assert sum(audit.drift.values()) == 0
        overruns = daemon.engine.status().overruns
    apply(plain_kernel, lines("replace", table))
    requests = after["route_requests"] - before["route_requests"]
    assert requests == after["replaces"] - before["replaces"] >= ALL
    what = "Storm: all routes to another next hop"
    note = f"{overruns} overruns"
    add(Row(f"{what}: requests a prefix", requests / ALL, "", target=at_most(1.05), note=note))
    add(Row(what, taken, "s", "`ip -batch` in the kernel", kernel, taken / kernel))
