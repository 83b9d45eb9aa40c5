"""What VPP is given for prefixes that it cannot have, in a form that every release survives."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from lab.vpp import Vpp
from vpp.support import BIRD, MAIN, Programmer

KINDS = {"drop": "drop", "punt": "local"}
OTHER = 100
"""A kernel table, which goes into VPP's table 10."""

NOWHERE = 7
"""An interface that VPP has nothing for."""

PREFIXES = {
    "198.51.100.0/24": "192.0.2.1",
    "203.0.113.7/32": "192.0.2.1",
    "2001:db8::/32": "fd00::1",
}
ELSEWHERE = {"198.18.0.0/16": "192.0.2.1", "2001:db8:1::1/128": "fd00::1"}
"""Those of table 10."""

DEFAULT = {"0.0.0.0/0": "192.0.2.1", "::/0": "fd00::1"}
SETTINGS: dict[str, Any] = {"interfaces": {"strategies": ["map"]}, "tables": {OTHER: 10}}


def announce(programmer: Programmer, routes: dict[str, str], table: int) -> None:
    """Through an interface that VPP does not have."""
    for prefix, gateway in routes.items():
        hops = [(ip_address(gateway), NOWHERE, 1)]
        programmer.engine.announce(table, prefix, hops, protocol=BIRD)


@pytest.mark.parametrize("unmapped", KINDS)
def test_it_is_there_in_every_table_and_known_again(vpp: Vpp, unmapped: str) -> None:
    """Also by an audit, and by the next run."""
    here = PREFIXES | DEFAULT
    count = len(here | ELSEWHERE)
    with Programmer.of(vpp, unmapped=unmapped, **SETTINGS) as programmer:
        announce(programmer, here, MAIN)
        announce(programmer, ELSEWHERE, OTHER)
        result = programmer.sink.flush()
        assert (result.applied, result.failed) == (count, 0)
        seen = vpp.routes()
        assert {p: seen[p] for p in here} == dict.fromkeys(here, KINDS[unmapped])
        status = programmer.engine.status()
        assert status.substitutes == {"next_hops": 0, "drop": 0, "punt": 0} | {unmapped: count}
        assert status.held_routes == {"no_interface": count}
        assert not programmer.has_drifted()
    with Programmer.of(vpp, unmapped=unmapped, **SETTINGS) as again:
        announce(again, here, MAIN)
        announce(again, ELSEWHERE, OTHER)
        again.sink.resync()
        assert again.sink.flush().applied == 0
        assert not again.has_drifted()


def test_a_drop_that_crashes_the_release_is_held(vpp: Vpp) -> None:
    """A default route outside table 0: there, or held with the reason, and VPP lives."""
    with Programmer.of(vpp, unmapped="drop", **SETTINGS) as programmer:
        announce(programmer, {"0.0.0.0/0": "192.0.2.1"}, OTHER)
        result = programmer.sink.flush()
        held = programmer.engine.status().held_routes
        assert (result.applied, held) in [(1, {"no_interface": 1}), (0, {"vpp_fault": 1})]
        assert programmer.sink.session.version()


def test_a_default_route_elsewhere_is_punted(vpp: Vpp) -> None:
    """By every release."""
    with Programmer.of(vpp, unmapped="punt", **SETTINGS) as programmer:
        announce(programmer, DEFAULT, OTHER)
        assert programmer.sink.flush().applied == len(DEFAULT)
        assert not programmer.has_drifted()


@pytest.mark.parametrize("unmapped", KINDS)
def test_hold_leaves_nothing(vpp: Vpp, unmapped: str) -> None:
    """The default, and what an earlier run left goes."""
    with Programmer.of(vpp, unmapped=unmapped, **SETTINGS) as programmer:
        announce(programmer, PREFIXES, MAIN)
        programmer.sink.flush()
    with Programmer.of(vpp, **SETTINGS) as programmer:
        announce(programmer, PREFIXES, MAIN)
        programmer.sink.resync()
        assert programmer.sink.flush().applied == len(PREFIXES)
        assert vpp.routes() == {}
