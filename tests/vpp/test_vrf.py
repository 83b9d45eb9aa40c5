"""Routes into a VRF: VPP looks their packets up in its table."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest

from bgpreflector.cli.show import _interface
from bgpreflector.control.interfaces import interface_rows
from bgpreflector.daemon.daemon import Daemon
from bgpreflector.vpp import FibQuery
from lab.vpp import SimulatedVpp, Vpp
from vpp.support import BIRD, GATEWAY, MAIN, Programmer

VRF = 7
BLUE = 1000
TABLES = {"main": 0, str(BLUE): 10}
LEAKS = ("40.0.0.0/24", "2001:db8:40::/48")
OWN = {LEAKS[0]: ("40.0.0.0/25", GATEWAY), LEAKS[1]: ("2001:db8:40::/64", "fd00:100::12")}


def shown(made: Programmer, prefix: str) -> tuple[str, list[str]]:
    """The state of a route, and what VPP has of it."""
    (view,) = made.engine.routes_of(MAIN, prefix)
    return view.state, view.installed


def ends(made: Programmer, prefix: str) -> tuple[str | None, str]:
    """What is wrong with a prefix in VPP, and where its packets go."""
    host = prefix.partition("/")[0] + ("/128" if ":" in prefix else "/32")
    (entry,) = made.sink.look_up([FibQuery(0, host, exact=False)])
    assert entry is not None
    assert entry.prefix == prefix
    assert entry.resolved is not None
    return entry.resolved.trouble, " ".join(entry.resolved.dpos)


@pytest.mark.parametrize("prefix", LEAKS)
def test_it_is_a_lookup_there(vpp: Vpp, program: Callable[..., Programmer], prefix: str) -> None:
    """Added, read back by the next run as it is, and deleted; VPP says where packets go."""
    made = program(vpp, tables=TABLES)
    made.engine.announce_link(VRF, "blue", vrf_table=BLUE)
    inside, gateway = OWN[prefix]
    made.install([inside], gateway, table=BLUE)
    made.engine.announce(MAIN, prefix, [(None, VRF, 1)], protocol=BIRD)
    assert made.sink.flush().applied == 1
    assert shown(made, prefix) == ("installed", ["lookup in table 10"])
    trouble, end = ends(made, prefix)
    assert trouble is None
    assert "lookup" in end, end

    made.sink.close()
    again = program(vpp, tables=TABLES)
    again.engine.announce_link(VRF, "blue", vrf_table=BLUE)
    again.announce([inside], gateway, table=BLUE)
    again.engine.announce(MAIN, prefix, [(None, VRF, 1)], protocol=BIRD)
    again.sink.resync()
    assert again.sink.flush().applied == 0, "VPP has it"
    audit = again.sink.audit(repair=False)
    assert audit is None or not any(audit.drift.values()), audit.drift
    again.engine.withdraw(MAIN, prefix, [(None, VRF, 1)], protocol=BIRD)
    assert again.sink.flush().applied == 1
    assert again.engine.routes_of(MAIN, prefix) == []


@pytest.mark.parametrize("table", [MAIN, BLUE])
def test_whatever_the_prefix(vpp: Vpp, program: Callable[..., Programmer], table: int) -> None:
    """The default routes, and others that VPP has routes of its own for, in both tables."""
    every = [
        *("0.0.0.0/0", "0.0.0.0/32", "240.0.0.0/4", "255.255.255.255/32", "41.0.0.1/32"),
        *("::/0", "fe80::/10", "2001:db8::1/128"),
    ]
    made = program(vpp, tables=TABLES)
    made.engine.announce_link(VRF, "other", vrf_table=BLUE if table == MAIN else MAIN)
    for prefix in every:
        made.engine.announce(table, prefix, [(None, VRF, 1)], protocol=BIRD)
    result = made.sink.flush()
    assert (result.applied, result.failed, result.held) == (len(every), 0, 0)
    for prefix in every:
        made.engine.withdraw(table, prefix, [(None, VRF, 1)], protocol=BIRD)
    assert made.sink.flush().applied == len(every)


def test_a_circle_of_lookups_does_no_harm(vpp: Vpp, program: Callable[..., Programmer]) -> None:
    """Two VRFs that leak a prefix to each other, one beside another next hop."""
    made = program(vpp, tables=TABLES)
    made.engine.announce_link(VRF, "blue", vrf_table=BLUE)
    made.engine.announce_link(VRF + 1, "red", vrf_table=MAIN)
    made.engine.announce(MAIN, LEAKS[0], [(None, VRF, 1), (None, VRF, 3)], protocol=BIRD)
    made.engine.announce(BLUE, LEAKS[0], [(None, VRF + 1, 1), (None, 0, 1)], protocol=BIRD)
    made.engine.announce(MAIN, "41.0.0.1/32", [(None, VRF + 1, 1)], protocol=BIRD)
    assert made.sink.flush().applied == 3
    assert shown(made, LEAKS[0]) == ("installed", ["lookup in table 10"])
    assert shown(made, "41.0.0.1/32") == ("installed", ["lookup in table 0"])
    assert ends(made, LEAKS[0])[0] is None
    for table, prefix, hops in (
        (MAIN, LEAKS[0], [(None, VRF, 1), (None, VRF, 3)]),
        (BLUE, LEAKS[0], [(None, VRF + 1, 1), (None, 0, 1)]),
        (MAIN, "41.0.0.1/32", [(None, VRF + 1, 1)]),
    ):
        made.engine.withdraw(table, prefix, hops, protocol=BIRD)
    assert made.sink.flush().applied == 3


def test_a_table_that_is_not_mirrored(vpp: Vpp, program: Callable[..., Programmer]) -> None:
    """The route waits, and says for which."""
    made = program(vpp)
    made.engine.announce_link(VRF, "blue", vrf_table=BLUE)
    made.engine.announce(MAIN, LEAKS[0], [(None, VRF, 1)], protocol=BIRD)
    assert made.sink.flush().applied == 0
    (view,) = made.engine.routes_of(MAIN, LEAKS[0])
    assert view.state == "held"
    assert "table 1000" in (view.reason or "")


@pytest.mark.few_releases
def test_show_interfaces_says_what_becomes_of_its_packets(
    simulator: SimulatedVpp, program: Callable[..., Programmer]
) -> None:
    """Whatever else the interfaces without a counterpart are."""
    made = program(simulator, tables=TABLES)
    made.engine.announce_link(2, "f0")
    made.engine.announce_link(VRF, "blue", vrf_table=BLUE)
    made.engine.announce_link(VRF + 1, "red", vrf_table=2000)
    made.engine.announce(MAIN, LEAKS[0], [(None, VRF, 1)], protocol=BIRD)
    config = SimpleNamespace(vpp=made.config)
    seen = SimpleNamespace(engine=made.engine, sink=made.sink, config=config)
    rows = {row["interface"]: row for row in interface_rows(cast("Daemon", seen))}
    assert rows["blue"]["vrf"] == {"table": BLUE, "vpp_table": 10}
    assert rows["f0"]["vrf"] is None
    shown = {name: _interface(row)[2:] for name, row in rows.items()}
    assert shown["blue"] == ["1 route", "lookup in table 10", "VRF"]
    assert shown["red"] == ["0 routes", "none: table 2000 is not mirrored", "VRF"]
    assert shown["f0"][2] == "vpp.interfaces.main_interface"
