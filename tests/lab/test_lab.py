"""The laboratory itself does what later tests rely on."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from lab import (
    BgpPair,
    ConditionNotMet,
    Namespace,
    NextHop,
    RouteKey,
    connect,
    ip_batch,
    prefixes,
    read_forwarding,
    read_routes,
    wait_until,
)
from lab.kernel import BIRD, MAIN
from lab.netns import run

COUNT = 10_000

MakeNamespace = Callable[[str], Namespace]


def test_waiting_returns_what_was_accepted() -> None:
    seen = iter(range(10))
    assert wait_until(lambda: next(seen), 5, "three", accept=lambda n: n == 3, interval=0) == 3


def test_waiting_in_vain_shows_the_last_state() -> None:
    with pytest.raises(ConditionNotMet, match=r"routes gone: not within 0 s; last seen: \[7\]"):
        wait_until(lambda: [7], 0, "routes gone", accept=lambda seen: not seen)


def test_prefixes_of_a_smaller_count_come_first() -> None:
    assert prefixes(4, 2) == ["10.0.0.0/28", "10.0.0.16/28"]
    assert prefixes(6, 2) == ["2001:db8::/64", "2001:db8:0:1::/64"]
    assert prefixes(4, 3, first=1) == prefixes(4, 4)[1:]
    assert len(set(prefixes(4, 1_048_576))) == 1_048_576
    with pytest.raises(ValueError, match="1048576"):
        prefixes(4, 1_048_577)


@pytest.mark.root
def test_a_namespace_is_gone_with_what_ran_in_it(make_namespace: MakeNamespace) -> None:
    from lab import namespace  # noqa: PLC0415 - beside the fixture, to see one end

    other = make_namespace("other")
    with namespace("short") as short:
        sleeper = short.start("sleep", "600")
        wait_until(short.processes, 5, "the process in it")
        assert other.processes() == []
    assert sleeper.wait(5) == -9
    assert short.name not in run("ip", "netns", "list")
    assert other.name in run("ip", "netns", "list")


@pytest.mark.root
def test_a_thread_enters_a_namespace_and_the_caller_stays(make_namespace: MakeNamespace) -> None:
    inside = make_namespace("inside")
    before = socket.if_nameindex()
    assert inside.call(socket.if_nameindex) == [(1, "lo")]
    assert socket.if_nameindex() == before
    with pytest.raises(FileNotFoundError, match="no-such"):
        inside.sysctl("no-such", 1)


@pytest.mark.root
def test_namespaces_on_a_link_reach_each_other_at_once(make_namespace: MakeNamespace) -> None:
    left, right = make_namespace("left"), make_namespace("right")
    connect(
        left, right, "wire",
        ["192.0.2.1/24", "fd00::1/64"], ["192.0.2.2/24", "fd00::2/64"],
    )  # fmt: skip
    for family, address in ((socket.AF_INET, "192.0.2.2"), (socket.AF_INET6, "fd00::2")):
        listening = right.call(lambda f=family: socket.create_server(("", 5000), family=f))  # type: ignore[misc]
        with listening:
            client = left.call(
                lambda a=address: socket.create_connection((a, 5000), timeout=5)  # type: ignore[misc]
            )
            client.close()


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


@pytest.mark.root
@pytest.mark.bird
def test_the_kernel_follows_bgp(bgp_pair: BgpPair) -> None:
    bgp_pair.announce(COUNT)
    announced = bgp_pair.wait_kernel()
    assert len(announced) == 2 * COUNT
    assert bgp_pair.router.route_counts() == {"master4": COUNT, "master6": COUNT}

    routes = read_routes(bgp_pair.router.namespace, protocol=None)
    from_bird = [route for route in routes if route.key in announced]
    assert {(route.protocol, route.metric) for route in from_bird} == {(BIRD, 32)}

    bgp_pair.change_next_hop(11)
    changed = bgp_pair.wait_kernel()
    assert changed[RouteKey(4, MAIN, "10.0.0.0/28")] == frozenset(
        {NextHop("192.168.100.11", "uplink")}
    )

    bgp_pair.change_next_hop(11, 12, 13)
    several = bgp_pair.wait_kernel()
    assert len(several[RouteKey(6, MAIN, "2001:db8::/64")]) == 3

    bgp_pair.announce(COUNT // 2, hosts=[10])
    assert len(bgp_pair.wait_kernel()) == COUNT

    bgp_pair.withdraw()
    assert bgp_pair.wait_kernel() == {}


@pytest.mark.root
@pytest.mark.bird
def test_routes_outlive_a_killed_bird_and_follow_a_new_one(bgp_pair: BgpPair) -> None:
    bgp_pair.announce(COUNT)
    before = bgp_pair.wait_kernel()
    bgp_pair.kill()
    assert bgp_pair.router.pid is None
    assert bgp_pair.kernel() == before

    # What changes meanwhile has to be put right by the new one.
    bgp_pair.announce(COUNT // 2, hosts=[12])
    assert bgp_pair.kernel() == before
    bgp_pair.restart()
    bgp_pair.wait_kernel()

    bgp_pair.speaker.kill()
    wait_until(bgp_pair.kernel, 60, "routes of a dead speaker", accept=lambda left: not left)
    bgp_pair.speaker.start()
    bgp_pair.wait_established()
    bgp_pair.wait_kernel()

    bgp_pair.router.stop()
    assert bgp_pair.kernel() == {}
