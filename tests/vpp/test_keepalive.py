"""A VPP that says nothing and closes nothing."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bgpreflector import _core
from bgpreflector.control import ControlClient
from bgpreflector.errors import ControlError, VppConnectError, VppError, VppLostError
from daemon.running import RunningDaemon, running_daemon
from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp, Vpp
from vpp.support import DEVICE, Programmer, kernel_with_routes, prefixes

pytestmark = pytest.mark.few_releases

QUICK = {"keepalive_interval": 0.05, "request_timeout": 1.0, "connect_timeout": 1.0}


@pytest.mark.parametrize("fault", ["stall", "mute"])
def test_an_idle_vpp_that_hangs_is_noticed(
    fault: str, simulator: SimulatedVpp, program: Callable[..., Programmer]
) -> None:
    """Without any request under way."""
    made = program(simulator, **QUICK)
    made.install(prefixes(10))
    simulator.fault(fault, on=True)
    assert "has not answered" in made.engine.wait_vpp_lost()


def test_a_vpp_that_answers_is_pinged_on_and_on(tmp_path: Path) -> None:
    """Dumps and commits in between end with their own answers."""
    control = tmp_path / "control.sock"
    running = _core.Simulator(socket=tmp_path / "api.sock", control_socket=control)
    engine = _core.Engine(
        protocols=[12],
        tables={254: 0},
        families=["ipv4", "ipv6"],
        foreign_routes="hide",
        receive_buffer=1 << 20,
    )

    def pings() -> int:
        with socket.socket(socket.AF_UNIX) as stream:
            stream.connect(str(control))
            stream.sendall(b'{"query": "statistics"}\n')
            answer = json.loads(stream.makefile().readline())
        return int(answer["statistics"]["requests"].get("control_ping", 0))

    engine.connect(
        socket=tmp_path / "api.sock",
        name="test",
        max_in_flight=1,
        connect_timeout=5,
        request_timeout=60,
        keepalive_interval=0.001,
    )
    engine.set_interfaces({}, 1, False)
    for round_ in range(1, 20):
        engine.announce(254, f"30.0.{round_}.0/24", [(None, 7, 1)], protocol=12)
        assert engine.commit(engine.take_batch(10), 8).added == 1
        assert engine.adopt(8).routes == round_
        seen = pings()
        wait_until(pings, 30, "a ping more", accept=seen.__lt__)
    assert engine.vpp_lost() is None
    engine.close()
    running.stop()


def test_without_an_interval_nobody_is_pinged(
    simulator: SimulatedVpp, program: Callable[..., Programmer]
) -> None:
    """Then only the next request tells."""
    made = program(simulator, **QUICK | {"keepalive_interval": 0.0})
    simulator.fault("mute", on=True)
    made.announce(prefixes(1))
    assert made.engine.vpp_lost() is None
    with pytest.raises(VppLostError, match="has not answered"):
        made.sink.flush()


def test_no_call_of_the_session_hangs(
    vpp: Vpp, program: Callable[..., Programmer], request: pytest.FixtureRequest
) -> None:
    """Neither a request, nor closing, nor connecting again; and when VPP is back, all works."""
    made = program(vpp, **QUICK)
    made.install(prefixes(10))
    vpp.hang()
    request.addfinalizer(vpp.go_on)
    with pytest.raises(VppLostError, match="show_version"):
        made.sink.session.call("show_version")
    made.engine.wait_vpp_lost()
    with pytest.raises(VppConnectError):
        made.sink.resync()
    with pytest.raises(VppConnectError):
        made.sink.session.connect()
    vpp.go_on()
    wait_until(lambda: _resyncs(made), 30, "connected again")
    made.install(prefixes(20))
    assert len(vpp.routes()) == 20


def test_a_session_that_was_not_answered_is_made_anew(
    vpp: Vpp, program: Callable[..., Programmer], request: pytest.FixtureRequest
) -> None:
    """Though the bulk connection is well: a late answer would be taken for another's."""
    made = program(vpp, **QUICK | {"keepalive_interval": 0.0})
    made.install(prefixes(10))
    vpp.hang()
    request.addfinalizer(vpp.go_on)
    with pytest.raises(VppLostError, match="show_version"):
        made.sink.session.call("show_version")
    vpp.go_on()
    assert not made.sink.lost
    client = made.sink.session._client
    made.sink.resync()
    assert made.sink.session.usable
    assert made.sink.session._client is not client
    assert made.install(prefixes(20)).failed == 0
    assert len(vpp.routes()) == 20


def _resyncs(made: Programmer) -> bool:
    try:
        made.sink.resync()
    except VppError:
        return False
    return True


CONFIG = """
[vpp]
keepalive_interval = 0.2
request_timeout = 1.0
connect_timeout = 1.0
"""


HEALS_NEVER = (
    CONFIG
    + """
[controller]
healing_delay = 3600.0
"""
)


@contextmanager
def reflecting(
    vpp: Vpp, kernel: Namespace, directory: Path, config: str
) -> Iterator[RunningDaemon]:
    """A daemon with all 100 routes in VPP; VPP hangs meanwhile, and has one less afterwards."""
    file = directory / "config.toml"
    file.write_text(config)
    arguments = ("--config", str(file), "--socket", str(vpp.socket))
    interface = ("--interface", f"{DEVICE}={vpp.interface}")
    with running_daemon(directory / "run.log", *arguments, *interface, namespace=kernel) as daemon:
        wait_until(lambda: len(vpp.routes()), 30, "all routes", accept=lambda n: n == 100)
        vpp.hang()
        try:
            yield daemon
            ip_batch(kernel, ["route del 30.0.0.0/24 proto 12"])
        finally:
            vpp.go_on()
        wait_until(lambda: len(vpp.routes()), 60, "one less", accept=lambda n: n == 99)
        assert daemon.end() == 0, daemon.log()


@pytest.mark.root
def test_the_daemon_lives_through_a_vpp_that_hangs_while_idle(
    vpp: Vpp, make_namespace: Callable[[str], Namespace], tmp_path: Path
) -> None:
    """It says so, keeps absorbing kernel changes, and programs them when VPP answers again."""
    kernel = kernel_with_routes(make_namespace("silence"), 100)
    with reflecting(vpp, kernel, tmp_path, CONFIG) as daemon:
        wait_until(lambda: "has not answered" in daemon.log(), 30, "the silence is noticed")


@pytest.mark.root
def test_a_vpp_that_hangs_for_long_is_connected_to_when_it_answers(
    vpp: Vpp, make_namespace: Callable[[str], Namespace], tmp_path: Path
) -> None:
    """Not when the next healing resync is due, whose pauses have grown meanwhile."""
    kernel = kernel_with_routes(make_namespace("mute"), 100)
    with reflecting(vpp, kernel, tmp_path, HEALS_NEVER) as daemon:
        # A resync runs into the silence, and fails.
        with suppress(ControlError), ControlClient(daemon.control, timeout=60) as client:
            client.ask("resync").end  # noqa: B018
        wait_until(lambda: "trying again in 1 h 0 min" in daemon.log(), 30, "a resync has failed")
