"""``plan``, ``audit`` and the daemon's own audit of VPP."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.running import running_daemon
from lab import Namespace, ip_batch, wait_until
from lab.vpp import Vpp

pytestmark = pytest.mark.root

COUNT = 300


class Harness:
    """A kernel with routes, a VPP, and the command line between them."""

    def __init__(self, kernel: Namespace, vpp: Vpp) -> None:
        self.kernel = kernel
        self.vpp = vpp
        self.arguments = (
            *("--socket", str(vpp.socket)),
            *("--interface", f"f0={vpp.interface}"),
        )

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command to its end."""
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "bgpreflector",
                *command,
                *self.arguments,
                "--netns",
                str(self.kernel.path),
            ],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def lines(self, *command: str, exit_code: int = 0) -> list[dict[str, object]]:
        """What a command prints with ``--json``."""
        done = self.run(*command, "--json")
        assert done.returncode == exit_code, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def harness(vpp: Vpp, make_namespace: Callable[[str], Namespace]) -> Harness:
    """With routes of both families in the kernel."""
    kernel = make_namespace("differences")
    kernel.ip("link", "add", "f0", "type", "veth", "peer", "name", "f1")
    kernel.ip("addr", "add", "10.0.0.1/24", "dev", "f0")
    kernel.ip("addr", "add", "fd00::1/64", "dev", "f0", "nodad")
    kernel.ip("link", "set", "f0", "up")
    kernel.ip("link", "set", "f1", "up")
    lines = [f"route add 30.{n >> 8}.{n & 255}.0/24 via 10.0.0.2 proto 12" for n in range(COUNT)]
    lines += [f"route add 2001:db8:{n:x}::/48 via fd00::2 proto 12" for n in range(COUNT)]
    ip_batch(kernel, lines)
    return Harness(kernel, vpp)


def test_a_plan_touches_nothing(harness: Harness, tmp_path: Path) -> None:
    """Not even the FIB source is added; after a run nothing is left to do."""
    changes = harness.lines("plan")
    expected = {"schema": 4, "add": 2 * COUNT, "replace": 0, "delete": 0, "held": {}}
    assert harness.lines("plan", "--summary") == [expected]
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
    assert harness.vpp.source() is None
    assert harness.vpp.routes() == {}

    with running_daemon(
        tmp_path / "run.log", *harness.arguments, namespace=harness.kernel
    ) as daemon:
        wait_until(harness.vpp.routes, 30, "all", accept=lambda seen: len(seen) == 2 * COUNT)
        assert daemon.end() == 0, daemon.log()
    assert harness.lines("plan") == []
    assert harness.lines("plan", "--summary") == [expected | {"add": 0}]
    ip_batch(harness.kernel, ["route del 30.0.0.0/24 proto 12"])
    (change,) = harness.lines("plan")
    assert (change["operation"], change["prefix"]) == ("delete", "30.0.0.0/24")
    assert "30.0.0.0/24" in harness.vpp.routes()
    assert "delete" in harness.run("plan").stdout


def test_a_repair_that_would_empty_vpp_repairs_nothing(harness: Harness, tmp_path: Path) -> None:
    """By a wrong map, for instance; ``--yes`` says that it is right."""
    with running_daemon(tmp_path / "run.log", *harness.arguments, namespace=harness.kernel):
        wait_until(harness.vpp.routes, 30, "all", accept=lambda seen: len(seen) == 2 * COUNT)
    harness.kernel.ip("link", "set", "f0", "down")
    done = harness.run("audit", "--repair", "--no-daemon", "--summary")
    assert done.returncode == 4, done.stderr
    assert f"{2 * COUNT} of the {2 * COUNT} routes that VPP has would be deleted" in done.stderr
    assert "If so, say --yes" in done.stderr
    assert len(harness.vpp.routes()) == 2 * COUNT
    assert harness.run("audit", "--repair", "--no-daemon", "--yes").returncode == 0
    assert harness.vpp.routes() == {}


def test_an_audit_lists_and_repairs(harness: Harness, tmp_path: Path) -> None:
    """Routes that are missing, different and too many in VPP, and one that is overridden."""
    hidden = "30.0.9.0/24"
    harness.vpp.add_foreign_route(hidden)
    with running_daemon(
        tmp_path / "run.log", *harness.arguments, namespace=harness.kernel
    ) as daemon:
        wait_until(harness.vpp.routes, 30, "all", accept=lambda seen: len(seen) >= 2 * COUNT - 1)
        assert daemon.end() == 0, daemon.log()
    harness.vpp.tamper("30.0.1.0/24", delete=True)
    harness.vpp.tamper("30.0.2.0/24")
    harness.vpp.tamper("203.0.113.0/24")
    expected = {
        "30.0.1.0/24": ("add", False),
        "30.0.2.0/24": ("replace", False),
        "203.0.113.0/24": ("delete", False),
    }
    (counted,) = harness.lines("audit", "--summary", exit_code=6)
    assert (counted["overridden"], counted["repaired"]) == (1, 0)
    for exit_code, command in ((6, ("audit",)), (0, ("audit", "--repair", "--no-daemon"))):
        changes = harness.lines(*command, exit_code=exit_code)
        seen = {c["prefix"]: (c["operation"], c["overridden"]) for c in changes}
        # A route of ours that another source's hides cannot be seen, and is sent again.
        assert seen == expected | ({hidden: ("add", True)} if hidden in seen else {})
    (counted,) = harness.lines("audit", "--repair", "--no-daemon", "--summary")
    assert counted.items() >= {"add": 0, "replace": 0, "delete": 0}.items()
    assert "203.0.113.0/24" not in harness.vpp.routes()
    assert harness.vpp.has_foreign_route(hidden)


def test_the_daemon_audits_vpp_by_itself(harness: Harness, tmp_path: Path) -> None:
    """What somebody else did under our source is undone, and logged with its prefixes."""
    config = tmp_path / "audit.toml"
    config.write_text("[vpp]\naudit_interval = 0.3\n")
    log = tmp_path / "run.log"
    arguments = ("--config", str(config), *harness.arguments)
    with running_daemon(log, *arguments, namespace=harness.kernel) as daemon:
        wait_until(harness.vpp.routes, 30, "all", accept=lambda seen: len(seen) == 2 * COUNT)
        right = harness.vpp.routes()
        harness.vpp.tamper("30.0.1.0/24", delete=True)
        harness.vpp.tamper("30.0.2.0/24")
        harness.vpp.tamper("203.0.113.0/24")
        wait_until(harness.vpp.routes, 30, "repaired", accept=lambda seen: seen == right)
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
