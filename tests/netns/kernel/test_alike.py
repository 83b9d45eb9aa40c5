"""What tells two routes of one key apart: identity in the table is the kernel's."""

from __future__ import annotations

import pytest

from bgpreflector import _core
from lab import wait_until

from .following import following
from .two_links import LINKS, TIMEOUT, TwoLinks

pytestmark = pytest.mark.root

V4 = "198.18.0.0/24"
KINDS = {
    "realm": "dev uplink realm 1|dev uplink realm 2",
    "realm of a gateway": "via 10.0.0.2 realm 1|via 10.0.0.2 realm 2",
    "realm of a next hop": "nexthop via 10.0.0.2 realm 1 nexthop via 10.9.0.2"
    "|nexthop via 10.0.0.2 realm 2 nexthop via 10.9.0.2",
    "weight of a next hop": "nexthop via 10.0.0.2 weight 1 nexthop via 10.9.0.2"
    "|nexthop via 10.0.0.2 weight 2 nexthop via 10.9.0.2",
    "order of the next hops": "nexthop via 10.0.0.2 nexthop via 10.9.0.2"
    "|nexthop via 10.9.0.2 nexthop via 10.0.0.2",
    "source": "dev uplink src 10.0.0.1|dev uplink src 10.9.0.1",
    "scope": "dev uplink scope link|dev uplink scope site",
    "onlink": "via 10.0.0.2 dev uplink|via 10.0.0.2 dev uplink onlink",
    "protocol": "via 10.0.0.2 proto 12|via 10.0.0.2 proto 4",
    "type": "blackhole|unreachable",
    "mtu": "via 10.0.0.2 mtu 1400|via 10.0.0.2 mtu 1300",
    "locked mtu": "via 10.0.0.2 mtu 1400|via 10.0.0.2 mtu lock 1400",
    "advmss": "via 10.0.0.2 advmss 1400|via 10.0.0.2 advmss 1300",
    "window": "via 10.0.0.2 window 1400|via 10.0.0.2 window 1300",
    "features": "via 10.0.0.2|via 10.0.0.2 features ecn",
    "congestion control": "via 10.0.0.2 congctl reno|via 10.0.0.2 congctl cubic",
    "family of the gateway": "via 10.0.0.2 dev uplink|via inet6 fd00::2 dev uplink",
    "encapsulation": "encap ip id 1 dst 10.0.0.9 dev uplink|encap ip id 2 dst 10.0.0.9 dev uplink",
    "kind of encapsulation": "dev uplink|encap ip id 2 dst 10.0.0.9 dev uplink",
    "segments": "encap seg6 mode encap segs fc00::1 dev uplink"
    "|encap seg6 mode encap segs fc00::2 dev uplink",
}
"""Pairs of IPv4 routes that the kernel holds beside each other under one key (`fib_find_info`)."""


@pytest.mark.parametrize("gone", [0, 1], ids=["first", "second"])
@pytest.mark.parametrize("kind", KINDS)
def test_two_routes_that_differ_in_one_thing_are_two(
    two_links: TwoLinks, kind: str, gone: int
) -> None:
    """Whichever goes, the other one stays, in the kernel's order."""
    route, protocol = _routes(kind)

    def shown() -> list[str]:
        listed = two_links.router.ip("-4", "-N", "-d", "route", "show", "exact", V4).splitlines()
        return [line for line in listed if not line.startswith("\t")]

    with following(two_links.router, interfaces=LINKS) as engine:
        _add_or_skip(two_links, kind, f"-4 route add {route[0]}")
        two_links.ip(f"-4 route append {route[1]}")
        assert len(shown()) == 2
        _held(engine, 2)
        two_links.ip(f"-4 route del {route[gone]}")
        assert len(shown()) == 1
        _held(engine, 1)
        (view,) = engine.routes_of(254, V4)
        assert view.protocol == protocol[1 - gone]
        assert engine.audit().drifted == []
        two_links.ip(f"-4 route del {route[1 - gone]}")
        _held(engine, 0)
        assert engine.status().anomalies["unknown_withdrawals"] == 0


def _routes(kind: str) -> tuple[list[str], list[int]]:
    texts = [_route(text) for text in KINDS[kind].split("|")]
    return texts, [4 if text.endswith("proto 4") else 12 for text in texts]


def _route(text: str) -> str:
    name, _, rest = text.partition(" ")
    whole = f"{V4} {text}" if rest else f"{name} {V4}"
    # `ip` reads a route's own attributes before its next hops.
    head, nexthop, next_hops = whole.partition(" nexthop ")
    return whole if " proto " in whole else f"{head} proto 12{nexthop}{next_hops}"


def _add_or_skip(two_links: TwoLinks, kind: str, line: str) -> None:
    try:
        two_links.ip(line)
    except RuntimeError as error:
        if "Operation not supported" in str(error) or "CONFIG_" in str(error):
            pytest.skip(f"kernel: it has no {kind}")
        raise


def _held(engine: _core.Engine, count: int) -> None:
    wait_until(
        lambda: engine.routes_of(254, V4),
        TIMEOUT,
        f"{count} routes",
        accept=lambda views: len(views) == count,
    )
