"""What makes two routes of a prefix two, and what a route can be."""

from __future__ import annotations

import pytest

from oracle.expected import Meaning
from oracle.world import World

from .agreement import FAMILIES, FOREIGN, OWN, PREFIX, V4, V6, agreed, do, drifted, hop, via
from .rtnetlink import RTA_DST, RTA_TABLE, Listener

pytestmark = pytest.mark.root

RT_TABLE_COMPAT = 252
DEFAULT = {4: "0.0.0.0/0", 6: "::/0"}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_other_metric_takes_over(router: World, family: int) -> None:
    """The lowest forwards, whichever came first."""
    prefix = PREFIX[family]
    for metric, link in ((20, 0), (10, 1), (30, 2)):
        do(router, f"-{family} route add {prefix} {OWN} metric {metric} {via(family, link)}")
    agreed(router, {prefix: [hop(family, 1)]})
    do(router, f"-{family} route del {prefix} metric 10")
    agreed(router, {prefix: [hop(family, 0)]})
    do(router, f"-{family} route del {prefix} metric 30")
    agreed(router, {prefix: [hop(family, 0)]})
    do(router, f"-{family} route del {prefix} metric 20")
    agreed(router, {})


@pytest.mark.parametrize("family", FAMILIES)
def test_a_foreign_route_of_a_better_metric_hides_ours(router: World, family: int) -> None:
    """Until it goes; one of a worse metric hides nothing."""
    prefix = PREFIX[family]
    do(router, f"-{family} route add {prefix} {OWN} metric 20 {via(family, 0)}")
    do(router, f"-{family} route add {prefix} {FOREIGN} metric 30 {via(family, 1)}")
    agreed(router, {prefix: [hop(family, 0)]})
    do(router, f"-{family} route add {prefix} {FOREIGN} metric 10 {via(family, 1)}")
    agreed(router, {})
    do(router, f"-{family} route del {prefix} metric 10")
    agreed(router, {prefix: [hop(family, 0)]})


@pytest.mark.parametrize("family", FAMILIES)
def test_a_default_route_names_no_destination(
    router: World, listener: Listener, family: int
) -> None:
    """No RTA_DST at all, and the prefix is the whole of its family."""
    do(router, f"-{family} route add default {OWN} {via(family, 0)}")
    (message,) = listener.routes(family)
    assert RTA_DST not in message.attributes
    agreed(router, {DEFAULT[family]: [hop(family, 0)]})
    do(router, f"-{family} route del default {OWN}")
    agreed(router, {})


@pytest.mark.parametrize("family", FAMILIES)
def test_a_table_above_255_is_in_an_attribute(
    router: World, listener: Listener, family: int
) -> None:
    """``rtm_table`` says 252 (RT_TABLE_COMPAT); RTA_TABLE has the number."""
    prefix = PREFIX[family]
    do(router, f"-{family} route add {prefix} {OWN} table 1000 {via(family, 0)}")
    (message,) = listener.routes(family)
    assert message.table == RT_TABLE_COMPAT
    assert int.from_bytes(message.attributes[RTA_TABLE], "little") == 1000
    agreed(router, {prefix: [hop(family, 0)]}, table=1000)


def test_a_table_that_is_not_configured_is_left_alone(router: World) -> None:
    """Also 252 itself, which other tables are announced as."""
    for table in (252, 1001):
        do(router, f"-4 route add {V4} {OWN} table {table} {via(4, 0)}")
    do(router, f"-4 route add {V4} {OWN} table 1000 {via(4, 1)}")
    agreed(router, {V4: [hop(4, 1)]}, table=1000)


def test_the_type_of_service_is_a_part_of_the_v4_key(router: World) -> None:
    """A route for one TOS neither hides nor replaces the one for all, and is not mirrored."""
    do(router, f"-4 route add {V4} {OWN} {via(4, 0)}")
    do(router, f"-4 route replace {V4} {OWN} tos 8 {via(4, 1)}")
    agreed(router, {V4: [hop(4, 0)]})
    do(router, f"-4 route del {V4} {OWN}")
    agreed(router, {})
    do(router, f"-4 route add {V4} {OWN} {via(4, 2)}", f"-4 route del {V4} tos 8 {OWN}")
    agreed(router, {V4: [hop(4, 2)]})


@pytest.mark.parametrize(
    ("route", "prefix", "meaning"),
    [
        (f"-4 route add {V4} {OWN} via 192.0.2.9 dev o0 onlink", V4, [("192.0.2.9", "o0", 1)]),
        (
            f"-6 route add {V6} {OWN} via 2001:db8:9::9 dev o0 onlink",
            V6,
            [("2001:db8:9::9", "o0", 1)],
        ),
        (f"-4 route add {V4} {OWN} via inet6 fd07:1::3 dev o1", V4, [("fd07:1::3", "o1", 1)]),
        (f"-4 route add {V4} {OWN} via inet6 fe80::77 dev o1", V4, [("fe80::77", "o1", 1)]),
        (f"-6 route add {V6} {OWN} via fe80::77 dev o2", V6, [("fe80::77", "o2", 1)]),
        (f"-4 route add {V4} {OWN} dev o1", V4, [("", "o1", 1)]),
        (f"-6 route add {V6} {OWN} dev o1", V6, [("", "o1", 1)]),
        (f"-4 route add 198.18.7.7 {OWN} {via(4, 0)}", "198.18.7.7/32", [hop(4, 0)]),
        (f"-6 route add 2001:db8::7 {OWN} {via(6, 0)}", "2001:db8::7/128", [hop(6, 0)]),
        (f"-4 route add blackhole {V4} {OWN}", V4, "blackhole"),
        (f"-4 route add unreachable {V4} {OWN}", V4, "unreachable"),
        (f"-4 route add prohibit {V4} {OWN}", V4, "prohibit"),
    ],
)
def test_every_kind_of_route(router: World, route: str, prefix: str, meaning: Meaning) -> None:
    """Comes as it is and goes again; a dump reads it as the notification did."""
    do(router, route)
    agreed(router, {prefix: meaning})
    assert not drifted(router)
    do(router, route.replace(" add ", " del "))
    agreed(router, {})


def test_weights_and_equal_next_hops(router: World) -> None:
    """Next hops that are one path in VPP add up; the others keep their weights."""
    next_hops = (
        f"nexthop {via(4, 0)} weight 3 nexthop {via(4, 0)} weight 4 nexthop {via(4, 1)} weight 2"
    )
    do(router, f"-4 route add {V4} {OWN} {next_hops}")
    agreed(router, {V4: [hop(4, 0, weight=7), hop(4, 1, weight=2)]})


@pytest.mark.parametrize("table", [254, 1000])
def test_a_flush_takes_what_it_names(router: World, table: int) -> None:
    """One DELROUTE a route; routes of other protocols stay and hide nothing."""
    do(router, *(f"-4 route add 198.18.{n}.0/24 {OWN} table {table} {via(4, 0)}" for n in range(9)))
    do(router, f"-4 route add 198.18.9.0/24 {FOREIGN} table {table} {via(4, 0)}")
    agreed(router, {f"198.18.{n}.0/24": [hop(4, 0)] for n in range(9)}, table)
    do(router, f"-4 route flush table {table} proto 12")
    agreed(router, {})
    do(router, f"-4 route replace 198.18.9.0/24 {OWN} table {table} {via(4, 1)}")
    agreed(router, {"198.18.9.0/24": [hop(4, 1)]}, table)
