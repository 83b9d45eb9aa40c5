"""Where the laboratory could let other tests pass that should fail, or leave something behind."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lab import (
    ConditionNotMet,
    Namespace,
    NextHop,
    RouteKey,
    connect,
    ip_batch,
    namespace,
    read_forwarding,
    read_routes,
    wait_until,
)
from lab.kernel import MAIN
from lab.netns import run

MakeNamespace = Callable[[str], Namespace]


def test_waiting_in_vain_shows_the_last_state() -> None:
    with pytest.raises(ConditionNotMet, match=r"routes gone: not within 0 s; last seen: \[7\]"):
        wait_until(lambda: [7], 0, "routes gone", accept=lambda seen: not seen)


@pytest.mark.root
def test_a_namespace_is_gone_with_what_ran_in_it(make_namespace: MakeNamespace) -> None:
    other = make_namespace("other")
    with namespace("short") as short:
        sleeper = short.start("sleep", "600")
        wait_until(short.processes, 5, "the process in it")
        assert other.processes() == []
    assert sleeper.wait(5) == -9
    assert short.name not in run("ip", "netns", "list")
    assert other.name in run("ip", "netns", "list")


@pytest.mark.root
def test_every_kind_of_route_is_read(make_namespace: MakeNamespace) -> None:
    here, peer = make_namespace("here"), make_namespace("peer")
    connect(here, peer, "wire", ["192.0.2.1/24", "fd00::1/64"])
    next_hops = "nexthop via fd00::8 dev wire nexthop via fd00::9 dev wire weight 2"
    ip_batch(
        here,
        [
            "route add default via 192.0.2.9 proto 12",
            "route add 10.1.0.1 via 192.0.2.9 metric 5 proto 12",
            "route add 10.1.0.1 via 192.0.2.8 metric 4 proto 12",
            "route add 10.2.0.0/16 proto 12 nexthop via 192.0.2.8 weight 3 nexthop via 192.0.2.9",
            "route add 10.3.0.0/16 via inet6 fe80::9 dev wire proto 12",
            "route add 10.4.0.0/16 dev wire proto 12",
            "route add blackhole 10.5.0.0/16 proto 12",
            "route add 10.6.0.0/16 via 192.0.2.9 table 1000 proto 12",
            "route add default via fd00::9 proto 12",
            "route add unreachable 2001:db8:1::/48 proto 12",
            f"route add 2001:db8:2::1 proto 12 {next_hops}",
            "route add 10.7.0.0/16 via 192.0.2.9 proto 4",
        ],
    )

    def via(*next_hops: NextHop) -> frozenset[NextHop]:
        return frozenset(next_hops)

    assert read_forwarding(here, table="all") == {
        RouteKey(4, MAIN, "0.0.0.0/0"): via(NextHop("192.0.2.9", "wire")),
        RouteKey(4, MAIN, "10.1.0.1/32"): via(NextHop("192.0.2.8", "wire")),
        RouteKey(4, MAIN, "10.2.0.0/16"): via(
            NextHop("192.0.2.8", "wire", 3), NextHop("192.0.2.9", "wire")
        ),
        RouteKey(4, MAIN, "10.3.0.0/16"): via(NextHop("fe80::9", "wire")),
        RouteKey(4, MAIN, "10.4.0.0/16"): via(NextHop(None, "wire")),
        RouteKey(4, MAIN, "10.5.0.0/16"): "blackhole",
        RouteKey(4, 1000, "10.6.0.0/16"): via(NextHop("192.0.2.9", "wire")),
        RouteKey(6, MAIN, "::/0"): via(NextHop("fd00::9", "wire")),
        RouteKey(6, MAIN, "2001:db8:1::/48"): "unreachable",
        RouteKey(6, MAIN, "2001:db8:2::1/128"): via(
            NextHop("fd00::8", "wire"), NextHop("fd00::9", "wire", 2)
        ),
    }
    metrics = [r.metric for r in read_routes(here) if r.key.prefix == "10.1.0.1/32"]
    assert metrics == [4, 5]


@pytest.mark.root
def test_a_batch_that_fails_says_at_which_route(make_namespace: MakeNamespace) -> None:
    here = make_namespace("here")
    with pytest.raises(RuntimeError, match="Command failed -:2"):
        ip_batch(here, ["route add blackhole 10.0.0.0/8", "route add 10.1.0.0/16 via 192.0.2.1"])
