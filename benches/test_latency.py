"""One route changes while nothing else happens."""

from __future__ import annotations

import ctypes
import os
import time
from statistics import median, quantiles

import pytest

from lab.vpp import SimulatedVpp

from .conftest import Add
from .process import daemon
from .route_change import RouteSocket, request
from .rows import Row, at_most
from .size import scaled
from .world import empty_kernel

pytestmark = [pytest.mark.root, pytest.mark.timeout(900)]

CHANGES = scaled(2_000, least=20)
PREFIX, GATEWAY = "198.51.100.0/24", "192.168.100.10"
IDLE = 0.005
"""Seconds between the changes: everybody sleeps again."""

LOOK = 10e-6
"""Seconds between two looks at VPP."""

DEADLINE = 10.0
PR_SET_TIMERSLACK = 29


def test_one_change(simulator: SimulatedVpp, add: Add) -> None:
    """From the request to the kernel until VPP has the route; the looks at VPP count as well."""
    sleep_exactly()
    with empty_kernel("latency") as kernel, daemon(kernel, simulator, 0):
        routes = RouteSocket(kernel)
        requests = [request(PREFIX, GATEWAY, add=add) for add in (True, False)]
        taken = [one(simulator, routes, requests[n % 2]) for n in range(CHANGES)]
        routes.close()
    microseconds = [seconds * 1e6 for seconds in taken]
    percentile = quantiles(microseconds, n=100)[98]
    what = "One route change, kernel to VPP"
    note = f"{CHANGES:,} changes, {os.cpu_count()} processors"
    add(Row(f"{what}: median", median(microseconds), "µs", target=at_most(300), note=note))
    add(Row(f"{what}: 99th percentile", percentile, "µs", target=at_most(2000), note=note))


def one(vpp: SimulatedVpp, routes: RouteSocket, message: bytes) -> float:
    """Seconds from the kernel to VPP."""
    statistics = vpp.simulator.statistics
    before = statistics()["route_requests"]
    time.sleep(IDLE)
    began = time.perf_counter()
    routes.change(message)
    while statistics()["route_requests"] == before:
        time.sleep(LOOK)
        assert time.perf_counter() - began < DEADLINE, "VPP did not get the change"
    taken = time.perf_counter() - began
    routes.check()
    return taken


def sleep_exactly() -> None:
    """Has the kernel wake this thread when it asked to be, not 50 microseconds later."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
