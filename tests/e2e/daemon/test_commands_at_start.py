"""What an operator asks of a daemon that still starts: VPP accepts it and does not answer."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from daemon.running import RunningDaemon, running_daemon
from lab import wait_until
from lab.command import PROGRAM

pytestmark = pytest.mark.root

TIMEOUT = 30.0


class Starting:
    """A daemon whose VPP is mute, and its configuration."""

    def __init__(self, daemon: RunningDaemon, config: Path, vpp: ExitStack) -> None:
        self.daemon = daemon
        self.config = config
        self.vpp = vpp


@pytest.fixture
def starting(tmp_path: Path) -> Iterator[Starting]:
    """Within the handshake with VPP."""
    path, config = tmp_path / "vpp.sock", tmp_path / "c.toml"
    config.write_text("[vpp]\nconnect_timeout = 3600\nrequest_timeout = 3600\n")
    with ExitStack() as vpp:
        mute = vpp.enter_context(socket.socket(socket.AF_UNIX))
        mute.bind(str(path))
        mute.listen()
        arguments = ("--config", str(config), "--socket", str(path))
        with running_daemon(tmp_path / "d.log", *arguments) as daemon:
            connection, _ = mute.accept()
            vpp.callback(connection.close)
            vpp.callback(path.unlink)
            yield Starting(daemon, config, vpp)


@contextmanager
def asking(daemon: RunningDaemon, *command: str) -> Iterator[subprocess.Popen[str]]:
    """A command that waits for the daemon."""
    arguments = [*PROGRAM, *command, "--control", str(daemon.control)]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_reload_is_refused(starting: Starting) -> None:
    """By the command, with what to do; the start goes on."""
    daemon = starting.daemon
    starting.config.write_text(f"{starting.config.read_text()}rate_limit = 1000\n")
    with asking(daemon, "reload") as process:
        assert process.wait(TIMEOUT) == 1
        assert process.stderr is not None
        assert "the daemon still starts" in process.stderr.read()
    assert daemon.status()["state"] == "vpp_lost"
    assert daemon.end() == 0, daemon.log()
    assert "Traceback" not in daemon.log()


def test_the_end_refuses_what_waits_for_vpp(starting: Starting) -> None:
    """It does not wait for a command that waits for it."""
    daemon = starting.daemon
    with asking(daemon, "resync") as process:
        wait_until(lambda: daemon.status()["queued_events"], TIMEOUT, "the resync waits")
        assert daemon.end() == 0, daemon.log()
        assert process.wait(TIMEOUT) != 0
    assert "Traceback" not in daemon.log()


def test_a_hang_up_is_remembered(starting: Starting) -> None:
    """The reload follows the start."""
    daemon = starting.daemon
    starting.config.write_text(f"{starting.config.read_text()}rate_limit = 1000\n")
    daemon.process.send_signal(signal.SIGHUP)
    said = "read again once the daemon has started"
    wait_until(daemon.log, TIMEOUT, said, accept=lambda log: said in log)
    # It goes on without a VPP.
    starting.vpp.close()
    wait_until(daemon.log, TIMEOUT, "reloaded", accept=lambda log: "Reloaded: vpp.rate" in log)
    assert daemon.end() == 0, daemon.log()
