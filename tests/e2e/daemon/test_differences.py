"""``plan``, ``audit`` and the daemon's own audit of VPP."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from daemon.running import RunningDaemon
from daemon.world import COUNT, make_links, reflecting, routes
from lab import Namespace, ip_batch, wait_until
from lab.command import run_command
from lab.vpp import Vpp, wait_routes

pytestmark = pytest.mark.root


class CommandLine:
    """A kernel with routes, a VPP, and the command line between them."""

    def __init__(self, kernel: Namespace, vpp: Vpp) -> None:
        self.kernel = kernel
        self.vpp = vpp

    def run(self, *command: str, exit_code: int = 0) -> subprocess.CompletedProcess[str]:
        """A command to its end."""
        where = ("--socket", str(self.vpp.socket), "--netns", str(self.kernel.path))
        interface = ("--interface", f"f0={self.vpp.interface}")
        return run_command(*command, *where, *interface, exit_code=exit_code)

    def running(self, log: Path, *arguments: str) -> AbstractContextManager[RunningDaemon]:
        """A daemon."""
        return reflecting(self.kernel, self.vpp, log, *arguments, wait=False)

    def lines(self, *command: str, exit_code: int = 0) -> list[dict[str, object]]:
        """What a command prints with ``--json``."""
        done = self.run(*command, "--json", exit_code=exit_code)
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def command_line(vpp: Vpp, make_namespace: Callable[[str], Namespace]) -> CommandLine:
    """With routes of both families in the kernel."""
    kernel = make_namespace("differences")
    make_links(kernel)
    ip_batch(kernel, routes("add"))
    return CommandLine(kernel, vpp)


def test_a_plan_touches_nothing(command_line: CommandLine, tmp_path: Path) -> None:
    """Not even the FIB source is added; after a run nothing is left to do."""
    changes = command_line.lines("plan")
    expected = {"schema": 4, "add": 2 * COUNT, "replace": 0, "delete": 0, "held": {}}
    assert command_line.lines("plan", "--summary") == [expected]
    assert {(change["schema"], change["kind"]) for change in changes} == {(4, "route")}
    assert {change["operation"] for change in changes} == {"add"}
    assert {
        "schema": 4,
        "kind": "route",
        "operation": "add",
        "table": 254,
        "prefix": "30.0.7.0/24",
        "installed": [],
        "desired": changes[0]["desired"],
        "overridden": False,
    } in changes
    assert command_line.vpp.source() is None
    assert command_line.vpp.routes() == {}

    with command_line.running(tmp_path / "run.log") as daemon:
        wait_routes(command_line.vpp, 2 * COUNT)
        assert daemon.end() == 0, daemon.log()
    assert command_line.lines("plan") == []
    assert command_line.lines("plan", "--summary") == [expected | {"add": 0}]
    ip_batch(command_line.kernel, ["route del 30.0.0.0/24 proto 12"])
    (change,) = command_line.lines("plan")
    assert (change["operation"], change["prefix"]) == ("delete", "30.0.0.0/24")
    assert "30.0.0.0/24" in command_line.vpp.routes()
    assert "delete" in command_line.run("plan").stdout


def test_a_repair_that_would_empty_vpp_repairs_nothing(
    command_line: CommandLine, tmp_path: Path
) -> None:
    """By a wrong map, for instance; ``--yes`` says that it is right."""
    with command_line.running(tmp_path / "run.log"):
        wait_routes(command_line.vpp, 2 * COUNT)
    command_line.kernel.ip("link", "set", "f0", "down")
    done = command_line.run("audit", "--repair", "--no-daemon", "--summary", exit_code=4)
    assert f"{2 * COUNT} of the {2 * COUNT} routes that VPP has would be deleted" in done.stderr
    assert "If so, say --yes" in done.stderr
    assert len(command_line.vpp.routes()) == 2 * COUNT
    command_line.run("audit", "--repair", "--no-daemon", "--yes")
    assert command_line.vpp.routes() == {}


def test_an_audit_lists_and_repairs(command_line: CommandLine, tmp_path: Path) -> None:
    """Routes that are missing, different and too many in VPP, and one that is overridden."""
    hidden = "30.0.9.0/24"
    command_line.vpp.add_foreign_route(hidden)
    with command_line.running(tmp_path / "run.log") as daemon:
        wait_until(
            command_line.vpp.routes, 30, "all", accept=lambda seen: len(seen) >= 2 * COUNT - 1
        )
        assert daemon.end() == 0, daemon.log()
    command_line.vpp.tamper("30.0.1.0/24", delete=True)
    command_line.vpp.tamper("30.0.2.0/24")
    command_line.vpp.tamper("203.0.113.0/24")
    expected = {
        "30.0.1.0/24": ("add", False),
        "30.0.2.0/24": ("replace", False),
        "203.0.113.0/24": ("delete", False),
    }
    (counted,) = command_line.lines("audit", "--summary", exit_code=6)
    assert (counted["overridden"], counted["repaired"]) == (1, 0)
    for exit_code, command in ((6, ("audit",)), (0, ("audit", "--repair", "--no-daemon"))):
        changes = command_line.lines(*command, exit_code=exit_code)
        seen = {c["prefix"]: (c["operation"], c["overridden"]) for c in changes}
        # A route of ours that another source's hides cannot be seen, and is sent again.
        assert seen == expected | ({hidden: ("add", True)} if hidden in seen else {})
    (counted,) = command_line.lines("audit", "--repair", "--no-daemon", "--summary")
    assert counted.items() >= {"add": 0, "replace": 0, "delete": 0}.items()
    assert "203.0.113.0/24" not in command_line.vpp.routes()
    assert command_line.vpp.has_foreign_route(hidden)


def test_the_daemon_audits_vpp_by_itself(command_line: CommandLine, tmp_path: Path) -> None:
    """What somebody else did under our source is undone, and logged with its prefixes."""
    config = tmp_path / "audit.toml"
    config.write_text("[vpp]\naudit_interval = 0.3\n")
    with command_line.running(tmp_path / "run.log", "--config", str(config)) as daemon:
        wait_routes(command_line.vpp, 2 * COUNT)
        right = command_line.vpp.routes()
        command_line.vpp.tamper("30.0.1.0/24", delete=True)
        command_line.vpp.tamper("30.0.2.0/24")
        command_line.vpp.tamper("203.0.113.0/24")
        wait_until(command_line.vpp.routes, 30, "repaired", accept=lambda seen: seen == right)
        wait_until(
            daemon.log,
            30,
            "logged",
            accept=lambda log: all(
                text in log
                for text in (
                    "missing 30.0.1.0/24",
                    "different 30.0.2.0/24",
                    "unexpected 203.0.113.0/24",
                )
            ),
        )
        assert daemon.end() == 0, daemon.log()
