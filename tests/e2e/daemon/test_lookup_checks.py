"""``show route``, ``audit`` and ``doctor`` judge VPP by the kernel and by what VPP has resolved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bgpreflector.control import ControlClient
from daemon.running import RunningDaemon
from daemon.world import MIRRORED, reflecting, route
from lab import Namespace, ip_batch
from lab.command import run_command
from lab.vpp import SimulatedVpp, Vpp, wait_routes
from lab.vpp.api import fib_path

pytestmark = pytest.mark.root

LIKE = "VPP forwards {} as the kernel does"
OWN = "203.0.113.9/32"
"""An address that VPP takes in itself."""

LINES = (
    # A policy rule, and an address of the kernel's own within a route of ours.
    "rule add to 30.0.6.0/24 lookup 77",
    "route add 30.0.6.0/24 via 10.0.0.9 dev f0 table 77",
    "addr add 30.0.8.1/32 dev f0",
    # Ignored in VPP: the kernel forwards by it.
    "route del 30.0.10.0/24 via 10.0.0.2 proto 12",
    "route add 30.0.10.0/24 via 10.0.0.9 proto 4 metric 0",
    "route add 30.0.10.0/24 via 10.0.0.2 proto 12 metric 32",
    # What VPP cannot have has a covering route, elsewhere and the same way.
    "route add 40.0.0.0/16 via 10.0.0.2 proto 12",
)


@pytest.fixture
def kernel(kernel: Namespace) -> Namespace:
    """With all sorts of routes, and what makes the kernel forward otherwise."""
    ip_batch(kernel, LINES)
    return kernel


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Routes of other protocols are ignored."""
    file = tmp_path / "judged.toml"
    file.write_text('[kernel]\nforeign_routes = "ignore"\n')
    return file


def add_local(vpp: Vpp) -> None:
    """A route with a path of a kind that we never send."""
    own = {"table_id": 0, "prefix": OWN, "n_paths": 1, "paths": [fib_path(type=1)]}
    assert vpp.api.ip_route_add_del(is_add=True, route=own).retval == 0


def why(client: ControlClient, address: str) -> str:
    """What is said of an address."""
    found: Any = client.ask("route", address=address).end
    return " | ".join(found["why"])


def test_the_kernel_judges_what_vpp_forwards(
    kernel: Namespace, vpp: Vpp, config: Path, tmp_path: Path
) -> None:
    """That VPP forwards as the kernel is said of what it does so alone."""
    add_local(vpp)
    log = tmp_path / "d.log"
    with reflecting(kernel, vpp, log, "--config", str(config), wait=False) as daemon:
        wait_routes(vpp, MIRRORED + 1)
        daemon.wait_in_sync()
        with ControlClient(daemon.control, timeout=60) as client:
            alike = {"30.0.7.9": route(7), "2001:db8:7::9": route(7, 6), "40.0.3.1": "40.0.3.0/24"}
            for address, prefix in alike.items():
                assert LIKE.format(prefix) in why(client, address)
            apart = {
                "30.0.6.1": "the kernel, which decides by 30.0.6.0/24 in its table 77",
                "30.0.8.1": "VPP forwards 30.0.8.1 by 30.0.8.0/24 in its table 0, and the kernel",
                "30.0.10.1": "the kernel by 30.0.10.0/24 via 10.0.0.9 f0",
                "40.0.0.1": "the kernel by 40.0.0.0/24 via 10.9.0.2 g0",
                "203.0.113.9": "the kernel, which does not forward it",
            }
            for address, reason in apart.items():
                said = why(client, address)
                assert reason in said, (address, said)
                assert "as the kernel does" not in said, (address, said)
            same = "VPP forwards 40.0.2.1 by 40.0.0.0/16, to the same next hops as the kernel by"
            assert same in why(client, "40.0.2.1")
            found: Any = client.ask("route", address="203.0.113.9").end
            forwards_by = found["tables"][0]
            (path,) = forwards_by["vpp_forwards_by"]["paths"]
            assert (path["type"], path["next_hop"]) == ("local", None)
        assert "Traceback" not in daemon.log()
        audits(kernel, vpp, config)
        interface_down(daemon, vpp)


def audits(kernel: Namespace, vpp: Vpp, config: Path) -> None:
    """Prefixes that the kernel decides by other routes are listed, and no fault of VPP's."""
    asked = ("--prefix", route(6), "--prefix", route(10), "--sample", "2000")
    rows = audit(kernel, vpp, config, *asked)
    (end,) = audit(kernel, vpp, config, *asked, "--summary")
    assert {row["prefix"]: row["verdict"] for row in rows} == {
        route(6): "other_route",
        route(10): "other_route",
    }
    assert (end["kernel_different"], end["kernel_other_route"]) == (0, 2)
    assert end["kernel_lookups"] > MIRRORED
    # An operator's own route before ours is as designed.
    vpp.add_foreign_route(route(9))
    (end,) = audit(kernel, vpp, config, "--summary")
    assert end.items() >= {"add": 0, "replace": 0, "delete": 0, "overridden": 1}.items()


def interface_down(daemon: RunningDaemon, vpp: Vpp) -> None:
    """VPP has acknowledged the routes, and drops."""
    assert vpp.api.sw_interface_set_flags(sw_if_index=1, flags=0).retval == 0
    said = daemon.ask("show", "route", "30.0.7.9")
    assert "as the kernel does" not in said
    assert "does not forward so: VPP drops it" in said
    assert "resolved: dpo-drop ip4" in said


def test_an_audit_sees_what_vpp_drops(
    kernel: Namespace, vpp: Vpp, config: Path, tmp_path: Path
) -> None:
    """It has exit status 6; ``doctor`` names the routes."""
    with reflecting(kernel, vpp, tmp_path / "d.log", "--config", str(config), wait=False) as daemon:
        wait_routes(vpp, MIRRORED + 1)
        assert vpp.api.sw_interface_set_flags(sw_if_index=1, flags=0).retval == 0
        rows = audit(kernel, vpp, config, "--sample", "0", exit_code=6)
        (end,) = audit(kernel, vpp, config, "--sample", "0", "--summary", exit_code=6)
        assert end["unresolved"] == sum(row["kind"] == "unresolved" for row in rows) > 0
        assert all("VPP drops it" in row["reason"] for row in rows)
        assert daemon.process.poll() is None
    report = command(kernel, vpp, config, "doctor", exit_code=0)
    found = [f for f in json.loads(report)["findings"] if f["check"] == "forwarding"]
    assert found
    assert {finding["severity"] for finding in found} == {"warning"}


def audit(
    kernel: Namespace, vpp: Vpp, config: Path, *arguments: str, exit_code: int = 0
) -> list[dict[str, Any]]:
    """What it prints."""
    printed = command(kernel, vpp, config, "audit", *arguments, exit_code=exit_code)
    return [json.loads(line) for line in printed.splitlines()]


def command(kernel: Namespace, vpp: Vpp, config: Path, *words: str, exit_code: int) -> str:
    """A command that asks kernel and VPP itself."""
    where = ("--config", str(config), "--socket", str(vpp.socket), "--netns", str(kernel.path))
    interface = ("--interface", f"f0={vpp.interface}")
    done = run_command(
        *words,
        "--json",
        *where,
        *interface,
        exit_code=exit_code,
        environment={"BGPREFLECTOR_CONFIG": ""},
    )
    return done.stdout


def test_a_table_that_no_rule_leads_to(
    kernel: Namespace, simulator: SimulatedVpp, config: Path, tmp_path: Path
) -> None:
    """The kernel's lookups say nothing of it; a rule makes them do so."""
    config.write_text('[kernel]\ntables = ["1000-1999"]\n')
    lines = [f"route add 50.0.{n}.0/24 via 10.0.0.2 proto 12 table 1000 dev f0" for n in range(5)]
    ip_batch(kernel, [*lines, "route add 2001:db8:f000::/48 via fd00::2 proto 12 table 1000"])
    log = tmp_path / "d.log"
    with reflecting(kernel, simulator, log, "--config", str(config), wait=False) as daemon:
        daemon.wait_in_sync()
        rows = audit(kernel, simulator, config)
        assert {row["verdict"] for row in rows} == {"other_route"}
        assert len(rows) == len(lines) + 1
        (end,) = audit(kernel, simulator, config, "--summary")
        assert (end["kernel_different"], end["kernel_other_route"]) == (0, len(lines) + 1)
        ip_batch(kernel, ["rule add from all lookup 1000"])
        (end,) = audit(kernel, simulator, config, "--summary")
        assert (end["kernel_different"], end["kernel_other_route"]) == (0, 1)
