"""What the kernel says when a route is replaced by, or stands beside, others of its key."""

from __future__ import annotations

import pytest

from oracle.world import World

from .agreement import FAMILIES, FOREIGN, OWN, V4, V6, add_route, agreed, do, hop, via
from .rtnetlink import (
    DELROUTE,
    NEWROUTE,
    NLM_F_APPEND,
    NLM_F_REPLACE,
    RTA_OIF,
    Listener,
)

pytestmark = pytest.mark.root

LOOPBACK = 1
"""The index of ``lo`` in every namespace."""


def test_a_v4_replacement_is_one_announcement(router: World, listener: Listener) -> None:
    """NLM_F_REPLACE, and no DELROUTE for what was there."""
    add_route(router, 4)
    listener.heard()
    do(router, f"-4 route replace {V4} {OWN} {via(4, 1)}")
    (message,) = listener.routes(4)
    assert message.kind == NEWROUTE
    assert message.flags & NLM_F_REPLACE
    agreed(router, {V4: [hop(4, 1)]})


def test_an_identical_v4_replacement_says_nothing(router: World, listener: Listener) -> None:
    """The route stays as it is."""
    add_route(router, 4)
    listener.heard()
    requests = router.simulator.statistics()["route_requests"]
    do(router, f"-4 route replace {V4} {OWN} {via(4, 0)}")
    assert listener.heard() == []
    agreed(router, {V4: [hop(4, 0)]})
    assert router.simulator.statistics()["route_requests"] == requests


@pytest.mark.parametrize("family", FAMILIES)
def test_a_foreign_replacement_takes_ours_away(
    router: World, listener: Listener, family: int
) -> None:
    """It is announced under the other protocol alone: who filters by it keeps a stale one."""
    prefix = add_route(router, family)
    listener.heard()
    do(router, f"-{family} route replace {prefix} {FOREIGN} {via(family, 1)}")
    assert [(m.kind, m.protocol) for m in listener.routes(family)] == [(NEWROUTE, 4)]
    agreed(router, {})
    do(router, f"-{family} route replace {prefix} {OWN} {via(family, 2)}")
    agreed(router, {prefix: [hop(family, 2)]})


def test_v4_appended_routes_wait_in_order(router: World, listener: Listener) -> None:
    """The first of a key wins; the next one takes over when it goes."""
    do(router, f"-4 route add {V4} {OWN} {via(4, 0)}")
    listener.heard()
    do(router, f"-4 route append {V4} {OWN} {via(4, 1)}")
    (message,) = listener.routes(4)
    assert message.flags & NLM_F_APPEND
    do(router, f"-4 route append {V4} {OWN} {via(4, 2)}")
    agreed(router, {V4: [hop(4, 0)]})
    for gone, left in ((0, 1), (1, 2)):
        do(router, f"-4 route del {V4} {via(4, gone)}")
        agreed(router, {V4: [hop(4, left)]})


def test_a_v4_replacement_leaves_what_was_appended(router: World) -> None:
    """It takes the place of the first; the others stay behind it."""
    do(router, f"-4 route add {V4} {OWN} {via(4, 0)}")
    do(router, f"-4 route append {V4} {OWN} {via(4, 1)}")
    do(router, f"-4 route replace {V4} {OWN} {via(4, 2)}")
    agreed(router, {V4: [hop(4, 2)]})
    do(router, f"-4 route del {V4} {via(4, 2)}")
    agreed(router, {V4: [hop(4, 1)]})


def test_a_v4_route_that_is_prepended_wins(router: World, listener: Listener) -> None:
    """Neither NLM_F_REPLACE nor NLM_F_APPEND: it stands before the others."""
    do(router, f"-4 route add {V4} {OWN} {via(4, 0)}")
    listener.heard()
    do(router, f"-4 route prepend {V4} {OWN} {via(4, 1)}")
    (message,) = listener.routes(4)
    assert not message.flags & (NLM_F_REPLACE | NLM_F_APPEND)
    agreed(router, {V4: [hop(4, 1)]})
    do(router, f"-4 route del {V4} {via(4, 1)}")
    agreed(router, {V4: [hop(4, 0)]})


def test_a_foreign_v4_route_in_front_hides_ours(router: World) -> None:
    """And ours comes back when it goes, though nothing is said of ours."""
    add_route(router, 4)
    do(router, f"-4 route prepend {V4} {FOREIGN} {via(4, 1)}")
    agreed(router, {})
    do(router, f"-4 route del {V4} {FOREIGN}")
    agreed(router, {V4: [hop(4, 0)]})


@pytest.mark.parametrize("verb", ["append", "prepend"])
def test_a_v6_next_hop_more_announces_the_whole_set(
    router: World, listener: Listener, verb: str
) -> None:
    """One NEWROUTE with all next hops, in the place of what was known of the route."""
    add_route(router, 6)
    listener.heard()
    do(router, f"-6 route {verb} {V6} {OWN} {via(6, 1)}")
    (message,) = listener.routes(6)
    assert message.kind == NEWROUTE
    assert sorted(message.gateways) == ["fd07:1::2", "fd07::2"]
    agreed(router, {V6: [hop(6, 1), hop(6, 0)]})


def test_a_v6_route_of_many_next_hops_is_one_announcement(
    router: World, listener: Listener
) -> None:
    """Not one a next hop."""
    next_hops = " ".join(f"nexthop {via(6, link)} weight {link + 1}" for link in range(3))
    do(router, f"-6 route add {V6} {OWN} {next_hops}")
    (message,) = listener.routes(6)
    assert len(message.gateways) == 3
    agreed(router, {V6: sorted(hop(6, link, weight=link + 1) for link in range(3))})


@pytest.mark.parametrize(
    ("kind", "meaning"),
    [
        (via(6, 1), [hop(6, 1)]),
        ("dev o1", [("", "o1", 1)]),
        ("unreachable", "unreachable"),
        ("blackhole", "blackhole"),
        ("prohibit", "prohibit"),
    ],
)
def test_a_v6_replacement_of_any_kind(
    router: World, listener: Listener, kind: str, meaning: str | list[tuple[str, str, int]]
) -> None:
    """By and of each kind of route: one announcement with NLM_F_REPLACE."""
    new = f"{kind} {V6}" if isinstance(meaning, str) else f"{V6} {kind}"
    old = f"{V6} {via(6, 0)}" if isinstance(meaning, str) or "dev" not in kind else f"{V6} dev o0"
    do(router, f"-6 route add {old} {OWN}")
    agreed(router, {V6: [hop(6, 0)] if "via" in old else [("", "o0", 1)]})
    listener.heard()
    do(router, f"-6 route replace {new} {OWN}")
    (message,) = listener.routes(6)
    assert message.kind == NEWROUTE
    assert message.flags & NLM_F_REPLACE
    agreed(router, {V6: meaning})
    do(router, f"-6 route replace {V6} {OWN} {via(6, 2)}")
    agreed(router, {V6: [hop(6, 2)]})


def test_a_v6_route_without_a_gateway_is_deleted_and_added(
    router: World, listener: Listener
) -> None:
    """As BIRD changes such a route: two messages, and never two routes."""
    do(router, f"-6 route add {V6} {OWN} dev o0")
    agreed(router, {V6: [("", "o0", 1)]})
    listener.heard()
    do(router, f"-6 route del {V6} {OWN}", f"-6 route add {V6} {OWN} dev o1")
    assert [message.kind for message in listener.routes(6)] == [DELROUTE, NEWROUTE]
    agreed(router, {V6: [("", "o1", 1)]})


def test_a_v6_unreachable_route_names_the_loopback(router: World, listener: Listener) -> None:
    """The interface is no next hop: the route is unreachable all the same."""
    do(router, f"-6 route add unreachable {V6} {OWN}")
    (message,) = listener.routes(6)
    assert int.from_bytes(message.attributes[RTA_OIF], "little") == LOOPBACK
    agreed(router, {V6: "unreachable"})
