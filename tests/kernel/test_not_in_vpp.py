"""Routes that VPP cannot have: each is counted, and listed with the reason unless it is skipped."""

from __future__ import annotations

import pytest

from lab import wait_until
from oracle.world import World

from .agreement import TIMEOUT, do, vpp_has

pytestmark = pytest.mark.root

HELD = {
    "throw 198.51.100.0/24": "route_type",
    "throw 2001:db8:51::/48": "route_type",
    "203.0.113.0/24 dev lo": "no_interface",
    "2001:db8:113::/48 dev lo": "no_interface",
}
FROM = "2001:db8:7::/48 from 2001:db8:8::/48 via fd07::2 dev o0"


def test_what_vpp_cannot_have_is_counted_and_listed(router: World) -> None:
    """Types without counterpart, routes on the loopback; those for some sources are skipped."""
    do(router, f"-6 route add {FROM} proto 12")
    for route in HELD:
        do(router, f"-{6 if '::' in route else 4} route add {route} proto 12")
    wait_until(
        lambda: router.engine.status().held_routes,
        TIMEOUT,
        "they are held",
        accept=lambda held: held == {"route_type": 2, "no_interface": 2},
    )
    assert router.engine.status().skipped["source_specific"] == 1
    views = router.engine.routes(0, 1 << 16)[0]
    listed = {view.prefix: view.reason for view in views if view.protocol == 12}
    prefixes = {route.split()["throw" in route]: reason for route, reason in HELD.items()}
    assert listed.keys() == prefixes.keys()
    for prefix, reason in prefixes.items():
        assert WORDS[reason] in str(listed[prefix])
    vpp_has(router, 0)


WORDS = {"route_type": "counterpart", "no_interface": "interface"}
