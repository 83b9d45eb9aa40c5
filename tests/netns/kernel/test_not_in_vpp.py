"""Routes that VPP cannot have: each is counted, and listed with the reason."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bgpreflector import _core
from lab import wait_until
from oracle.world import World

from .agreement import TIMEOUT, do, vpp_has

pytestmark = pytest.mark.root

HELD = {
    "throw 198.51.100.0/24": "route_type",
    "throw 2001:db8:51::/48": "route_type",
    "203.0.113.0/24 dev lo": "no_interface",
    "2001:db8:113::/48 dev lo": "no_interface",
    "2001:db8:7::/48 from 2001:db8:8::/48 via fd07::2 dev o0": "source_specific",
}
WORDS = {
    "route_type": "counterpart",
    "no_interface": "interface",
    "source_specific": "from 2001:db8:8::/48 only",
}


def listed(router: World) -> dict[str, str]:
    """The reason for each prefix of ours, as ``show routes --held`` lists them."""
    listing = _core.RouteListing(router.engine, states=["held"])
    reasons: dict[str, str] = {}
    while (views := listing.next(1)) is not None:
        reasons |= {view.prefix: str(view.reason) for view in views if view.protocol == 12}
    return reasons


def are_held(router: World, counts: Mapping[str, int]) -> None:
    """Waits until so many are held, by reason."""
    wait_until(
        lambda: router.engine.status().held_routes,
        TIMEOUT,
        f"{counts} are held",
        accept=lambda held: held == counts,
    )


def test_what_vpp_cannot_have_is_counted_and_listed(router: World) -> None:
    """Types without counterpart, routes on the loopback, source-specific ones."""
    for route in HELD:
        do(router, f"-{6 if '::' in route else 4} route add {route} proto 12")
    are_held(router, {"route_type": 2, "no_interface": 2, "source_specific": 1})
    prefixes = {route.split()["throw" in route]: reason for route, reason in HELD.items()}
    found = listed(router)
    assert found.keys() == prefixes.keys()
    for prefix, reason in prefixes.items():
        assert WORDS[reason] in found[prefix]
    vpp_has(router, 0)


def test_what_is_for_some_sources_is_followed(router: World) -> None:
    """By notifications, by the dump of a new engine, and where the kernel says nothing."""
    prefix = "2001:db8:7::/48"
    route = f"-6 route add {prefix} proto 12 via fd07::2 dev o0"
    do(router, route, f"{route} from 2001:db8:8::/48", f"{route} from 2001:db8:9::/48")
    vpp_has(router, 1)
    are_held(router, {"source_specific": 2})
    router.stop()
    router.start()
    are_held(router, {"source_specific": 2})
    do(router, f"-6 route del {prefix} from 2001:db8:8::/48")
    are_held(router, {"source_specific": 1})
    assert listed(router) == {prefix: "it applies to packets from 2001:db8:9::/48 only"}
    vpp_has(router, 1)
    router.namespace.ip("link", "del", "o0")
    are_held(router, {})
