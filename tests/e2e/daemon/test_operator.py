"""The commands that ask a running daemon, against the kernel and the embedded VPP."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bgpreflector.control import ControlClient
from daemon.running import running_daemon
from daemon.world import COUNT, HELD, MIRRORED, reflecting, route
from lab import Namespace, ip_batch, wait_until
from lab.command import run_command
from lab.vpp import SimulatedVpp, wait_routes

pytestmark = pytest.mark.root

REFUSED = "30.0.5.0/24"
INVALID_VALUE = -7


def path(next_hop: str) -> dict[str, object]:
    """A path of VPP's through its first interface."""
    return {
        "type": "normal",
        "next_hop": next_hop,
        "interface": "loop0",
        "sw_if_index": 1,
        "lookup_table": None,
        "weight": 1,
        "labels": [],
    }


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where the daemon logs; its control socket is beside it."""
    return tmp_path / "d.log"


def test_status_agrees_with_kernel_and_vpp(
    kernel: Namespace, simulator: SimulatedVpp, log: Path
) -> None:
    """By family and table, as text, as JSON and for probes."""
    with reflecting(kernel, simulator, log) as daemon:
        (status,) = daemon.ask_json("status")
        assert (status["schema"], status["state"]) == (3, "in_sync")
        assert status["in_sync"]
        assert status["ready"]
        assert status["pid"] == daemon.process.pid
        v4, v6 = status["prefixes"]["ipv4"], status["prefixes"]["ipv6"]
        assert v4["installed"] + v6["installed"] == MIRRORED == len(simulator.routes())
        assert v4["held"] == HELD - 1, "a route with a TOS holds no prefix back"
        assert status["held_routes"] == {"no_interface": 1, "type_of_service": 1}
        assert {(t["table"], t["family"], t["vpp_table"]) for t in status["tables"]} == {
            (254, "ipv4", 0),
            (254, "ipv6", 0),
        }
        assert status["tables"][0]["prefixes"] == v4
        vpp = status["vpp"]
        assert vpp["connected"]
        assert vpp["resynchronised"]
        assert vpp["version"].startswith("26.10")
        done = {name: figures["done"] for name, figures in vpp["requests"].items()}
        assert sum(done.values()) == simulator.simulator.statistics()["route_requests"]
        assert done["add"] == MIRRORED
        assert status["kernel"]["messages"]["new_route"] > 2 * COUNT
        assert status["kernel"]["resyncs"]["requested"]["count"] == 1
        assert status["kernel"]["resyncs"]["requested"]["seconds"] > 0
        assert status["kernel"]["receive_buffer_bytes"] > 0
        assert status["memory_bytes"] > 1 << 20

        first = f"in sync, 1 of {MIRRORED + 1} prefixes held (no VPP interface mapped to g0: 1)"
        assert daemon.ask("status", "--check").strip() == first
        shown = daemon.ask("status")
        assert f"{v4['installed']:,}" in shown
        assert "1 no interface" in shown


def test_a_check_says_what_is_wrong(kernel: Namespace, simulator: SimulatedVpp, log: Path) -> None:
    """By its exit status: refused routes, a pause, a VPP that is gone, no daemon."""
    simulator.fault("fail_prefix", prefix=REFUSED, retval=INVALID_VALUE)
    with reflecting(kernel, simulator, log, wait=False) as daemon:
        daemon.wait_state("rejected")
        assert "rejected" in daemon.ask("status", "--check", exit_code=6)
        assert daemon.status()["vpp"]["requests"]["add"]["refused"] >= 1
        simulator.fault("fail_prefix", prefix=REFUSED, retval=0)
        daemon.ask("resync")
        daemon.ask("status", "--check")
        daemon.ask("pause")
        assert "paused" in daemon.ask("status", "--check", exit_code=6)
        daemon.ask("resume")
        simulator.close()
        simulator.simulator.stop()
        daemon.wait_state("vpp_lost")
        (status,) = daemon.ask_json("status", "--check", exit_code=4)
        assert status["vpp"]["lost"]
        assert not status["ready"]
    assert daemon.ask("status", "--check", exit_code=7) == ""


def test_routes_by_state(kernel: Namespace, simulator: SimulatedVpp, log: Path) -> None:
    """All of them, those of a prefix, those within one, and those that are not in VPP."""
    simulator.fault("fail_prefix", prefix=REFUSED, retval=INVALID_VALUE)
    with reflecting(kernel, simulator, log, wait=False) as daemon:
        daemon.wait_state("rejected")
        rows = daemon.ask_json("show", "routes")
        assert len(rows) == MIRRORED + HELD
        assert {row["schema"] for row in rows} == {3}
        installed = {row["prefix"] for row in rows if row["state"] == "installed"}
        assert installed == set(simulator.routes())
        (failed,) = daemon.ask_json("show", "routes", "--rejected")
        assert (failed["prefix"], failed["state"]) == (REFUSED, "rejected")
        assert "INVALID_VALUE" in failed["reason"]
        assert REFUSED in daemon.ask("show", "routes", "--rejected")
        held = daemon.ask_json("show", "routes", "--held")
        assert {row["prefix"] for row in held} == {"40.0.0.0/24", "40.0.1.0/24"}
        assert all(row["reason"] and not row["installed"] for row in held)
        assert "no VPP interface mapped to g0 (vpp.interfaces)" in daemon.ask(
            "show", "routes", "--held"
        )
        assert daemon.ask_json("show", "routes", "--queued") == []
        (one,) = daemon.ask_json("show", "routes", route(7))
        assert one["next_hops"][0] == {
            "gateway": "10.0.0.2",
            "interface": "f0",
            "weight": 1,
            "onlink": False,
            "labels": [],
        }
        assert one["installed"] == [path("10.0.0.2")]
        assert one["vpp_table"] == 0
        within = daemon.ask_json("show", "routes", "--in", "30.0.4.0/22")
        assert {row["prefix"] for row in within} == {route(n) for n in (4, 5, 6, 7)}
        every = daemon.ask_json("show", "routes", "--all", "--in", "40.0.0.0/8")
        assert {row["prefix"]: row["state"] for row in every} == {
            "40.0.0.0/24": "held",
            "40.0.1.0/24": "held",
            "40.0.2.0/24": "foreign",
            "40.0.3.0/24": "installed",
        }


@pytest.mark.parametrize(
    "command",
    [
        ("show", "routes", "no-prefix"),
        ("show", "routes", "--in", "300.0.0.0/8"),
        ("show", "route", "nowhere"),
        ("show", "route", "fe80::1%eth0"),
        ("show", "route", "fe80::1%eth0/64"),
    ],
)
def test_what_is_no_prefix_is_refused(
    command: tuple[str, ...], kernel: Namespace, simulator: SimulatedVpp, log: Path
) -> None:
    """With a message."""
    with reflecting(kernel, simulator, log, wait=False) as daemon:
        wait_until(daemon.control.exists, 30, "it listens")
        daemon.ask(*command, exit_code=2)


def test_an_address_is_explained(kernel: Namespace, simulator: SimulatedVpp, log: Path) -> None:
    """The kernel, the table and VPP side by side, and each way in which they may differ."""
    simulator.fault("fail_prefix", prefix=REFUSED, retval=INVALID_VALUE)
    simulator.add_foreign_route(route(9))
    ip_batch(kernel, ["rule add to 50.0.0.0/8 lookup 77", "route add 50.0.0.0/8 dev f0 table 77"])
    arguments = {
        "30.0.7.9": "VPP forwards 30.0.7.0/24 as the kernel does",
        "2001:db8:7::9": "VPP forwards 2001:db8:7::/48 as the kernel does",
        "30.0.5.1": f"VPP refused {REFUSED}",
        "30.0.9.1": "FIB source API",
        "40.0.0.1": "no VPP interface mapped to g0",
        "40.0.2.1": "of protocol static, which is not mirrored",
        "40.0.3.1": "VPP forwards 40.0.3.0/24 as the kernel does",
        "10.0.0.1": "one of its own addresses",
        "50.0.0.1": "table 77, which is not mirrored",
        "60.0.0.1": "no route to it",
    }
    with reflecting(kernel, simulator, log, wait=False) as daemon:
        daemon.wait_state("rejected")
        wait_until(
            daemon.status, 30, "others known", accept=lambda seen: seen["vpp"]["overridden"] == 1
        )
        with ControlClient(daemon.control) as client:
            for address, reason in arguments.items():
                found = client.ask("route", address=address).end
                assert reason in str(found["why"]), (address, found)
        (whole,) = daemon.ask_json("show", "route", "30.0.7.9")
        assert whole["kernel"]["prefix"] == route(7)
        (table,) = whole["tables"]
        assert table["routes"][0]["state"] == "installed"
        assert table["vpp"] == {
            "prefix": route(7),
            "source": "bgpreflector",
            "paths": [path("10.0.0.2")],
        }
        assert table["vpp_forwards_by"] == table["vpp"]
        shown = daemon.ask("show", "route", "30.0.9.1")
        assert "another" in shown or "API" in shown
        assert "=> VPP forwards 30.0.9.0/24 by a route of the FIB source API" in shown
        assert "30.0.7.0/24" in daemon.ask("show", "route", "30.0.7.9")

        simulator.tamper(route(11), delete=True)
        simulator.tamper(route(12))
        for number, reason in ((11, "does not have it now"), (12, "other paths")):
            assert reason in daemon.ask("show", "route", f"30.0.{number}.1")
        assert REFUSED in daemon.ask("show", "routes", "--rejected")
        daemon.ask("resync", exit_code=4)
        for number in (11, 12):
            assert "as the kernel does" in daemon.ask("show", "route", f"30.0.{number}.1")


def test_next_hops_and_interfaces(kernel: Namespace, simulator: SimulatedVpp, log: Path) -> None:
    """What routes share, what it means for VPP, and which interface is which."""
    with reflecting(kernel, simulator, log) as daemon:
        sets = daemon.ask_json("show", "next-hops")
        ours = {(s["family"], hop["gateway"]): s for s in sets for hop in s["next_hops"]}
        assert ours["ipv4", "10.0.0.2"]["routes"] >= COUNT
        assert ours["ipv6", "fd00::2"]["routes"] == COUNT
        assert ours["ipv6", "fd00::2"]["paths"] == [path("fd00::2")]
        assert "no VPP interface mapped to g0" in ours["ipv4", "10.9.0.2"]["reason"]
        rows = daemon.ask_json("show", "interfaces")
        by_name = {row["interface"]: row for row in rows}
        assert by_name["f0"] == {
            "interface": "f0",
            "index": by_name["f0"]["index"],
            "up": True,
            "sw_if_index": 1,
            "vpp_interface": "loop0",
            "schema": 3,
            "mapped_by": "map",
            "routes": MIRRORED,
            "vrf": None,
        }
        assert by_name["g0"]["routes"] == 1
        assert by_name["g0"]["mapped_by"] == "none"
        assert f"{COUNT} routes" in daemon.ask("show", "next-hops")
        assert re.search(r"f0 .* loop0 +vpp.interfaces.map", daemon.ask("show", "interfaces"))


def test_a_pause_keeps_vpp_as_it_is(kernel: Namespace, simulator: SimulatedVpp, log: Path) -> None:
    """No request is sent, whatever the kernel or an operator does, until it ends."""
    with reflecting(kernel, simulator, log) as daemon:
        daemon.ask("pause")
        before = simulator.simulator.statistics()["route_requests"]
        ip_batch(kernel, [f"route del {route(n)} proto 12" for n in range(50)])
        ip_batch(kernel, ["route add 41.0.0.0/24 via 10.0.0.2 proto 12"])
        wait_until(daemon.status, 30, "taken in", accept=lambda seen: seen["dirty"] == 51)
        rows = daemon.ask_json("show", "routes", "--queued")
        assert [row["prefix"] for row in rows] == ["41.0.0.0/24"]
        assert "paused" in daemon.ask("show", "route", "41.0.0.1")
        daemon.ask("resync")
        simulator.fault("drop")
        wait_until(
            lambda: daemon.log().count("Connected to VPP"), 30, "again", accept=lambda n: n == 2
        )
        wait_until(daemon.status, 30, "read again", accept=lambda seen: seen["vpp"]["connected"])
        waited = daemon.status()["oldest_queued_seconds"]
        assert waited > 0
        assert simulator.simulator.statistics()["route_requests"] == before
        assert len(simulator.routes()) == MIRRORED
        daemon.ask("resume")
        wait_routes(simulator, MIRRORED - 49)
        daemon.wait_in_sync()
        assert daemon.status()["oldest_queued_seconds"] is None
        assert simulator.simulator.statistics()["route_requests"] == before + 51


def test_a_paused_daemon_ends(kernel: Namespace, simulator: SimulatedVpp, log: Path) -> None:
    """And removes its routes, if configured."""
    with reflecting(kernel, simulator, log, "--on-exit", "flush") as daemon:
        daemon.ask("pause")
        ip_batch(kernel, [f"route del {route(n)} proto 12" for n in range(50)])
        wait_until(daemon.status, 30, "taken in", accept=lambda seen: seen["dirty"] == 50)
        assert daemon.end() == 0, daemon.log()
    assert simulator.routes() == {}
    assert not daemon.control.exists()


def test_a_monitor_shows_what_happens(
    kernel: Namespace, simulator: SimulatedVpp, log: Path
) -> None:
    """A line a look where there is no terminal."""
    with reflecting(kernel, simulator, log) as daemon:
        shown = daemon.ask("monitor", "--count", "2", "--interval", "0.1")
        assert len(shown.splitlines()) == 2
        assert f"{MIRRORED:,} prefixes in VPP" in shown
        with ControlClient(daemon.control) as client:
            first = list(client.ask("changes"))
            assert {row["operation"] for row in first} == {"add"}
            known = first[-1]["number"]
            ip_batch(kernel, [f"route del {route(n)} proto 12" for n in range(30)])
            wait_until(lambda: list(client.ask("changes", since=known)), 30, "they are noted")
            daemon.wait_in_sync()
            rows = list(client.ask("changes", since=known))
            assert {row["operation"] for row in rows} == {"delete"}
            assert {row["prefix"] for row in rows} <= {route(n) for n in range(30)}
            last = rows[-1]["number"]
            assert list(client.ask("changes", since=last)) == []


def test_a_big_table_streams(kernel: Namespace, simulator: SimulatedVpp, log: Path) -> None:
    """A listing is read while it comes, and given up in the middle without harm."""
    many = [f"route add 11.{n >> 8}.{n & 255}.0/24 via 10.0.0.2 proto 12" for n in range(20_000)]
    ip_batch(kernel, many)
    with reflecting(kernel, simulator, log, wait=False) as daemon:
        daemon.wait_in_sync(60)
        with ControlClient(daemon.control) as client:
            rows = iter(client.ask("routes"))
            for _ in range(100):
                next(rows)
        with ControlClient(daemon.control) as client:
            assert client.ask("routes").end["count"] == 20_000 + MIRRORED + HELD


def test_a_control_socket_of_somebody_else(
    kernel: Namespace, simulator: SimulatedVpp, log: Path, tmp_path: Path
) -> None:
    """A second daemon does not take it, and one that is configured with it does not start."""
    config = tmp_path / "second.toml"
    config.write_text('[vpp.fib_source]\nname = "second"\n')
    with reflecting(kernel, simulator, log) as daemon:
        there = ("--socket", str(simulator.socket), "--control", str(daemon.control))
        arguments = ("--config", str(config), *there)
        with running_daemon(tmp_path / "second.log", *arguments, namespace=kernel) as second:
            assert second.process.wait(30) == 7
            assert "another daemon" in second.log()
        daemon.process.kill()
        daemon.process.wait()
        with reflecting(kernel, simulator, log) as again:
            assert again.status()["in_sync"]


def test_no_control_socket(kernel: Namespace, simulator: SimulatedVpp, log: Path) -> None:
    """Where none is wanted, and what the command line says of it."""
    config = log.with_suffix(".toml")
    config.write_text('[control]\nsocket = ""\n')
    with reflecting(kernel, simulator, log, "--control", "", wait=False) as daemon:
        wait_routes(simulator, MIRRORED)
        assert not daemon.control.exists()
        done = run_command("status", "--config", str(config), exit_code=7)
        assert "control.socket" in done.stderr
