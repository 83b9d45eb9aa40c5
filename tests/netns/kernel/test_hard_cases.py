"""Routes that the kernel tells apart and VPP does not, and others that are easily mistaken."""

from __future__ import annotations

import pytest

from oracle.world import World, world

from .agreement import FOREIGN, OWN, V4, V6, agreed, do, hop, via

pytestmark = pytest.mark.root


def test_a_v4_route_put_before_a_foreign_one_that_hid_its_like(router: World) -> None:
    """The new one forwards, though one with the same next hops stood behind already."""
    do(router, f"-4 route add {V4} {OWN} {via(4, 0)}")
    do(router, f"-4 route prepend {V4} {FOREIGN} {via(4, 1)}")
    agreed(router, {})
    do(router, f"-4 route prepend {V4} {OWN} mtu 1400 {via(4, 0)}")
    agreed(router, {V4: [hop(4, 0)]})


@pytest.mark.parametrize("first", [OWN, FOREIGN])
def test_v6_next_hops_of_two_protocols(router: World, first: str) -> None:
    """IPv6 merges them and announces the whole under the first one's protocol; when that one goes,
    DELROUTE names it alone, and the route is the other protocol's from then on."""
    second = FOREIGN if first == OWN else OWN
    do(router, f"-6 route add {V6} {first} {via(6, 0)}")
    do(router, f"-6 route append {V6} {second} {via(6, 1)}")
    agreed(router, {V6: sorted((hop(6, 0), hop(6, 1)))} if first == OWN else {})
    do(router, f"-6 route del {V6} {via(6, 0)}")
    agreed(router, {V6: [hop(6, 1)]} if second == OWN else {})


@pytest.mark.parametrize("special", ["prohibit", "unreachable"])
def test_a_v6_replacement_by_what_stands_behind(router: World, special: str) -> None:
    """The first goes, though the same route as the new one is in the list already."""
    do(router, f"-6 route add {V6} {OWN} dev o2")
    do(router, f"-6 route append {special} {V6} {OWN}")
    agreed(router, {V6: [("", "o2", 1)]})
    do(router, f"-6 route replace {special} {V6} {OWN}")
    agreed(router, {V6: special})
    do(router, f"-6 route del {special} {V6} {OWN}")
    agreed(router, {V6: special})
    do(router, f"-6 route del {special} {V6} {OWN}")
    agreed(router, {})


def test_a_dump_of_one_interface_keeps_the_order(router: World) -> None:
    """An address that goes changes a next hop of the first route, which stays the first."""
    next_hops = f"nexthop {via(4, 1, 3)} nexthop {via(4, 0, 3)}"
    do(
        router,
        f"-4 route add {V4} {FOREIGN} {next_hops}",
        f"-4 route append {V4} {OWN} {via(4, 2)}",
    )
    agreed(router, {})
    resyncs = router.resyncs()
    do(router, "addr del 10.7.0.1/24 dev o0")
    router.wait_for_resync(resyncs, 0.5)
    agreed(router, {})


@pytest.mark.parametrize("verb", ["append", "prepend"])
def test_an_audit_does_not_mind_the_order_of_next_hops(router: World, verb: str) -> None:
    """IPv6 announces the next hop that was added first, and dumps it last."""
    do(router, f"-6 route add {V6} {OWN} {via(6, 0)}", f"-6 route {verb} {V6} {OWN} {via(6, 1)}")
    agreed(router, {V6: sorted((hop(6, 0), hop(6, 1)))})
    assert router.engine.audit().drifted == []


@pytest.mark.parametrize("skips", [0, 1])
@pytest.mark.parametrize("special", ["unreachable", "prohibit", "blackhole"])
def test_v6_routes_without_next_hops_go_with_the_loopback(skips: int, special: str) -> None:
    """They are routes through ``lo`` to the kernel."""
    with world((f"net.ipv6.route.skip_notify_on_dev_down={skips}",)) as router:
        do(router, f"-6 route add {special} {V6} {OWN}")
        agreed(router, {V6: special})
        do(router, "link set lo down")
        agreed(router, {})
