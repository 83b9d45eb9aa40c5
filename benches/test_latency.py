"""One route changes while nothing else happens."""

from __future__ import annotations

import os
import time
from statistics import median, quantiles

import pytest

from lab import wait_until
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

DEADLINE = 10.0


def test_one_change(simulator: SimulatedVpp, add: Add) -> None:
    """From the request to the kernel until VPP's answer, which VPP takes the time of itself.

    Nobody looks on meanwhile: a thread that looks every few microseconds keeps one of two
    processors from those that are measured.
    """
    with empty_kernel("latency") as kernel, daemon(kernel, simulator, 0):
        routes = RouteSocket(kernel)
        requests = [request(PREFIX, GATEWAY, add=add) for add in (True, False)]
        taken = [one(simulator, routes, requests[n % 2]) for n in range(CHANGES)]
        routes.close()
    microseconds = [seconds * 1e6 for seconds in taken]
    percentile = quantiles(microseconds, n=100)[98]
    what = "One route change, kernel to VPP"
    note = f"{CHANGES:,} changes, {os.cpu_count()} processors"
    add(Row(f"{what}: median", median(microseconds), "µs", target=at_most(150), note=note))
    add(Row(f"{what}: 99th percentile", percentile, "µs", target=at_most(500), note=note))


def one(vpp: SimulatedVpp, routes: RouteSocket, message: bytes) -> float:
    """Seconds from the kernel to VPP's answer."""
    statistics = vpp.simulator.statistics
    began = time.monotonic_ns()
    routes.change(message)
    time.sleep(IDLE)
    wait_until(lambda: statistics()["answered_at"] > began, DEADLINE, "VPP got the change")
    routes.check()
    return (statistics()["answered_at"] - began) / 1e9
