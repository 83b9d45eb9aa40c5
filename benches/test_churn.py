"""BIRD replaces routes faster than VPP takes them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

from daemon.running import RunningDaemon, running_daemon
from lab import BgpPair, running_bgp_pair, wait_until
from lab.bgp_pair import DEVICE, SUBNETS
from lab.vpp import SimulatedVpp

from .conftest import Add
from .process import Process
from .rows import Row, at_most
from .size import MEASURES, scaled

pytestmark = [pytest.mark.root, pytest.mark.bird, pytest.mark.timeout(1800)]

PREFIXES = scaled(200_000, least=200)
VPP_A_SECOND = scaled(150_000, least=1000)
SLOW_A_SECOND = scaled(40_000, least=1000)
"""VPP's rates, as limits of the simulator. The slow one is slower than any BIRD."""

SECONDS = 15.0 if MEASURES else 1.0
QUIET = 2.0 if MEASURES else 0.5
TIMEOUT = 300.0
LOOK = 0.02
"""Seconds between two looks: each is a command to the daemon, which has other things to do."""

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


def announcements(daemon: RunningDaemon) -> int:
    """Those that it has read so far."""
    return int(daemon.status()["kernel"]["messages"]["new_route"])


def wait_for_the_end(daemon: RunningDaemon) -> End:
    """Waits until nothing has changed for a while; when the last changes were."""

    def look() -> tuple[int, bool]:
        status = daemon.status()
        return status["kernel"]["messages"]["new_route"], status["in_sync"]

    deadline = time.monotonic() + TIMEOUT
    seen, end = look(), End(time.monotonic(), time.monotonic())
    while not seen[1] or time.monotonic() - end.vpp < QUIET:
        time.sleep(LOOK)
        before, seen = seen, look()
        now = time.monotonic()
        assert now < deadline, seen
        if seen[0] != before[0]:
            end = End(now, now)
        elif seen != before:
            end = end._replace(vpp=now)
    return end


@pytest.mark.parametrize("rate", [VPP_A_SECOND, SLOW_A_SECOND], ids=["fast", "slow"])
def test_churn(pair: BgpPair, simulator: SimulatedVpp, add: Add, tmp_path: Path, rate: int) -> None:
    """Nothing is dropped, memory stays bounded, and the last state is there soon."""
    pair.announce(PREFIXES, hosts=[10], families=[4])
    pair.wait_kernel()
    simulator.fault("rate_limit", per_second=rate)
    arguments = (
        "--socket",
        str(simulator.socket),
        "--interface",
        f"{DEVICE}={simulator.interface}",
    )
    log, router = tmp_path / "daemon.log", pair.router.namespace
    with running_daemon(log, *arguments, namespace=router) as daemon:
        wait_until(
            lambda: simulator.simulator.statistics()["routes"],
            TIMEOUT,
            "everything in VPP",
            accept=lambda seen: seen == PREFIXES,
        )
        wait_until(lambda: daemon.status()["in_sync"], TIMEOUT, "in sync")
        heard = announcements(daemon)
        requests = simulator.simulator.statistics()["route_requests"]
        process = Process(daemon.process.pid)
        before = process.forget_most()
        until = time.monotonic() + SECONDS
        for number in count(1):
            if time.monotonic() > until:
                break
            pair.change_next_hop(10 + number % 2)
        began = time.monotonic()
        pair.change_next_hop(LAST)
        end = wait_for_the_end(daemon)

        _, most = process.resident()
        overruns = daemon.status()["kernel"]["overruns"]
        heard = announcements(daemon) - heard
        requests = simulator.simulator.statistics()["route_requests"] - requests
    gateways = Counter(hops[0][0] for _, _, hops in simulator.simulator.snapshot("bgpreflector"))
    assert gateways == {SUBNETS[4].format(host=LAST): PREFIXES}
    what = f"Churn by BIRD of {PREFIXES:,} routes, VPP at {rate:,}/s"
    note = f"{heard:,} changes became {requests:,} requests"
    add(Row(f"{what}: overruns", overruns, "", target=at_most(0), note=note))
    grown = (most - before) / 2**20
    add(Row(f"{what}: memory grows by", grown, "MiB", target=at_most(32)))
    own, taken = PREFIXES / rate, end.vpp - end.kernel
    add(
        Row(
            f"{what}: last state, after the kernel's", taken, "s",
            "VPP's own time for the distinct prefixes", own, taken / own, at_most(1.2, ratio=True),
            note=f"BIRD and kernel {end.kernel - began:.1f} s",
        )
    )  # fmt: skip
