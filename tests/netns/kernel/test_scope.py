"""What is mirrored, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lab import Namespace, ip_batch, wait_until

from .following import desired, following, with_link

pytestmark = pytest.mark.root

VIA = "via 10.0.0.2 proto 12"


def test_prefix_lists_decide_by_the_longest_match(
    make_namespace: Callable[[str], Namespace],
) -> None:
    """In the dump, and for what comes after it."""
    kernel = make_namespace("lists")
    with_link(kernel)
    rules = (("10.0.0.0/8", 8, 24, True), ("10.1.0.0/16", 16, 32, False))
    ip_batch(kernel, [f"route add {prefix} {VIA}" for prefix in ("10.2.0.0/16", "10.1.0.0/16")])
    with following(kernel, prefix_rules=rules) as engine:
        assert set(desired(engine)) == {"10.2.0.0/16"}
        later = ("10.1.2.0/24", "10.3.0.0/25", "192.0.2.0/24", "10.3.0.0/24")
        ip_batch(kernel, [f"route add {prefix} {VIA}" for prefix in later])
        ip_batch(kernel, ["route add 2001:db8::/32 via fd00::2 proto 12"])
        wait_until(
            lambda: set(desired(engine)),
            10,
            "what is allowed",
            accept=lambda seen: seen == {"10.2.0.0/16", "10.3.0.0/24", "2001:db8::/32"},
        )
        status = engine.status()
        assert status.skipped["prefix_lists"] >= 4
        ip_batch(kernel, [f"route del {prefix} {VIA}" for prefix in later])
        wait_until(
            lambda: set(desired(engine)),
            10,
            "the rest",
            accept=lambda seen: seen == {"10.2.0.0/16", "2001:db8::/32"},
        )
        assert engine.status().anomalies["unknown_withdrawals"] == 0


def test_a_route_with_a_tos_is_reported(make_namespace: Callable[[str], Namespace]) -> None:
    """VPP's FIB knows no type of service: it is counted by its reason and listed."""
    kernel = make_namespace("tos")
    with_link(kernel)
    with following(kernel) as engine:
        ip_batch(kernel, [f"route add 10.9.0.0/16 tos 8 {VIA}"])
        wait_until(
            lambda: engine.status().held_routes,
            10,
            "the reason",
            accept=lambda seen: seen == {"type_of_service": 1},
        )
        (view,) = engine.routes_of(254, "10.9.0.0/16")
        assert (view.state, view.tos) == ("held", 8)
        assert view.reason is not None
        assert "TOS 8" in view.reason
        ip_batch(kernel, [f"route add 10.9.0.0/16 {VIA}"])
        wait_until(
            lambda: desired(engine), 10, "the ordinary one", accept=lambda d: "10.9.0.0/16" in d
        )
        assert engine.status().held_routes == {"type_of_service": 1}
        ip_batch(kernel, [f"route del 10.9.0.0/16 tos 8 {VIA}"])
        wait_until(lambda: engine.status().held_routes, 10, "nothing", accept=lambda seen: not seen)
