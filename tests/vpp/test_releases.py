"""What a release of VPP does not have, and what crashes it."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from bgpreflector.errors import VppConnectError, VppLostError, VppMessageError
from lab.vpp import RELEASES, SimulatedVpp, Vpp

from .support import MAIN, MakeProgrammer, Programmer, session_at

DESCRIBES_ITSELF = "24.06"
"""The first release that hands out the description of its API."""


@pytest.mark.parametrize("release", RELEASES)
def test_the_files_are_read_only_where_vpp_does_not_describe_itself(
    place: Path, release: str
) -> None:
    with SimulatedVpp.running(place, release=release) as vpp:
        session = session_at(vpp.socket, api_directory=str(place / "nothing"))
        if release >= DESCRIBES_ITSELF:
            session.connect()
        else:
            with pytest.raises(VppConnectError, match=r"get_api_json.*vpp\.api_directory.*24\.06"):
                session.connect()
            session = session_at(vpp.socket, api_directory=str(vpp.api_directory))
            session.connect()
        assert session.version().startswith(release)
        session.close()


def test_a_message_that_is_missing_is_named_at_once(simulator: SimulatedVpp) -> None:
    for message in ("fib_source_add", "ip_table_dump"):
        simulator.fault("remove_message", message=message)
    session = session_at(simulator.socket)
    with pytest.raises(VppMessageError, match="ip_table_dump, fib_source_add"):
        session.connect()
    assert not session.connected


@pytest.mark.parametrize("family", [4, 6])
def test_what_would_crash_a_release_is_sent_in_another_form(
    vpp: Vpp, make_programmer: MakeProgrammer, family: int
) -> None:
    """`unreachable` and the like go as they are into table 0 alone."""
    programmer = make_programmer(vpp, tables={MAIN: 0, 10: 10})
    announce_all_types(programmer, family)
    result = programmer.sink.flush()
    without_form = programmer.sink.session.version().removeprefix("v") < "24.10"
    assert (result.failed, result.held) == (0, without_form)
    # They are as expected, for an audit and for the next start.
    audit = programmer.audit()
    assert (audit.dumped, any(audit.drift.values())) == (8 - without_form, False)
    programmer.sink.resync()
    assert len(programmer.engine.take_batch(100)) == 0
    assert programmer.sink.session.call("control_ping").retval == 0


@pytest.mark.parametrize("release", ["22.10", "24.02", "25.06"])
def test_otherwise_it_would_crash(
    place: Path, make_programmer: MakeProgrammer, release: str
) -> None:
    """The same with a VPP that is taken for a later one."""
    with SimulatedVpp.running(place, release=release) as vpp:
        settings = {"api_directory": str(vpp.api_directory), "tables": {MAIN: 0, 10: 10}}
        programmer = make_programmer(vpp, taken_for="26.02-release", **settings)
        announce_all_types(programmer, 4)
        with pytest.raises(VppLostError):
            programmer.sink.flush()
        assert vpp.simulator.statistics()["crashes"] == 1


def announce_all_types(programmer: Programmer, family: int) -> None:
    """Every type of route that forwards nothing, and such a default route, into two tables."""
    network = ip_network("10.9.0.0/16" if family == 4 else "2001:db8:9::/48")
    default = "0.0.0.0/0" if family == 4 else "::/0"
    route_types = ("unreachable", "prohibit", "blackhole")
    for table in (MAIN, 10):
        for route_type, subnet in zip(route_types, network.subnets(2), strict=False):
            programmer.announce_special(route_type, str(subnet), table=table)
        programmer.announce_special("unreachable", default, table=table)
