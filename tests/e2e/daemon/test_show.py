"""Tables of routes, next hops and interfaces, as operators and programs read them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from daemon.running import RunningDaemon
from daemon.world import make_links, reflecting
from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp

pytestmark = pytest.mark.root

ROUTES = [
    "route add 30.0.10.0/24 via 10.0.0.2 proto 12",
    "route add 30.0.2.0/24 via 10.0.0.3 proto 12",
    "route add 9.0.0.0/8 proto 12 nexthop via 10.0.0.2 nexthop via 10.0.0.3 nexthop via 10.0.0.4",
    "route add 31.0.0.0/24 via 10.9.0.2 proto 12",
    "route add throw 32.0.0.0/24 proto 12",
    "route add 33.0.0.0/24 via 10.0.0.2 proto static",
    "nexthop add id 7 via 10.0.0.2 dev f0",
    "route add 34.0.0.0/24 nhid 7 proto 12",
    "route add 2001:db8:2::/48 via fd00::2 proto 12",
    "route add 2001:db8:1::/48 via fd00::2 proto 12",
]
MIRRORED = 8


@pytest.fixture
def daemon(
    make_namespace: Callable[[str], Namespace], simulator: SimulatedVpp, tmp_path: Path
) -> Iterator[RunningDaemon]:
    """With routes of all sorts, of which VPP has what leads through ``f0``."""
    kernel = make_namespace("show")
    make_links(kernel)
    ip_batch(kernel, ROUTES)
    with reflecting(kernel, simulator, tmp_path / "d.log", wait=False) as daemon:
        daemon.wait_in_sync()
        # Behind all that the first dump showed, and before most of it.
        ip_batch(kernel, ["route add 8.0.0.0/8 via 10.0.0.2 proto 12"])
        wait_until(simulator.routes, 30, "it is in", accept=lambda seen: "8.0.0.0/8" in seen)
        daemon.wait_in_sync()
        yield daemon


def cells(table: str) -> dict[str, list[str]]:
    """The cells of a table's rows by the first of them."""
    rows = [[cell for cell in line.split("  ") if cell] for line in table.splitlines()]
    return {first.strip(): [cell.strip() for cell in rest] for first, *rest in rows}


def test_routes_are_a_table_in_order(daemon: RunningDaemon) -> None:
    """With names, IPv4 before IPv6, and the reason where VPP has nothing."""
    shown = daemon.ask("show", "routes")
    rows = cells(shown)
    assert rows.pop("PREFIX") == ["NEXT HOPS", "STATE", "VPP"]
    prefixes = [ip_network(prefix) for prefix in rows]
    assert prefixes == sorted(prefixes, key=lambda one: (one.version, one))
    assert len(prefixes) == MIRRORED + 1
    assert rows["30.0.10.0/24"] == ["via 10.0.0.2 f0", "installed", "via 10.0.0.2 loop0"]
    assert rows["9.0.0.0/8"][0] == "via 10.0.0.2 f0, via 10.0.0.3 f0 and 1 more"
    reason = "no VPP interface mapped to g0 (vpp.interfaces)"
    assert rows["31.0.0.0/24"] == ["via 10.9.0.2 g0", "held", reason]
    assert rows["32.0.0.0/24"] == ["throw", "held", "a throw route has no counterpart in VPP"]
    assert rows["34.0.0.0/24"][0] == "via 10.0.0.2 f0"
    wide = cells(daemon.ask("show", "routes", "--wide"))
    assert wide["34.0.0.0/24"][:5] == ["main", "bird", "0", "kernel", "nhid 7 via 10.0.0.2 f0"]
    assert wide["9.0.0.0/8"][4].count("via") == 3
    every = cells(daemon.ask("show", "routes", "--all", "--wide"))
    assert every["33.0.0.0/24"][1:] == ["static", "0", "kernel", "via 10.0.0.2 f0", "foreign"]


def test_routes_are_chosen(daemon: RunningDaemon) -> None:
    """By address, prefix, next hop and interface; where there is none, a line says so."""

    def chosen(*options: str) -> list[str]:
        return list(cells(daemon.ask("show", "routes", *options)))[1:]

    assert chosen("30.0.10.77") == chosen("30.0.10.0/24") == ["30.0.10.0/24"]
    assert chosen("--next-hop", "10.0.0.3") == ["9.0.0.0/8", "30.0.2.0/24"]
    assert chosen("--interface", "g0") == ["31.0.0.0/24"]
    assert chosen("--interface", "g0", "--next-hop", "10.0.0.3") == []
    assert daemon.ask("show", "routes", "--rejected") == "no such routes\n"
    assert daemon.ask("show", "routes", "--rejected", "--json") == ""
    daemon.ask("show", "routes", "--interface", "nope", exit_code=1)
    daemon.ask("show", "routes", "10.0.0", exit_code=2)
    assert "=> VPP forwards 30.0.10.0/24" in daemon.ask("show", "route", "30.0.10.0/24")


def test_routes_are_counted(daemon: RunningDaemon) -> None:
    """A route counts once with each next hop and interface of its."""
    (found,) = daemon.ask_json("show", "routes", "--summary")
    assert found["routes"] == MIRRORED + 1
    assert found["states"] == {"installed": 7, "held": 2}
    assert found["protocols"] == {"bird": MIRRORED + 1}
    assert found["interfaces"]["g0"] == 1
    assert {"gateway": "fd00::2", "interface": "f0", "routes": 2} in found["next_hops"]
    text = daemon.ask("show", "routes", "--summary")
    assert text.startswith("9 routes\n")
    assert daemon.ask("show", "routes", "--summary", "--interface", "g0").startswith("1 route\n")


def test_next_hops_are_those_of_mirrored_routes(daemon: RunningDaemon) -> None:
    """The kernel's own are shown with ``--all``; one route is no two."""
    mine, every = (daemon.ask_json("show", "next-hops", *o) for o in ((), ("--all",)))
    assert {hop["gateway"] for row in mine for hop in row["next_hops"]} == {
        "10.0.0.2",
        "10.0.0.3",
        "10.0.0.4",
        "10.9.0.2",
        "fd00::2",
    }
    assert len(every) > len(mine)
    assert "  1 route  " in daemon.ask("show", "next-hops")


def test_interfaces_tell_how_they_were_found(daemon: RunningDaemon) -> None:
    """And alarm nobody where no route of ours leads."""
    rows = cells(daemon.ask("show", "interfaces"))
    assert rows["f0"] == ["up", "7 routes", "loop0", "vpp.interfaces.map"]
    assert rows["g0"] == ["up", "1 route", "none: its routes are held"]
    assert rows["lo"][1:] == ["0 routes"]


def test_a_reader_that_has_enough_is_no_error(daemon: RunningDaemon) -> None:
    """Nothing on standard error, and success under pipefail."""
    command = f"{sys.executable} -m bgpreflector show routes --json --control {daemon.control}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{command} | head -1"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["prefix"] == "8.0.0.0/8"
