"""What the kernel says when a route, or a part of one, is deleted."""

from __future__ import annotations

import pytest

from oracle.world import World

from .agreement import OWN, V4, V6, agreed, do, hop, refused, via
from .rtnetlink import DELROUTE, RTA_DST, Listener

pytestmark = pytest.mark.root

NEXT_HOPS = " ".join(f"nexthop {via(6, link)}" for link in range(3))


@pytest.fixture
def multipath(router: World, listener: Listener) -> World:
    """A router with an IPv6 route of three next hops."""
    do(router, f"-6 route add {V6} {OWN} {NEXT_HOPS}")
    agreed(router, {V6: sorted(hop(6, link) for link in range(3))})
    listener.heard()
    return router


def test_a_v6_next_hop_goes_alone(multipath: World, listener: Listener) -> None:
    """DELROUTE names only that next hop, and nothing announces those that live on."""
    do(multipath, f"-6 route del {V6} {via(6, 0)}")
    (message,) = listener.routes(6)
    assert (message.kind, message.gateways) == (DELROUTE, ["fd07::2"])
    agreed(multipath, {V6: [hop(6, 1), hop(6, 2)]})
    do(multipath, f"-6 route del {V6} {via(6, 1)}", f"-6 route del {V6} {via(6, 2)}")
    agreed(multipath, {})


def test_a_v6_deletion_without_gateways_takes_all_next_hops(
    multipath: World, listener: Listener
) -> None:
    """One DELROUTE with all of them. BIRD deletes so."""
    do(multipath, f"-6 route del {V6} {OWN}")
    (message,) = listener.routes(6)
    assert message.kind == DELROUTE
    assert len(message.gateways) == 3
    agreed(multipath, {})


def test_a_v6_deletion_of_listed_next_hops_is_one_message_a_next_hop(
    multipath: World, listener: Listener
) -> None:
    """Two of three go; the third one stays."""
    do(multipath, f"-6 route del {V6} nexthop {via(6, 0)} nexthop {via(6, 2)}")
    assert [(m.kind, m.gateways) for m in listener.routes(6)] == [
        (DELROUTE, ["fd07::2"]),
        (DELROUTE, ["fd07:2::2"]),
    ]
    agreed(multipath, {V6: [hop(6, 1)]})


def test_a_v6_next_hop_that_was_never_there_takes_nothing(
    multipath: World, listener: Listener
) -> None:
    """It is refused and nothing is said."""
    assert refused(multipath, f"-6 route del {V6} {via(6, 0, 3)}")
    assert listener.heard() == []
    agreed(multipath, {V6: sorted(hop(6, link) for link in range(3))})


def test_a_removed_source_address_takes_v4_routes_that_prefer_it(
    router: World, listener: Listener
) -> None:
    """Here a DELROUTE is sent; a route without RTA_PREFSRC stays."""
    do(router, "addr add 192.0.2.1/32 dev o0")
    other = "198.18.1.0/24"
    do(router, f"-4 route add {V4} {OWN} {via(4, 0)} src 192.0.2.1")
    do(router, f"-4 route add {other} {OWN} {via(4, 0)}")
    agreed(router, {V4: [hop(4, 0)], other: [hop(4, 0)]})
    listener.heard()
    do(router, "addr del 192.0.2.1/32 dev o0")
    gone = [m for m in listener.routes(4) if m.kind == DELROUTE and m.protocol == 12]
    assert [message.attributes[RTA_DST] for message in gone] == [bytes((198, 18, 0, 0))]
    agreed(router, {other: [hop(4, 0)]})
