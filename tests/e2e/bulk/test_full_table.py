"""A full table in a real VPP, and all that may be restarted under it."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bgpreflector.daemon.daemon import Daemon
from lab import Namespace, ip_batch, prefixes, wait_until
from lab.bgp_pair import SUBNETS
from lab.vpp import RealVpp
from lab.vpp.startup import Startup

from .chain import count_prefixes, running_daemon
from .memory import most_resident, start_measuring
from .size import Figures, sized
from .wave import DEVICE

pytestmark = [pytest.mark.root, pytest.mark.vpp, pytest.mark.timeout(900)]

V4, V6 = sized(100_000, 1_000_000), sized(20_000, 200_000)
HOSTS = range(10, 74)
"""Next hops."""

TIMEOUT = 300.0
FOREIGN = "203.0.113.0/24"
HIDDEN = 1
"""Requests for what the foreign route may hide, at each first look: it is deleted unseen."""


@pytest.fixture
def big_vpp(tmp_path: Path) -> Iterator[RealVpp]:
    """A real VPP with room for a full table."""
    with RealVpp.running(tmp_path, Startup(heap="6G", statseg="3G")) as running:
        yield running


@pytest.fixture
def kernel(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """A kernel with a full table."""
    made = make_namespace("full")
    made.add_link(DEVICE, "192.168.100.1/24", "fd00:100::1/64")
    for family, count in ((4, V4), (6, V6)):
        hops = [SUBNETS[family].format(host=host) for host in HOSTS]  # type: ignore[index]
        ip_batch(
            made,
            (
                f"route add {prefix} via {hops[number % len(hops)]} proto 12"
                for number, prefix in enumerate(prefixes(family, count))  # type: ignore[arg-type]
            ),
        )
    return made


def fib_prefixes(vpp: RealVpp) -> int:
    """Prefixes in VPP's tables 0, by its own count, of all sources."""
    text = vpp.cli("show ip fib summary") + vpp.cli("show ip6 fib summary")
    return sum(int(count) for count in re.findall(r"^\s*\d+\s+(\d+)\s*$", text, re.MULTILINE))


def applied(caplog: pytest.LogCaptureFixture) -> list[int]:
    """What each resync had VPP do, as the log says it."""
    found = (
        re.search(r"Resync done: ([\d,]+) changes? applied, 0 refused", r.getMessage())
        for r in caplog.records
    )
    return [int(match[1].replace(",", "")) for match in found if match]


def wait_all(daemon: Daemon) -> float:
    """Waits until VPP has everything; the seconds since."""
    began = time.monotonic()
    wait_until(
        lambda: (daemon.in_sync, count_prefixes(daemon, "installed")),
        TIMEOUT,
        "everything in VPP",
        accept=lambda seen: seen == (True, V4 + V6),
        interval=0.01,
    )
    return time.monotonic() - began


def check(daemon: Daemon, before: int, vpp: RealVpp) -> None:
    """By VPP's own count, and by what it shows of each prefix."""
    assert fib_prefixes(vpp) == before + V4 + V6
    audit = daemon.sink.audit(repair=False)
    assert audit is not None
    assert audit.dumped == V4 + V6
    assert sum(audit.drift.values()) == 0, audit.drifted
    assert vpp.has_foreign_route(FOREIGN)


def test_everything_may_be_restarted_under_a_full_table(
    kernel: Namespace, big_vpp: RealVpp, caplog: pytest.LogCaptureFixture, figures: Figures
) -> None:
    """The daemon without a single request, VPP with everything again."""
    caplog.set_level(logging.INFO, "bgpreflector")
    big_vpp.add_foreign_route(FOREIGN)
    before = fib_prefixes(big_vpp)
    empty = start_measuring()
    with running_daemon(kernel, big_vpp) as daemon:
        first = wait_all(daemon)
        taken = most_resident() - empty
        check(daemon, before, big_vpp)
    assert applied(caplog)[0] == V4 + V6 + HIDDEN, "the first resync sends everything"
    caplog.clear()

    with running_daemon(kernel, big_vpp) as daemon:
        again = wait_all(daemon)
        assert wait_until(lambda: applied(caplog), TIMEOUT, "the resync is over") == [HIDDEN]
        check(daemon, before, big_vpp)

        big_vpp.restart()
        big_vpp.add_foreign_route(FOREIGN)
        restart = wait_all(daemon)
        check(daemon, before, big_vpp)
    figures(
        f"{V4} IPv4 and {V6} IPv6 routes: {first:.1f} s until VPP has them; daemon restarted: "
        f"{HIDDEN} request, in sync after {again:.1f} s; VPP restarted: "
        f"all again {restart:.1f} s after it answers; at most "
        f"{taken // (V4 + V6)} bytes of memory a route"
    )
