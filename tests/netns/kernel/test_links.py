"""What links take with them without a message about a route."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import ip_batch, wait_until
from oracle.world import World, world

from .agreement import (
    FAMILIES,
    OWN,
    PREFIX,
    TIMEOUT,
    V4,
    V6,
    add_route,
    agreed,
    do,
    drifted,
    hop,
    refused,
    via,
    vpp_has,
)
from .rtnetlink import DELROUTE, Listener, listening

pytestmark = pytest.mark.root


@pytest.fixture(params=[0, 1], ids=["notifying", "skip_notify_on_dev_down"])
def skips(request: pytest.FixtureRequest) -> bool:
    """Whether IPv6 says nothing of the routes that go with a link."""
    return bool(request.param)


@pytest.fixture
def router(skips: bool) -> Iterator[World]:
    """One with that setting."""
    with world((f"net.ipv6.route.skip_notify_on_dev_down={int(skips)}",)) as made:
        yield made


def next_hops(family: int) -> str:
    """A route with a next hop through each of two links."""
    return f"nexthop {via(family, 0)} nexthop {via(family, 1)}"


def test_v4_routes_go_with_their_link_without_a_message(router: World, listener: Listener) -> None:
    """No DELROUTE; and BIRD's own deletion, later, finds nothing and is not announced either."""
    other = "198.18.1.0/24"
    do(router, f"-4 route add {V4} {OWN} {via(4, 0)}", f"-4 route add {other} {OWN} {via(4, 1)}")
    agreed(router, {V4: [hop(4, 0)], other: [hop(4, 1)]})
    listener.heard()
    do(router, "link set o0 down")
    assert listener.routes(4) == []
    agreed(router, {other: [hop(4, 1)]})
    assert refused(router, f"-4 route del {V4} {OWN}")
    assert listener.routes(4) == []


def test_v4_routes_do_not_come_back_with_their_link(router: World) -> None:
    """BIRD has to install them again."""
    add_route(router, 4)
    do(router, "link set o0 down")
    agreed(router, {})
    do(router, "link set o0 up")
    other = "198.18.1.0/24"
    do(router, f"-4 route add {other} {OWN} {via(4, 0)}")
    agreed(router, {other: [hop(4, 0)]})
    do(router, f"-4 route add {V4} {OWN} {via(4, 0)}")
    agreed(router, {V4: [hop(4, 0)], other: [hop(4, 0)]})


def test_a_v4_next_hop_dies_and_revives_without_a_message(
    router: World, listener: Listener
) -> None:
    """With its link; the route stays as long as one next hop lives."""
    do(router, f"-4 route add {V4} {OWN} {next_hops(4)}")
    both = [hop(4, 0), hop(4, 1)]
    agreed(router, {V4: both})
    listener.heard()
    do(router, "link set o1 down")
    agreed(router, {V4: [hop(4, 0)]})
    do(router, "link set o1 up")
    agreed(router, {V4: both})
    assert listener.routes(4) == []
    do(router, "link set o0 down", "link set o1 down")
    agreed(router, {})
    assert listener.routes(4) == []


def test_v6_routes_go_with_their_link(router: World, listener: Listener, skips: bool) -> None:
    """With a DELROUTE, unless the kernel is configured to skip it."""
    other = "2001:db8:2::/48"
    do(router, f"-6 route add {V6} {OWN} {via(6, 0)}", f"-6 route add {other} {OWN} {via(6, 1)}")
    agreed(router, {V6: [hop(6, 0)], other: [hop(6, 1)]})
    listener.heard()
    do(router, "link set o0 down")
    assert [message.kind for message in listener.routes(6)] == ([] if skips else [DELROUTE])
    agreed(router, {other: [hop(6, 1)]})


def test_a_v6_next_hop_dies_and_revives_without_a_message(
    router: World, listener: Listener
) -> None:
    """With or without the setting; the last one takes the route with it."""
    do(router, f"-6 route add {V6} {OWN} {next_hops(6)}")
    both = sorted((hop(6, 0), hop(6, 1)))
    agreed(router, {V6: both})
    listener.heard()
    do(router, "link set o1 down")
    assert listener.routes(6) == []
    agreed(router, {V6: [hop(6, 0)]})
    do(router, "link set o1 up")
    assert listener.routes(6) == []
    agreed(router, {V6: both})
    do(router, "link set o0 down", "link set o1 down")
    agreed(router, {})


@pytest.mark.parametrize("family", FAMILIES)
def test_a_lost_carrier_leaves_ordinary_routes(
    router: World, listener: Listener, family: int
) -> None:
    """They stay without a message, flagged RTNH_F_LINKDOWN, and are still forwarded by."""
    prefix = add_route(router, family)
    listener.heard()
    requests = router.simulator.statistics()["route_requests"]
    do(router, "link set o0p down")
    wait_until(
        lambda: [r["flags"] for r in router.ip.routes(family) if r["dst"] == prefix],
        TIMEOUT,
        "the kernel notices",
        accept=lambda flags: flags == [["linkdown"]],
    )
    agreed(router, {prefix: [hop(family, 0)]})
    do(router, "link set o0p up")
    agreed(router, {prefix: [hop(family, 0)]})
    assert listener.routes(family) == []
    assert not drifted(router)
    assert router.simulator.statistics()["route_requests"] == requests


@pytest.mark.parametrize("family", FAMILIES)
def test_a_lost_carrier_takes_routes_by_object(
    router: World, listener: Listener, family: int, skips: bool
) -> None:
    """IPv4 in silence, IPv6 with DELROUTE."""
    prefix = PREFIX[family]
    do(router, f"nexthop add id 7 {via(family, 0)}")
    do(router, f"-{family} route add {prefix} {OWN} nhid 7")
    agreed(router, {prefix: [hop(family, 0)]})
    listener.heard()
    do(router, "link set o0p down")
    agreed(router, {})
    gone = [message.kind for message in listener.routes(family)]
    assert gone == ([] if family == 4 else [DELROUTE])


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("index", ["index 10", ""], ids=["same", "other"])
def test_a_link_made_again_is_another_link(router: World, family: int, index: str) -> None:
    """Under its old name, with its old index or another one: its routes are gone with the old."""
    prefix = add_route(router, family)
    do(
        router,
        "link del o0",
        f"link add o0 {index} type veth peer name o0p",
        "link set o0p up",
        "link set o0 up",
        "addr add 10.7.0.1/24 dev o0",
        "addr add fd07:0::1/64 dev o0 nodad",
    )
    router.ip.close()
    agreed(router, {})
    do(router, f"-{family} route add {prefix} {OWN} {via(family, 0, 3)}")
    agreed(router, {prefix: [hop(family, 0, 3)]})


def test_ten_thousand_v4_routes_go_at_once(router: World) -> None:
    """The kernel needs one message, the link's, for all of them."""
    lines = [
        f"route add 10.{n >> 8}.{n & 255}.0/24 {OWN} {via(4, n % 2)}" for n in range(8192, 18192)
    ]
    ip_batch(router.namespace, lines)
    with listening(router.namespace) as listener:
        vpp_has(router, 10_000)
        do(router, "link set o0 down")
        vpp_has(router, 5_000)
        assert listener.routes(4) == []
    assert not drifted(router)
