"""What next-hop objects change without a message about a route (``net.ipv4.nexthop_compat_mode``:
whether routes by an object are announced again when it changes, and carry its next hops)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oracle.world import World, world

from .agreement import FAMILIES, OWN, PREFIX, agreed, do, hop, via
from .rtnetlink import (
    DELNEXTHOP,
    DELROUTE,
    NEWNEXTHOP,
    NEWROUTE,
    RTA_GATEWAY,
    RTA_NH_ID,
    Listener,
)

pytestmark = pytest.mark.root


@pytest.fixture(params=[1, 0], ids=["compat", "ids_only"])
def compat(request: pytest.FixtureRequest) -> bool:
    """The setting."""
    return bool(request.param)


@pytest.fixture
def router(compat: bool) -> Iterator[World]:
    """One with that setting."""
    with world((f"net.ipv4.nexthop_compat_mode={int(compat)}",)) as made:
        yield made


@pytest.fixture(params=FAMILIES, ids=["v4", "v6"])
def family(request: pytest.FixtureRequest) -> int:
    """4 or 6."""
    return int(request.param)


def by_object(router: World, family: int) -> str:
    """Adds object 7, and a route by it; the route's prefix."""
    prefix = PREFIX[family]
    do(router, f"nexthop add id 7 {via(family, 0)}")
    do(router, f"-{family} route add {prefix} {OWN} nhid 7")
    agreed(router, {prefix: [hop(family, 0)]})
    return prefix


def by_group(router: World, family: int) -> str:
    """Adds objects 1 and 2, group 9 of them, and a route by it; the route's prefix."""
    prefix = PREFIX[family]
    for number in (1, 2):
        do(router, f"nexthop add id {number} {via(family, number)}")
    do(router, "nexthop add id 9 group 1,3/2,5")
    do(router, f"-{family} route add {prefix} {OWN} nhid 9")
    agreed(router, {prefix: [hop(family, 1, weight=3), hop(family, 2, weight=5)]})
    return prefix


def test_a_route_names_its_object(
    router: World, listener: Listener, family: int, compat: bool
) -> None:
    """Without the compatible mode it has RTA_NH_ID and no gateway."""
    by_object(router, family)
    (message,) = listener.routes(family)
    attributes = message.attributes
    assert RTA_NH_ID in attributes
    assert (RTA_GATEWAY in attributes) == compat


def test_a_replaced_object_changes_its_routes(
    router: World, listener: Listener, family: int, compat: bool
) -> None:
    """They are announced again in the compatible mode, and else not at all."""
    prefix = by_object(router, family)
    listener.heard()
    do(router, f"nexthop replace id 7 {via(family, 1)}")
    kinds = [message.kind for message in listener.heard()]
    assert kinds.count(NEWNEXTHOP) == 1
    assert kinds.count(NEWROUTE) == int(compat)
    agreed(router, {prefix: [hop(family, 1)]})


def test_an_object_becomes_a_blackhole(router: World, family: int) -> None:
    """And something else again."""
    prefix = by_object(router, family)
    do(router, f"-{family} nexthop replace id 7 blackhole")
    agreed(router, {prefix: "blackhole"})
    do(router, f"nexthop replace id 7 {via(family, 2)}")
    agreed(router, {prefix: [hop(family, 2)]})


def test_a_deleted_object_takes_its_routes(
    router: World, listener: Listener, family: int, compat: bool
) -> None:
    """Only IPv6 in the compatible mode says so with a DELROUTE."""
    by_object(router, family)
    listener.heard()
    do(router, "nexthop del id 7")
    heard = listener.heard()
    assert DELNEXTHOP in [message.kind for message in heard]
    gone = [m for m in heard if m.kind == DELROUTE and m.protocol == 12]
    assert len(gone) == int(family == 6 and compat)
    agreed(router, {})


def test_a_group_loses_a_member(
    router: World, listener: Listener, family: int, compat: bool
) -> None:
    """NEWNEXTHOP for the group; the routes are announced again, if at all, by no DELROUTE."""
    prefix = by_group(router, family)
    listener.heard()
    do(router, "nexthop del id 1")
    heard = listener.heard()
    assert DELROUTE not in [message.kind for message in heard]
    changed = [m.object_id for m in heard if m.kind == NEWNEXTHOP]
    assert 9 in changed
    if not compat:
        assert NEWROUTE not in [message.kind for message in heard]
    agreed(router, {prefix: [hop(family, 2)]})


def test_a_group_goes_with_its_last_member(router: World, family: int) -> None:
    """And its routes with it."""
    by_group(router, family)
    do(router, "nexthop del id 1", "nexthop del id 2")
    agreed(router, {})


def test_a_member_of_a_group_is_replaced(router: World, family: int) -> None:
    """The route by the group follows it."""
    prefix = by_group(router, family)
    do(router, f"nexthop replace id 1 {via(family, 0, 3)}")
    agreed(router, {prefix: sorted((hop(family, 0, 3, weight=3), hop(family, 2, weight=5)))})


def test_a_group_is_replaced(router: World, family: int) -> None:
    """By other members and weights."""
    prefix = by_group(router, family)
    do(router, f"nexthop add id 3 {via(family, 0)}", "nexthop replace id 9 group 3/2,4")
    agreed(router, {prefix: sorted((hop(family, 0), hop(family, 2, weight=4)))})


def test_a_route_from_object_to_gateway_and_back(router: World, family: int) -> None:
    """The same prefix by an object, by itself, and by an object again."""
    prefix = by_object(router, family)
    do(router, f"-{family} route replace {prefix} {OWN} {via(family, 2)}")
    agreed(router, {prefix: [hop(family, 2)]})
    do(router, "nexthop del id 7")
    agreed(router, {prefix: [hop(family, 2)]})
    do(router, f"nexthop add id 8 {via(family, 1)}")
    do(router, f"-{family} route replace {prefix} {OWN} nhid 8")
    agreed(router, {prefix: [hop(family, 1)]})


def test_a_link_takes_objects_and_their_routes(router: World, family: int) -> None:
    """A group keeps the members whose links live."""
    prefix = by_group(router, family)
    do(router, "link set o1 down")
    agreed(router, {prefix: [hop(family, 2)]})
    do(router, "link set o2 down")
    agreed(router, {})


def test_a_v4_route_by_an_object_with_a_v6_gateway(router: World) -> None:
    """Also in a group beside one with an IPv4 gateway."""
    prefix = PREFIX[4]
    do(router, f"nexthop add id 1 {via(6, 0)}", f"nexthop add id 2 {via(4, 1)}")
    do(router, f"-4 route add {prefix} {OWN} nhid 1")
    agreed(router, {prefix: [hop(6, 0)]})
    do(router, "nexthop add id 9 group 1/2", f"-4 route replace {prefix} {OWN} nhid 9")
    agreed(router, {prefix: sorted((hop(6, 0), hop(4, 1)))})
