"""Debian's zebra: its routes go into VPP, and stay when it is killed."""

from __future__ import annotations

import json
import re

import pytest

from lab import wait_until
from lab.frr import Frr, running_zebra
from oracle.expected import Forwarding
from oracle.world import World

from .sequence import fpm_status

pytestmark = [
    pytest.mark.root,
    pytest.mark.frr,
    pytest.mark.timeout(300),
]

TIMEOUT = 60.0
FPM = ("-M", "dplane_fpm_nl")
ZEBRA = "fpm address 127.0.0.1\n"
STATICD = """
ip route 198.18.0.0/24 10.7.0.2
ip route 198.18.1.0/24 10.7.0.2
ip route 198.18.1.0/24 10.7.1.2
ip route 198.18.2.0/24 blackhole
ip route 198.18.3.0/24 reject
ipv6 route 2001:db8:1::/48 fd07:0::2
ipv6 route 2001:db8:1::/48 fd07:1::2
"""
FIRST: Forwarding = {
    (254, "198.18.0.0/24"): [("10.7.0.2", "o0", 1)],
    (254, "198.18.1.0/24"): [("10.7.0.2", "o0", 1), ("10.7.1.2", "o1", 1)],
    (254, "198.18.2.0/24"): "blackhole",
    (254, "198.18.3.0/24"): "unreachable",
    (254, "2001:db8:1::/48"): [("fd07:1::2", "o1", 1), ("fd07::2", "o0", 1)],
}


def agree(router: World, expected: Forwarding) -> None:
    """Waits until VPP has this."""

    def look() -> Forwarding:
        router.settle(0)
        assert router.engine.failure() is None
        return router.vpp()

    wait_until(look, TIMEOUT, f"VPP has {expected}", accept=lambda seen: seen == expected)


def next_hops(routes: Frr, prefix: str) -> set[str]:
    """Those that zebra has installed."""
    shown = json.loads(routes.vtysh(f"show ip route {prefix} json", daemon="zebra"))
    hops = [hop for route in shown.get(prefix, []) for hop in route["nexthops"]]
    return {hop["ip"] for hop in hops if hop.get("active") and hop.get("fib")}


def move_link(routes: Frr, router: World, state: str, expected: Forwarding, hops: set[str]) -> None:
    """Sets ``o2`` up or down, and waits for VPP, and for zebra, which is later than the kernel."""
    router.namespace.ip("link", "set", "o2", state)
    agree(router, expected)
    wait_until(
        lambda: next_hops(routes, "198.18.0.0/24"), TIMEOUT, f"{hops}", accept=lambda s: s == hops
    )


def change(routes: Frr, router: World) -> Forwarding:
    """Each kind of change, each compared; what VPP has then."""
    now = dict(FIRST)
    agree(router, now)
    routes.configure("no ip route 198.18.1.0/24 10.7.1.2", "ip route 198.18.0.0/24 10.7.2.2")
    now[254, "198.18.1.0/24"] = [("10.7.0.2", "o0", 1)]
    now[254, "198.18.0.0/24"] = [("10.7.0.2", "o0", 1), ("10.7.2.2", "o2", 1)]
    agree(router, now)
    del now[254, "198.18.2.0/24"]
    routes.configure(
        "no ip route 198.18.2.0/24 blackhole",
        "no ip route 198.18.3.0/24 reject",
        "ip route 198.18.3.0/24 10.7.1.4",
    )
    now[254, "198.18.3.0/24"] = [("10.7.1.4", "o1", 1)]
    agree(router, now)
    without = now | {(254, "198.18.0.0/24"): [("10.7.0.2", "o0", 1)]}
    move_link(routes, router, "down", without, {"10.7.0.2"})
    move_link(routes, router, "up", now, {"10.7.0.2", "10.7.2.2"})
    # What zebra sends in order has come once this has.
    routes.configure("ip route 198.18.4.0/24 10.7.0.2")
    now[254, "198.18.4.0/24"] = [("10.7.0.2", "o0", 1)]
    agree(router, now)
    return now


@pytest.mark.parametrize("groups", ["fpm use-next-hop-groups", "no fpm use-next-hop-groups"])
def test_vpp_follows_zebra_past_its_end(router: World, groups: str) -> None:
    with running_zebra(router.namespace, f"{ZEBRA}{groups}\n", STATICD, *FPM) as routes:
        now = change(routes, router)
        wait_until(lambda: fpm_status(router).sweeps, TIMEOUT, "a sweep")
        routes.kill_all()
        wait_until(
            lambda: fpm_status(router).peer, TIMEOUT, "zebra gone", accept=lambda seen: seen is None
        )
        agree(router, now)
        routes.start("zebra", *FPM)
        routes.start("staticd")
        # It has what is in its file, and the rest goes once it has shown that.
        agree(router, FIRST)
        assert router.refused() == 0


def test_this_zebra_takes_no_results(router: World) -> None:
    """The one of Debian 12 reads and drops them: what results do is for a scripted zebra to see."""
    with running_zebra(router.namespace, ZEBRA, STATICD, *FPM) as routes:
        agree(router, FIRST)
        status = wait_until(
            lambda: fpm_status(router),
            TIMEOUT,
            "results",
            accept=lambda seen: seen.results["offload"] >= len(FIRST),
        )
        assert status.results["offload_failed"] == 0
        assert status.peer is not None, "they do it no harm"
        found = re.search(r"FRRouting (\d+)\.(\d+)", routes.vtysh("show version"))
        assert found is not None
        if tuple(map(int, found.groups())) >= (8, 5):
            pytest.skip("release: this zebra takes results")
