"""The commands that look at kernel and VPP by themselves, while a daemon runs."""

from __future__ import annotations

import json
import socket
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from daemon.running import running_daemon
from daemon.world import MIRRORED, reflecting, route
from lab import Namespace
from lab.command import PROGRAM, run_command
from lab.vpp import SimulatedVpp

pytestmark = pytest.mark.root


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
        assert said["differences"] == [{"kind": "missing", "prefix": route(3), "vpp_table": 0}]
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
            for text in ("bgpreflector run", f"pid {daemon.process.pid}", "since 20", "empty.toml"):
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
        for command in ("pause", "resume", "resync", "reload"):
            (end,) = daemon.ask_json(command)
            assert end["schema"] == 3
            assert end["state"] == ("paused" if command == "pause" else "in_sync")
            assert sum(counts["installed"] for counts in end["prefixes"].values()) == MIRRORED


def test_a_simulator_as_a_program(kernel: Namespace, tmp_path: Path) -> None:
    """A daemon's VPP like any other, with faults by its control socket."""
    api, faults = tmp_path / "vpp.sock", tmp_path / "vpp.control"
    arguments = ["simulate", "--socket", str(api), "--control", str(faults)]
    with subprocess.Popen(
        [*PROGRAM, *arguments, "--interface", "port1"],
        stderr=subprocess.PIPE,
    ) as process:
        try:
            assert process.stderr is not None
            assert b"Listening" in process.stderr.readline()
            with closing(socket.socket(socket.AF_UNIX)) as control:
                control.connect(str(faults))
                refused = {"fault": "fail_prefix", "prefix": route(5), "retval": -7}
                assert "error" not in command(control, refused)
                there = ("--socket", str(api), "--interface", "f0=port1")
                with running_daemon(tmp_path / "d.log", *there, namespace=kernel) as daemon:
                    daemon.wait_state("rejected")
                    assert "INVALID_VALUE" in daemon.ask("show", "routes", "--rejected")
                    assert "error" not in command(control, {"fault": "clear"})
                    daemon.ask("resync")
                    assert daemon.status()["in_sync"]
                figures = command(control, {"query": "statistics"})
                assert figures["statistics"]["adds"] == MIRRORED
        finally:
            process.terminate()
            assert process.wait(30) == 0


def command(control: socket.socket, request: dict[str, object]) -> dict[str, Any]:
    """Sends the simulator a command; its answer."""
    control.sendall(json.dumps(request).encode() + b"\n")
    answer: dict[str, Any] = json.loads(control.makefile().readline())
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
