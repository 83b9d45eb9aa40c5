"""The kernel's own answers find what the table has wrong."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

import pytest

from bgpreflector import _core
from lab import Namespace, ip_batch

from .following import LINK, following, with_link

pytestmark = pytest.mark.root

ROUTES = {"30.0.1.0/24": "10.0.0.2", "30.0.2.0/24": "10.0.0.2", "2001:db8:1::/48": "fd00::2"}
GONE = "30.0.3.0/24"
MAIN, INDEX = 254, 1


def install(engine: _core.Engine, prefix: str, gateway: str) -> None:
    """Records a route as installed in VPP."""
    address = ip_address(gateway)
    labels: list[int] = []
    path = (0, int(address.version == 6), address, INDEX, 0, 1, 0, labels)
    assert engine.adopt_route(0, prefix, [path])


def verdicts(engine: _core.Engine, *prefixes: str) -> dict[str, str]:
    """What comes of the kernel's answers."""
    checked = engine.check_lookups([(MAIN, prefix) for prefix in prefixes])
    return {one.prefix: one.verdict for one in checked}


def test_a_table_that_is_wrong_is_found(make_namespace: Callable[[str], Namespace]) -> None:
    """VPP has what the table has, and the kernel forwards otherwise, or not at all."""
    kernel = make_namespace("judgement")
    with_link(kernel)
    ip_batch(kernel, [f"route add {p} via {g} proto 12 metric 32" for p, g in ROUTES.items()])
    with following(kernel) as engine:
        (index,) = [i for i, name, _ in engine.links() if name == LINK]
        for prefix, gateway in ROUTES.items():
            install(engine, prefix, gateway)
        assert verdicts(engine, *ROUTES) == dict.fromkeys(ROUTES, "same")
        assert {prefix for _, prefix in engine.sample_installed(10, 0)} == set(ROUTES)
        assert len(engine.sample_installed(1, 1)) == 1
        # The table takes other next hops for the kernel's, and a route that it has not.
        wrong = [("30.0.2.0/24", "10.0.0.3"), (GONE, "10.0.0.2"), ("2001:db8:1::/48", "fd00::3")]
        for prefix, gateway in wrong:
            hops = [(ip_address(gateway), index, 1)]
            if prefix in ROUTES:
                right = [(ip_address(ROUTES[prefix]), index, 1)]
                engine.withdraw(MAIN, prefix, right, protocol=12, metric=32)
            engine.announce(MAIN, prefix, hops, protocol=12, metric=32)
            install(engine, prefix, gateway)
        found = verdicts(engine, *ROUTES, GONE)
        assert found == {prefix: "different" for prefix, _ in wrong} | {"30.0.1.0/24": "same"}
        # A longer prefix is in the way of all that could be asked for.
        lines = [f"route add 30.0.1.{n}/32 via 10.0.0.9 proto 4" for n in (0, 128, 255)]
        ip_batch(kernel, lines)
        assert verdicts(engine, "30.0.1.0/24") == {"30.0.1.0/24": "unknown"}
        rule = "rule add to 30.0.2.0/24 lookup 77"
        ip_batch(kernel, [rule, f"route add 30.0.2.0/24 dev {LINK} table 77"])
        assert verdicts(engine, "30.0.2.0/24") == {"30.0.2.0/24": "other_route"}
