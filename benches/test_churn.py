"""BIRD replaces routes faster than VPP takes them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import pytest

from bgpreflector.daemon import Daemon
from bulk.chain import running_daemon
from bulk.memory import most_resident, start_measuring
from lab import BgpPair, running_bgp_pair, wait_until
from lab.bgp_pair import DEVICE, SUBNETS
from lab.vpp import SimulatedVpp

from .conftest import Add
from .rows import Row, at_most
from .size import MEASURES, scaled

pytestmark = [pytest.mark.root, pytest.mark.bird, pytest.mark.timeout(1800)]

PREFIXES = scaled(200_000, least=200)
VPP_A_SECOND = scaled(150_000, least=1000)
"""What VPP takes: the simulator is told to be no faster."""

SECONDS = 15.0 if MEASURES else 1.0
QUIET = 2.0 if MEASURES else 0.5
PATIENCE = 300.0
LAST = 99
"""Host number of the next hop that all routes have in the end."""


class End(NamedTuple):
    """When the kernel was done, and when VPP was, by the monotonic clock."""

    kernel: float
    vpp: float


@pytest.fixture
def pair() -> Iterator[BgpPair]:
    """Two BIRDs."""
    with running_bgp_pair() as made:
        yield made


def wait_for_the_end(daemon: Daemon) -> End:
    """Waits until nothing has changed for a while; when the last changes were."""

    def look() -> tuple[int, bool]:
        return daemon.engine.status().messages["new_route"], daemon.in_sync

    deadline = time.monotonic() + PATIENCE
    seen, end = look(), End(time.monotonic(), time.monotonic())
    while not seen[1] or time.monotonic() - end.vpp < QUIET:
        time.sleep(0.005)
        before, seen = seen, look()
        now = time.monotonic()
        assert now < deadline, seen
        if seen[0] != before[0]:
            end = End(now, now)
        elif seen != before:
            end = end._replace(vpp=now)
    return end


def test_churn(pair: BgpPair, simulator: SimulatedVpp, add: Add) -> None:
    """Nothing is dropped, memory stays bounded, and the last state is there soon."""
    pair.announce(PREFIXES, hosts=[10], families=[4])
    pair.wait_kernel()
    simulator.fault("rate_limit", per_second=VPP_A_SECOND)
    with running_daemon(
        pair.router.namespace, simulator.socket, {DEVICE: simulator.interface}
    ) as daemon:
        wait_until(
            lambda: (daemon.in_sync, simulator.simulator.statistics()["routes"]),
            PATIENCE,
            "everything in VPP",
            accept=lambda seen: seen == (True, PREFIXES),
        )
        heard = daemon.engine.status().messages["new_route"]
        requests = simulator.simulator.statistics()["route_requests"]
        before = start_measuring()
        until = time.monotonic() + SECONDS
        for number in count(1):
            if time.monotonic() > until:
                break
            pair.change_next_hop(10 + number % 2)
        began = time.monotonic()
        pair.change_next_hop(LAST)
        end = wait_for_the_end(daemon)

        grown = most_resident() - before
        status = daemon.engine.status()
        heard = status.messages["new_route"] - heard
        requests = simulator.simulator.statistics()["route_requests"] - requests
    gateways = Counter(hops[0][0] for _, _, hops in simulator.simulator.snapshot("bgpreflector"))
    assert gateways == {SUBNETS[4].format(host=LAST): PREFIXES}
    limit = max(PREFIXES / VPP_A_SECOND, end.kernel - began)
    what = f"Churn by BIRD of {PREFIXES:,} routes, VPP at {VPP_A_SECOND:,}/s"
    note = f"{heard:,} changes became {requests:,} requests"
    add(Row(f"{what}: overruns", status.overruns, "", target=at_most(0), note=note))
    add(Row(f"{what}: memory grows by", grown / 2**20, "MiB", target=at_most(32)))
    taken = end.vpp - began
    add(
        Row(
            f"{what}: last state", taken, "s", "the slower of BIRD and VPP's own time", limit,
            taken / limit, at_most(1.2, ratio=True),
            note=f"BIRD and kernel {end.kernel - began:.1f} s",
        )
    )  # fmt: skip
