"""Handlers that fail when the daemon starts, reloads or ends: VPP keeps its routes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from daemon.harness import Harness
from daemon.running import RunningDaemon
from daemon.world import MIRRORED, route
from lab import Namespace, ip_batch
from lab.vpp import SimulatedVpp, wait_routes

pytestmark = pytest.mark.root

MODULE = '''
import os

from bgpreflector import Handler
from bgpreflector.controller import FatalError, Shutdown
from bgpreflector.reflector import BGPRouteBatchUpdate

class Failing(Handler):
    """Raises in one of its methods, or cannot start while there is a file."""

    def __init__(self, *, fails):
        self.fails = fails

    def start(self, event_loop):
        if self.fails == "start" or os.path.exists(self.fails):
            raise RuntimeError("no licence")

    def handles_event(self, event):
        return isinstance(event, (Shutdown, BGPRouteBatchUpdate))

    def update(self, event, txn):
        if self.fails == "shutdown" and isinstance(event, Shutdown):
            raise RuntimeError("still busy")
        if self.fails == "update" and isinstance(event, BGPRouteBatchUpdate):
            raise FatalError("nothing is right")
        return ""
'''


@pytest.fixture
def harness(kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path) -> Harness:
    """The module of the handler is beside the configuration."""
    (tmp_path / "failing.py").write_text(MODULE)
    return Harness(kernel, simulator, tmp_path)


def configure(harness: Harness, fails: str, on_exit: str = "keep") -> None:
    """Writes a configuration whose handler fails in one of its methods."""
    harness.write(
        vpp=f'on_exit = "{on_exit}"',
        more='[handlers]\nload = ["failing:Failing"]\n'
        f'[handlers.options."failing:Failing"]\nfails = "{fails}"\n',
    )


@contextmanager
def running(harness: Harness) -> Iterator[RunningDaemon]:
    """The daemon, in sync."""
    path = os.pathsep.join([str(harness.file.parent), os.environ.get("PYTHONPATH", "")])
    with harness.running(PYTHONPATH=path) as daemon:
        yield daemon


def goes_on(harness: Harness, daemon: RunningDaemon) -> None:
    """It follows the kernel, and ends when it is asked to."""
    ip_batch(harness.kernel, [f"route del {route(20)} proto 12"])
    wait_routes(harness.vpp, MIRRORED - 1)
    daemon.wait_in_sync()
    assert daemon.end() == 0, daemon.log()


def test_one_that_fails_at_the_end_of_the_old_ends_no_reload(harness: Harness) -> None:
    """No route leaves VPP, whatever is to become of them at the daemon's own end."""
    configure(harness, "shutdown", on_exit="flush")
    with running(harness) as daemon:
        harness.vpp.simulator.record_deletions()
        configure(harness, "nothing")
        daemon.ask("reload")
        daemon.wait_in_sync()
        assert "Shutdown: handler Failing failed: still busy" in daemon.log()
        assert harness.vpp.simulator.deletions() == []
        goes_on(harness, daemon)


def test_one_that_fails_at_the_end_does_not_keep_routes_that_are_to_go(harness: Harness) -> None:
    """The end was asked for."""
    configure(harness, "shutdown", on_exit="flush")
    with running(harness) as daemon:
        assert daemon.end() == 0, daemon.log()
        assert "still busy" in daemon.log()
    assert harness.vpp.routes() == {}


def test_an_end_that_nobody_asked_for_keeps_all_routes(harness: Harness) -> None:
    """It is a failure, and the next start adopts them."""
    configure(harness, "update", on_exit="flush")
    with running(harness) as daemon:
        harness.vpp.simulator.record_deletions()
        ip_batch(harness.kernel, ["route add 31.0.0.0/24 via 10.0.0.2 proto 12"])
        assert daemon.process.wait(30) == 1, daemon.log()
        assert "nothing is right" in daemon.log()
        assert "Our routes stay in VPP" in daemon.log()
    assert harness.vpp.simulator.deletions() == []
    assert len(harness.vpp.routes()) >= MIRRORED


def test_one_that_cannot_start_refuses_the_reload(harness: Harness) -> None:
    """The configuration before is in use again, with the handlers that it names."""
    configure(harness, "nothing")
    with running(harness) as daemon:
        harness.vpp.simulator.record_deletions()
        configure(harness, "start")
        daemon.ask("reload", exit_code=78)
        daemon.wait_in_sync()
        daemon.refuse_reload()
        assert "handler Failing could not start: no licence" in daemon.log()
        assert "Traceback" not in daemon.log()
        daemon.wait_in_sync()
        assert harness.vpp.simulator.deletions() == []
        goes_on(harness, daemon)


def test_one_that_cannot_start_again_either_ends_the_daemon(harness: Harness) -> None:
    """With the handler's name and what to do, whatever is to become of routes at an end."""
    broken = harness.file.parent / "broken"
    configure(harness, str(broken), on_exit="flush")
    with running(harness) as daemon:
        harness.vpp.simulator.record_deletions()
        broken.touch()
        configure(harness, "start", on_exit="flush")
        daemon.process.send_signal(signal.SIGHUP)
        assert daemon.process.wait(30) == 1, daemon.log()
        said = daemon.log().splitlines()[-1]
        assert said.startswith("error: handler Failing could not start: no licence; ")
        assert "VPP keeps our routes: correct the handler, or remove it from handlers.load" in said
        assert "Traceback" not in daemon.log()
    assert harness.vpp.simulator.deletions() == []
    assert len(harness.vpp.routes()) == MIRRORED
