"""``bgpreflector simulate`` as a program, and its control socket."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bgpreflector._core import Simulator
from bgpreflector.config import VppConfig
from bgpreflector.vpp import VppSession
from lab import wait_until
from lab.command import PROGRAM, run_command

CLIENTS = 50


@contextmanager
def simulating(*arguments: str, socket: Path) -> Iterator[None]:
    """Runs it until the end of the block."""
    command = [*PROGRAM, "simulate", "--socket", str(socket), *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            wait_until(socket.exists, 30, "it listens")
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_client_of_the_control_socket_leaves_no_descriptor(tmp_path: Path) -> None:
    control = tmp_path / "control.sock"
    simulator = Simulator(socket=tmp_path / "api.sock", control_socket=control)
    try:
        before = open_descriptors()
        for _ in range(CLIENTS):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(control))
                client.sendall(b'{"query": "statistics"}\n')
                with client.makefile("rb") as answers:
                    assert answers.readline().startswith(b'{"ok":true')
        wait_until(open_descriptors, 30, "all are closed", accept=lambda count: count <= before + 1)
    finally:
        simulator.stop()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--socket", "/nowhere/at/all.sock"), "/nowhere/at/all.sock"),
        (("--socket", "/dev/full"), "/dev/full"),
        (("--socket", "/tmp/" + "x" * 200), "x" * 200),
        (("--socket", "{directory}/a.sock", "--control", "/nowhere/b.sock"), "/nowhere/b.sock"),
        (("--socket", "{directory}/a.sock", "--release", "1.0"), "22.10, 24.02"),
        (("--socket", "{directory}/a.sock", "--api-directory", "/dev/full/x"), "/dev/full/x"),
    ],
)
def test_what_it_cannot_do_is_one_message(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    given = (argument.format(directory=tmp_path) for argument in arguments)
    error = run_command("simulate", *given, exit_code=1).stderr.replace("\n", "")
    assert message in error
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


def test_it_plays_a_release_with_its_files(tmp_path: Path) -> None:
    socket, api = tmp_path / "api.sock", tmp_path / "api"
    arguments = ("--release", "24.02", "--api-directory", str(api))
    with simulating(*arguments, socket=socket):
        settings = {"api_socket": str(socket), "api_directory": str(api)}
        session = VppSession(VppConfig.model_validate(settings))
        session.connect()
        assert session.version().startswith("24.02")
        session.close()
