"""The commands that look at kernel and VPP by themselves, while a daemon runs."""

from __future__ import annotations

import json
import os
import pty
import socket
import subprocess
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from daemon.running import RunningDaemon, running_daemon
from daemon.world import MIRRORED, kernel_of, reflecting, route
from lab import Namespace, ip_batch, wait_until
from lab.command import PROGRAM, run_command
from lab.vpp import SimulatedVpp

pytestmark = pytest.mark.root


@pytest.fixture
def kernel(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """With all sorts of routes."""
    return kernel_of(make_namespace)


def bgpreflector(*arguments: str, exit_code: int = 0) -> str:
    """What a command prints."""
    return run_command(*arguments, exit_code=exit_code).stdout


def failed(*arguments: str, exit_code: int) -> str:
    """What a command says that is refused."""
    done = run_command(*arguments, exit_code=exit_code)
    assert "Traceback" not in done.stderr
    return done.stderr


def counts(*command: str, exit_code: int = 0) -> dict[str, Any]:
    """What ``plan`` or ``audit`` counts."""
    (line,) = bgpreflector(*command, "--summary", exit_code=exit_code).splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def last(printed: str) -> dict[str, Any]:
    """The last object."""
    summary: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return summary


def test_plan_and_audit_find_nothing_to_do(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """Where the daemon is in sync; what somebody has deleted in VPP they both find."""
    with reflecting(kernel, simulator, tmp_path / "d.log") as daemon:
        where = ("--socket", str(simulator.socket), "--netns", str(kernel.path))
        arguments = (*where, "--interface", f"f0={simulator.interface}", "--json")
        nothing = {"add": 0, "replace": 0, "delete": 0}
        assert bgpreflector("plan", *arguments) == ""
        assert bgpreflector("audit", "--dry-run", *arguments) == ""
        assert counts("plan", *arguments).items() >= nothing.items()
        assert counts("audit", "--dry-run", *arguments).items() >= nothing.items()
        simulator.tamper(route(3), delete=True)
        one = {"add": 1, "replace": 0, "delete": 0}
        assert counts("plan", *arguments).items() >= one.items()
        assert counts("audit", *arguments, exit_code=6).items() >= {**one, "repaired": 0}.items()
        # By the configuration of the daemon, which alone knows the interface map.
        (said,) = daemon.ask_json("audit", "--repair")
        assert said["differences"] == [{"kind": "missing", "prefix": route(3), "table": 0}]
        assert (said["found"]["missing"], said["left"]["missing"]) == (1, 0)
        assert len(simulator.routes()) == MIRRORED
        assert daemon.status()["in_sync"]


def test_a_look_by_the_wrong_configuration_changes_nothing(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """Without the daemon's interface map all seems too much: it is listed, and stays."""
    with reflecting(kernel, simulator, tmp_path / "d.log") as daemon:
        where = ("--socket", str(simulator.socket), "--netns", str(kernel.path), "--json")
        before = simulator.simulator.statistics()["route_requests"]
        found = counts("audit", *where, exit_code=6)
        assert (found["delete"], found["repaired"]) == (MIRRORED - 1, 0)
        refused = failed("audit", "--repair", "--no-daemon", *where, exit_code=75)
        for text in ("bgpreflector run", f"pid {daemon.process.pid}", "leave --no-daemon out"):
            assert text in refused
        assert "--no-daemon" in failed("audit", "--repair", *where, exit_code=2)
        assert simulator.simulator.statistics()["route_requests"] == before
        assert len(simulator.routes()) == MIRRORED


def test_one_writes_at_a_time(kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path) -> None:
    """A second run, and a flush, end and name the first; a lock that was left is none."""
    there = ("--socket", str(simulator.socket))
    with reflecting(kernel, simulator, tmp_path / "d.log") as daemon:
        for command in (("run", "--control", ""), ("flush",)):
            said = failed(*command, *there, exit_code=75)
            for text in ("bgpreflector run", f"pid {daemon.process.pid}", "since 20", "defaults"):
                assert text in said
        assert last(bgpreflector("flush", "--dry-run", "--json", *there))["routes"] == MIRRORED
        assert len(simulator.routes()) == MIRRORED
        # Another source is another's business.
        config = tmp_path / "other.toml"
        config.write_text('[vpp.fib_source]\nname = "other"\n')
        bgpreflector("flush", "--config", str(config), *there)
        daemon.process.kill()
        daemon.process.wait()
    flushed = last(bgpreflector("flush", "--json", *there))
    assert flushed["deleted"] == MIRRORED


def test_what_a_flush_takes_the_daemon_puts_back(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """By force, and until its next resync, as the command's help says."""
    with reflecting(kernel, simulator, tmp_path / "d.log") as daemon:
        said = last(bgpreflector("flush", "--force", "--socket", str(simulator.socket), "--json"))
        assert said["deleted"] == MIRRORED
        assert simulator.routes() == {}
        daemon.ask("resync")
        assert len(simulator.routes()) == MIRRORED
        assert daemon.status()["in_sync"]


def test_commands_report_the_outcome(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """In a line, and as an object with its schema."""
    with reflecting(kernel, simulator, tmp_path / "d.log") as daemon:
        all_there = f"VPP has {MIRRORED} of {MIRRORED} prefixes, 0 wait"
        assert daemon.ask("pause") == f"Paused: {all_there}; paused\n"
        assert daemon.ask("resume") == f"Resumed: {all_there}; in sync\n"
        assert daemon.ask("resync") == f"Resynchronised: {all_there}; in sync\n"
        for order in ("pause", "resume", "resync", "reload"):
            (end,) = daemon.ask_json(order)
            assert end["schema"] == 3
            assert end["state"] == ("paused" if order == "pause" else "in_sync")
            assert sum(counts["installed"] for counts in end["prefixes"].values()) == MIRRORED


def test_a_monitor_on_a_terminal(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """The whole status, and the last changes."""
    with reflecting(kernel, simulator, tmp_path / "d.log") as daemon:
        ip_batch(kernel, [f"route del {route(7)} proto 12"])
        wait_until(simulator.routes, 30, "gone", accept=lambda seen: route(7) not in seen)
        shown = on_a_terminal(daemon, "monitor", "--count", "2", "--interval", "0.1")
        for text in ("in sync", "kernel (all)", "last changes", f"delete  {route(7)}"):
            assert text in shown


def on_a_terminal(daemon: RunningDaemon, *command: str) -> str:
    """What a command draws there."""
    master, slave = pty.openpty()
    arguments = [*PROGRAM, *command, "--control", str(daemon.control)]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120", "LINES": "60"}
    with subprocess.Popen(arguments, stdout=slave, env=environment) as process:
        os.close(slave)
        drawn = b""
        # EIO is how a terminal says that nobody has it open any more.
        with os.fdopen(master, "rb", buffering=0) as terminal, suppress(OSError):
            while part := terminal.read(65536):
                drawn += part
        assert process.wait(60) == 0
    return drawn.decode()


def test_a_simulator_as_a_program(kernel: Namespace, tmp_path: Path) -> None:
    """A daemon's VPP like any other, with faults by its control socket."""
    place, control = tmp_path / "vpp.sock", tmp_path / "vpp.control"
    arguments = ["simulate", "--socket", str(place), "--control", str(control)]
    with subprocess.Popen(
        [*PROGRAM, *arguments, "--interface", "port1"],
        stderr=subprocess.PIPE,
    ) as process:
        try:
            assert process.stderr is not None
            assert b"Listening" in process.stderr.readline()
            with closing(socket.socket(socket.AF_UNIX)) as orders:
                orders.connect(str(control))
                refused = {"fault": "fail_prefix", "prefix": route(5), "retval": -7}
                assert "error" not in order(orders, refused)
                there = ("--socket", str(place), "--interface", "f0=port1")
                with running_daemon(tmp_path / "d.log", *there, namespace=kernel) as daemon:
                    wait_until(daemon.answers, 30, "it listens")
                    wait_until(
                        daemon.status, 30, "refused", accept=lambda s: s["state"] == "rejected"
                    )
                    assert "INVALID_VALUE" in daemon.ask("show", "routes", "--rejected")
                    assert "error" not in order(orders, {"fault": "clear"})
                    daemon.ask("resync")
                    assert daemon.status()["in_sync"]
                figures = order(orders, {"query": "statistics"})
                assert figures["statistics"]["adds"] == MIRRORED
        finally:
            process.terminate()
            assert process.wait(30) == 0


def order(orders: socket.socket, what: dict[str, object]) -> dict[str, Any]:
    """Gives an order, and returns the answer."""
    orders.sendall(json.dumps(what).encode() + b"\n")
    answer: dict[str, Any] = json.loads(orders.makefile().readline())
    return answer


def test_a_demonstration(tmp_path: Path) -> None:
    """In a namespace of its own, to its end, with kernel and VPP of one mind."""
    shown = bgpreflector("demo", "--routes", "500")
    assert "Kernel and VPP agree." in shown
    assert "500" in shown


def test_a_demonstration_on_a_host_without_iproute2(tmp_path: Path) -> None:
    """Nothing but a message with what to install."""
    done = run_command("demo", "--routes", "10", exit_code=5, environment={"PATH": str(tmp_path)})
    assert done.stderr == "error: the `ip` command is missing: install iproute2\n"
