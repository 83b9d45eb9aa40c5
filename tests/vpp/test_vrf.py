"""Routes into a VRF: VPP looks their packets up in its table."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from bgpreflector.cli.show import _interface
from bgpreflector.control.interfaces import interface_rows
from bgpreflector.daemon.daemon import Daemon
from lab.vpp import SimulatedVpp, Vpp
from vpp.support import BIRD, GATEWAY, MAIN, MakeProgrammer, Programmer

VRF = 7
BLUE = 1000
TABLES = {"main": 0, str(BLUE): 10}
LEAKS = ("40.0.0.0/24", "2001:db8:40::/48")
OWN = {LEAKS[0]: ("40.0.0.0/25", GATEWAY), LEAKS[1]: ("2001:db8:40::/64", "fd00:100::12")}


def shown(programmer: Programmer, prefix: str) -> tuple[str, list[str]]:
    """The state of a route, and what VPP has of it."""
    (view,) = programmer.engine.routes_of(MAIN, prefix)
    return view.state, view.installed


@pytest.mark.parametrize("prefix", LEAKS)
def test_a_leak_is_a_lookup_in_the_table_of_the_vrf(
    vpp: Vpp, make_programmer: MakeProgrammer, prefix: str
) -> None:
    """Added, read back by the next run as it is, and deleted; VPP says where packets go."""
    programmer = make_programmer(vpp, tables=TABLES)
    programmer.engine.announce_link(VRF, "blue", vrf_table=BLUE)
    inside, gateway = OWN[prefix]
    programmer.install([inside], gateway, table=BLUE)
    programmer.engine.announce(MAIN, prefix, [(None, VRF, 1)], protocol=BIRD)
    assert programmer.sink.flush().applied == 1
    assert shown(programmer, prefix) == ("installed", ["lookup in table 10"])
    _, resolved = programmer.look_up(prefix)
    assert resolved.trouble is None
    assert "lookup" in " ".join(resolved.dpos)

    programmer.sink.close()
    again = make_programmer(vpp, tables=TABLES)
    again.engine.announce_link(VRF, "blue", vrf_table=BLUE)
    again.announce([inside], gateway, table=BLUE)
    again.engine.announce(MAIN, prefix, [(None, VRF, 1)], protocol=BIRD)
    again.sink.resync()
    assert again.sink.flush().applied == 0, "VPP has it"
    assert not again.has_drifted()
    again.engine.withdraw(MAIN, prefix, [(None, VRF, 1)], protocol=BIRD)
    assert again.sink.flush().applied == 1
    assert again.engine.routes_of(MAIN, prefix) == []


@pytest.mark.parametrize("table", [MAIN, BLUE])
def test_every_prefix_can_be_leaked(vpp: Vpp, make_programmer: MakeProgrammer, table: int) -> None:
    """The default routes, and others that VPP has routes of its own for, in both tables."""
    every = [
        *("0.0.0.0/0", "0.0.0.0/32", "240.0.0.0/4", "255.255.255.255/32", "41.0.0.1/32"),
        *("::/0", "fe80::/10", "2001:db8::1/128"),
    ]
    programmer = make_programmer(vpp, tables=TABLES)
    programmer.engine.announce_link(VRF, "other", vrf_table=BLUE if table == MAIN else MAIN)
    for prefix in every:
        programmer.engine.announce(table, prefix, [(None, VRF, 1)], protocol=BIRD)
    result = programmer.sink.flush()
    assert (result.applied, result.failed, result.held) == (len(every), 0, 0)
    for prefix in every:
        programmer.engine.withdraw(table, prefix, [(None, VRF, 1)], protocol=BIRD)
    assert programmer.sink.flush().applied == len(every)


def test_a_loop_of_lookups_is_accepted(vpp: Vpp, make_programmer: MakeProgrammer) -> None:
    """Two VRFs that leak a prefix to each other, one beside another next hop."""
    programmer = make_programmer(vpp, tables=TABLES)
    programmer.engine.announce_link(VRF, "blue", vrf_table=BLUE)
    programmer.engine.announce_link(VRF + 1, "red", vrf_table=MAIN)
    programmer.engine.announce(MAIN, LEAKS[0], [(None, VRF, 1), (None, VRF, 3)], protocol=BIRD)
    programmer.engine.announce(BLUE, LEAKS[0], [(None, VRF + 1, 1), (None, 0, 1)], protocol=BIRD)
    programmer.engine.announce(MAIN, "41.0.0.1/32", [(None, VRF + 1, 1)], protocol=BIRD)
    assert programmer.sink.flush().applied == 3
    assert shown(programmer, LEAKS[0]) == ("installed", ["lookup in table 10"])
    assert shown(programmer, "41.0.0.1/32") == ("installed", ["lookup in table 0"])
    assert programmer.look_up(LEAKS[0])[1].trouble is None
    for table, prefix, hops in (
        (MAIN, LEAKS[0], [(None, VRF, 1), (None, VRF, 3)]),
        (BLUE, LEAKS[0], [(None, VRF + 1, 1), (None, 0, 1)]),
        (MAIN, "41.0.0.1/32", [(None, VRF + 1, 1)]),
    ):
        programmer.engine.withdraw(table, prefix, hops, protocol=BIRD)
    assert programmer.sink.flush().applied == 3


def test_a_table_that_is_not_mirrored(vpp: Vpp, make_programmer: MakeProgrammer) -> None:
    """The route is held, and its reason names the table."""
    programmer = make_programmer(vpp)
    programmer.engine.announce_link(VRF, "blue", vrf_table=BLUE)
    programmer.engine.announce(MAIN, LEAKS[0], [(None, VRF, 1)], protocol=BIRD)
    assert programmer.sink.flush().applied == 0
    (view,) = programmer.engine.routes_of(MAIN, LEAKS[0])
    assert view.state == "held"
    assert "table 1000" in (view.reason or "")


@pytest.mark.few_releases
def test_show_interfaces_says_where_its_packets_are_looked_up(
    simulator: SimulatedVpp, make_programmer: MakeProgrammer
) -> None:
    programmer = make_programmer(simulator, tables=TABLES)
    programmer.engine.announce_link(2, "f0")
    programmer.engine.announce_link(VRF, "blue", vrf_table=BLUE)
    programmer.engine.announce_link(VRF + 1, "red", vrf_table=2000)
    programmer.engine.announce(MAIN, LEAKS[0], [(None, VRF, 1)], protocol=BIRD)
    config = SimpleNamespace(vpp=programmer.config)
    seen = SimpleNamespace(engine=programmer.engine, sink=programmer.sink, config=config)
    rows = {row["interface"]: row for row in interface_rows(cast("Daemon", seen))}
    assert rows["blue"]["vrf"] == {"table": BLUE, "vpp_table": 10}
    assert rows["f0"]["vrf"] is None
    shown = {name: _interface(row)[2:] for name, row in rows.items()}
    assert shown["blue"] == ["1 route", "lookup in table 10", "VRF"]
    assert shown["red"] == ["0 routes", "none: table 2000 is not mirrored", "VRF"]
    assert shown["f0"][2] == "vpp.interfaces.main_interface"
