"""What a release of VPP lacks, and what it does not survive."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import pytest

from bgpreflector.config import VppConfig
from bgpreflector.errors import VppConnectError, VppMessageError
from bgpreflector.vpp import VppSession
from lab.vpp import RELEASES, SimulatedVpp

from .support import MAIN, Programmer

DESCRIBES_ITSELF = "24.06"
"""The first release that hands out the description of its API."""


def session_of(vpp: SimulatedVpp, directory: Path) -> VppSession:
    settings = {"api_socket": str(vpp.socket), "api_directory": str(directory)}
    return VppSession(VppConfig.model_validate(settings))


@pytest.mark.parametrize("release", RELEASES)
def test_the_files_are_read_only_where_vpp_does_not_describe_itself(
    place: Path, release: str
) -> None:
    with SimulatedVpp.running(place, release=release) as vpp:
        session = session_of(vpp, place / "nothing")
        if release >= DESCRIBES_ITSELF:
            session.connect()
        else:
            with pytest.raises(VppConnectError, match=r"get_api_json.*vpp\.api_directory.*24\.06"):
                session.connect()
            session = session_of(vpp, vpp.api_directory)
            session.connect()
        assert session.version().startswith(release)
        session.close()


def test_a_message_that_is_missing_is_named_at_once(simulator: SimulatedVpp) -> None:
    for message in ("fib_source_add", "ip_table_dump"):
        simulator.fault("remove_message", message=message)
    session = session_of(simulator, simulator.api_directory)
    with pytest.raises(VppMessageError, match="ip_table_dump, fib_source_add"):
        session.connect()
    assert not session.connected


@pytest.mark.parametrize("family", [4, 6])
def test_what_ends_a_release_reaches_it_in_a_form_that_it_survives(
    simulator: SimulatedVpp, program: Callable[..., Programmer], family: int
) -> None:
    """`unreachable` and the like go as they are into table 0 alone."""
    network = ip_network("10.9.0.0/16" if family == 4 else "2001:db8:9::/48")
    default = "0.0.0.0/0" if family == 4 else "::/0"
    programmer = program(simulator, tables={MAIN: 0, 10: 10})
    for table in (MAIN, 10):
        for kind, prefix in zip(
            ("unreachable", "prohibit", "blackhole"), network.subnets(2), strict=False
        ):
            programmer.announce_special(kind, str(prefix), table=table)
        programmer.announce_special("unreachable", default, table=table)
    result = programmer.sink.flush()
    statistics = simulator.simulator.statistics()
    assert (statistics["ends"], result.failed) == (0, 0)
    before_drop_was_mended = programmer.sink.session.version() < "24.10"
    assert statistics["routes"] == 8 - before_drop_was_mended
    assert programmer.engine.held() == before_drop_was_mended
    # They are as they shall be, for an audit and for the next start.
    assert not any(programmer.sink.audit(repair=False).drift.values())
    programmer.sink.resync()
    assert simulator.simulator.statistics()["route_requests"] == statistics["route_requests"]
    assert programmer.engine.take_batch(100).count == 0
