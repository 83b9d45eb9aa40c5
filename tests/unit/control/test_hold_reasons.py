"""Sentences about routes that VPP cannot have."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bgpreflector.control.hold_reasons import held_reason, named_reason
from bgpreflector.fib_types import PathType
from bgpreflector.vpp import VppEntry

PATH: Any = (PathType.DROP, 0, None, 0, 0, 1, 0, ())


@pytest.mark.parametrize(
    ("reason", "unmapped", "end"),
    [
        ("a throw route has no counterpart in VPP", "hold", " (vpp.unmapped says what it does)"),
        ("none of its next hops can be used now", "hold", ", and the kernel passes over the route"),
        ("VPP crashed each time it was sent: …", "drop", ""),
        ("a drop of this prefix in a table other than 0 …", "hold", ""),
        ("VPP has as many prefixes as …", "hold", ' (kernel.max_routes_action is "refuse")'),
        # It would have a drop, if the limit let it.
        ("encapsulation 5 is not mirrored", "drop", ' (kernel.max_routes_action is "refuse")'),
    ],
)
def test_what_decides_is_named(reason: str, unmapped: str, end: str) -> None:
    """vpp.unmapped is not for all of them."""
    config = SimpleNamespace(
        vpp=SimpleNamespace(unmapped=unmapped), kernel=SimpleNamespace(max_routes_action="refuse")
    )
    daemon: Any = SimpleNamespace(config=config, engine=SimpleNamespace(links=list))
    view: Any = SimpleNamespace(prefix="40.0.0.0/24", reason=reason, substitute=None)
    said = held_reason(daemon, view, VppEntry(0, "0.0.0.0/0", None, [PATH]))
    assert f"VPP drops it by 0.0.0.0/0{end}" in said
    assert ("vpp.unmapped" in said) == ("vpp.unmapped" in end)


def test_numbers_have_names() -> None:
    assert named_reason("encapsulation 5 is not mirrored", {}) == (
        'encapsulation "seg6" is not mirrored'
    )
    assert (
        named_reason("encapsulation 99 is not mirrored", {}) == "encapsulation 99 is not mirrored"
    )
    assert named_reason("… the kernel's interface 7", {7: "g0"}) == "… g0 (vpp.interfaces)"
