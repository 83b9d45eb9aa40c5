"""``bgpreflector simulate`` as a program, and its control socket."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bgpreflector._core import Simulator
from bgpreflector.config import VppConfig
from bgpreflector.vpp import VppSession
from lab import wait_until

CLIENTS = 50


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs it where it cannot start."""
    command = [sys.executable, "-m", "bgpreflector", "simulate", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


@contextmanager
def simulating(*arguments: str, socket: Path) -> Iterator[None]:
    """Runs it until it is no longer needed."""
    command = [
        sys.executable,
        "-m",
        "bgpreflector",
        "simulate",
        "--socket",
        str(socket),
        *arguments,
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            wait_until(socket.exists, 30, "it listens")
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_client_of_the_control_socket_leaves_no_descriptor(tmp_path: Path) -> None:
    control = tmp_path / "control.sock"
    simulator = Simulator(socket=tmp_path / "api.sock", control_socket=control)
    try:
        before = descriptors()
        for _ in range(CLIENTS):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(control))
                client.sendall(b'{"query": "statistics"}\n')
                with client.makefile("rb") as answers:
                    assert answers.readline().startswith(b'{"ok":true')
        wait_until(descriptors, 30, "all are closed", accept=lambda count: count <= before + 1)
    finally:
        simulator.stop()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--socket", "/nowhere/at/all.sock"), "/nowhere/at/all.sock"),
        (("--socket", "/dev/full"), "/dev/full"),
        (("--socket", "/tmp/" + "x" * 200), "x" * 200),
        (("--socket", "{place}/a.sock", "--control", "/nowhere/b.sock"), "/nowhere/b.sock"),
        (("--socket", "{place}/a.sock", "--release", "1.0"), "22.10, 24.02"),
        (("--socket", "{place}/a.sock", "--api-directory", "/dev/full/x"), "/dev/full/x"),
    ],
)
def test_what_it_cannot_do_is_one_message(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = simulate(*(argument.format(place=tmp_path) for argument in arguments))
    text = done.stderr.replace("\n", "")
    assert done.returncode == 1
    assert said in text
    assert "Traceback" not in text
    assert list(tmp_path.iterdir()) == []


def test_it_plays_a_release_with_its_files(tmp_path: Path) -> None:
    place, api = tmp_path / "api.sock", tmp_path / "api"
    arguments = ("--release", "24.02", "--api-directory", str(api))
    with simulating(*arguments, socket=place):
        settings = {"api_socket": str(place), "api_directory": str(api)}
        session = VppSession(VppConfig.model_validate(settings))
        session.connect()
        assert session.version().startswith("24.02")
        session.close()
