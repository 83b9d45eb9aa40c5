"""A VPP that hangs: it answers nothing, and closes nothing."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bgpreflector.control import ControlClient
from bgpreflector.errors import ControlError, VppConnectError, VppError, VppLostError
from daemon.running import RunningDaemon, running_daemon
from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp, Vpp
from vpp.support import MakeProgrammer, Programmer, kernel_with_routes, prefixes, vpp_options

pytestmark = pytest.mark.few_releases

SHORT_TIMEOUTS = {"keepalive_interval": 0.05, "request_timeout": 1.0, "connect_timeout": 1.0}


@pytest.mark.parametrize("fault", ["stall", "mute"])
def test_an_idle_vpp_that_hangs_is_noticed(
    fault: str, simulator: SimulatedVpp, make_programmer: MakeProgrammer
) -> None:
    """Without any request under way."""
    programmer = make_programmer(simulator, **SHORT_TIMEOUTS)
    programmer.install(prefixes(10))
    simulator.fault(fault, on=True)
    assert "has not answered" in programmer.engine.wait_vpp_lost()


def test_an_idle_vpp_that_answers_gets_keepalives(tmp_path: Path) -> None:
    """Dumps and commits in between end with their own answers."""
    control = tmp_path / "control.sock"

    def pings() -> int:
        with socket.socket(socket.AF_UNIX) as stream:
            stream.connect(str(control))
            stream.sendall(b'{"query": "statistics"}\n')
            answer = json.loads(stream.makefile().readline())
        return int(answer["statistics"]["requests"].get("control_ping", 0))

    with (
        SimulatedVpp.running(tmp_path, control_socket=control) as vpp,
        Programmer.of(vpp, keepalive_interval=0.001, request_timeout=60) as programmer,
    ):
        assert programmer.sink.source is not None
        for count in range(1, 20):
            assert programmer.install([f"30.0.{count}.0/24"]).applied == 1
            assert programmer.engine.adopt(programmer.sink.source).routes == count
            seen = pings()
            wait_until(pings, 30, "another keepalive", accept=seen.__lt__)
        assert programmer.engine.vpp_lost() is None


def test_without_an_interval_there_is_no_keepalive(
    simulator: SimulatedVpp, make_programmer: MakeProgrammer
) -> None:
    """Then only the next request shows it."""
    programmer = make_programmer(simulator, **SHORT_TIMEOUTS | {"keepalive_interval": 0.0})
    simulator.fault("mute", on=True)
    programmer.announce(prefixes(1))
    assert programmer.engine.vpp_lost() is None
    with pytest.raises(VppLostError, match="has not answered"):
        programmer.sink.flush()


def test_no_call_of_the_session_hangs(
    vpp: Vpp, make_programmer: MakeProgrammer, request: pytest.FixtureRequest
) -> None:
    """Neither a request, nor closing, nor connecting again; and when VPP is back, all works."""
    programmer = make_programmer(vpp, **SHORT_TIMEOUTS)
    programmer.install(prefixes(10))
    vpp.hang()
    request.addfinalizer(vpp.resume)
    with pytest.raises(VppLostError, match="show_version"):
        programmer.sink.session.call("show_version")
    programmer.engine.wait_vpp_lost()
    with pytest.raises(VppConnectError):
        programmer.sink.resync()
    with pytest.raises(VppConnectError):
        programmer.sink.session.connect()
    vpp.resume()
    wait_until(lambda: _resyncs(programmer), 30, "connected again")
    programmer.install(prefixes(20))
    assert len(vpp.routes()) == 20


def test_a_session_that_was_not_answered_is_connected_again(
    vpp: Vpp, make_programmer: MakeProgrammer, request: pytest.FixtureRequest
) -> None:
    """Though the bulk connection works: a late answer would be taken for another's."""
    programmer = make_programmer(vpp, **SHORT_TIMEOUTS | {"keepalive_interval": 0.0})
    programmer.install(prefixes(10))
    vpp.hang()
    request.addfinalizer(vpp.resume)
    with pytest.raises(VppLostError, match="show_version"):
        programmer.sink.session.call("show_version")
    vpp.resume()
    assert not programmer.sink.lost
    client = programmer.sink.session._client
    programmer.sink.resync()
    assert programmer.sink.session.usable
    assert programmer.sink.session._client is not client
    assert programmer.install(prefixes(20)).failed == 0
    assert len(vpp.routes()) == 20


def _resyncs(programmer: Programmer) -> bool:
    try:
        programmer.sink.resync()
    except VppError:
        return False
    return True


CONFIG = """
[vpp]
keepalive_interval = 0.2
request_timeout = 1.0
connect_timeout = 1.0
"""


NO_HEALING = (
    CONFIG
    + """
[controller]
healing_delay = 3600.0
"""
)


@contextmanager
def daemon_of_a_vpp_that_hangs(
    vpp: Vpp, kernel: Namespace, directory: Path, config: str
) -> Iterator[RunningDaemon]:
    """A daemon with all 100 routes in VPP; VPP hangs meanwhile, and has one less afterwards."""
    file = directory / "config.toml"
    file.write_text(config)
    options = ("--config", str(file), *vpp_options(vpp))
    with running_daemon(directory / "run.log", *options, namespace=kernel) as daemon:
        wait_until(lambda: len(vpp.routes()), 30, "all routes", accept=lambda n: n == 100)
        vpp.hang()
        try:
            yield daemon
            ip_batch(kernel, ["route del 30.0.0.0/24 proto 12"])
        finally:
            vpp.resume()
        wait_until(lambda: len(vpp.routes()), 60, "one less", accept=lambda n: n == 99)
        assert daemon.end() == 0, daemon.log()


@pytest.mark.root
def test_the_daemon_lives_through_a_vpp_that_hangs_while_idle(
    vpp: Vpp, make_namespace: Callable[[str], Namespace], tmp_path: Path
) -> None:
    """It says so, keeps absorbing kernel changes, and programs them when VPP answers again."""
    kernel = kernel_with_routes(make_namespace("hangs"), 100)
    with daemon_of_a_vpp_that_hangs(vpp, kernel, tmp_path, CONFIG) as daemon:
        wait_until(lambda: "has not answered" in daemon.log(), 30, "it is noticed")


@pytest.mark.root
def test_a_vpp_that_hangs_for_long_is_connected_to_when_it_answers(
    vpp: Vpp, make_namespace: Callable[[str], Namespace], tmp_path: Path
) -> None:
    """Not when the next healing resync is due, whose pauses have grown meanwhile."""
    kernel = kernel_with_routes(make_namespace("mute"), 100)
    with daemon_of_a_vpp_that_hangs(vpp, kernel, tmp_path, NO_HEALING) as daemon:
        # A resync is not answered, and fails.
        with suppress(ControlError), ControlClient(daemon.control, timeout=60) as client:
            client.ask("resync").end  # noqa: B018
        wait_until(lambda: "trying again in 1 h 0 min" in daemon.log(), 30, "a resync has failed")
