"""A changed configuration put in place while VPP forwards, and what a service manager hears."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from bgpreflector.cli.config_file import VARIABLE
from daemon.harness import Harness
from daemon.running import running_daemon
from daemon.world import COUNT, MIRRORED, route
from lab import Namespace, ip_batch, wait_until
from lab.netns import run
from lab.vpp import SimulatedVpp, wait_routes

pytestmark = pytest.mark.root


@pytest.fixture
def harness(kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path) -> Harness:
    """With all sorts of routes."""
    return Harness(kernel, simulator, tmp_path)


def test_only_what_differs_is_sent(harness: Harness) -> None:
    """A prefix list, then an interface: everything else stays in VPP all the time."""
    with harness.running() as daemon:
        before = harness.requests()
        harness.vpp.simulator.record_deletions()
        harness.write(kernel='deny = ["30.0.4.0/22"]')
        (end,) = daemon.ask_json("reload")
        assert end["changed"] == ["kernel.deny"]
        daemon.wait_in_sync()
        denied = {route(n) for n in (4, 5, 6, 7)}
        assert len(harness.vpp.routes()) == MIRRORED - 4
        assert {prefix for _, prefix in harness.vpp.simulator.deletions()} == denied
        assert harness.requests() == before + 4

        harness.write(interfaces='f0 = "loop0", g0 = "loop1"')
        assert "kernel.deny, vpp.interfaces" in daemon.ask("reload")
        daemon.wait_in_sync()
        assert len(harness.vpp.routes()) == MIRRORED + 1
        assert harness.requests() == before + 9
        assert {prefix for _, prefix in harness.vpp.simulator.deletions()} == denied
        assert "nothing changed" in daemon.ask("reload")
        ip_batch(harness.kernel, [f"route del {route(20)} proto 12"])
        wait_routes(harness.vpp, MIRRORED)
        assert daemon.end() == 0, daemon.log()


def test_what_is_wrong_is_refused_as_a_whole(harness: Harness) -> None:
    """By its keys, with what was right beside it; nothing is touched."""
    with harness.running() as daemon:
        before = harness.requests()
        wrong = {
            "vpp.max_in_flight": {"kernel": 'deny = ["30.0.0.0/8"]', "vpp": "max_in_flight = 0"},
            "vpp.fib_source": {"more": '[vpp.fib_source]\nname = "other"'},
            "metrics.address": {"more": '[metrics]\naddress = "127.0.0.1:0"'},
            "control.socket": {"more": '[control]\nsocket = "/tmp/other.sock"'},
        }
        for key, lines in wrong.items():
            harness.write(**lines)
            if key == "control.socket":
                # The command line overrides the file.
                daemon.ask("reload")
                continue
            daemon.ask("reload", exit_code=78)
            seen = daemon.log().count("refused")
            daemon.process.send_signal(signal.SIGHUP)
            wait_until(
                lambda seen=seen: daemon.log().count("refused") > seen,  # type: ignore[misc]
                30,
                "SIGHUP is refused too",
            )
            assert key in daemon.log()
        assert harness.requests() == before
        assert daemon.log().count("Connected to VPP") == 1
        assert daemon.status()["in_sync"]
        assert daemon.end() == 0, daemon.log()


def test_an_address_for_zebra_that_nobody_has_is_refused(harness: Harness) -> None:
    """The daemon goes on as it was."""
    with harness.running() as daemon:
        harness.write(more='[source]\nkind = "fpm"\n[fpm]\nlisten = "192.0.2.77:2620"')
        daemon.ask("reload", exit_code=78)
        daemon.refuse_reload()
        assert "cannot listen for zebra at 192.0.2.77:2620" in daemon.log()
        ip_batch(harness.kernel, [f"route del {route(20)} proto 12"])
        expected = MIRRORED - 1
        wait_until(harness.vpp.routes, 30, "follows", accept=lambda seen: len(seen) == expected)


def test_a_namespace_that_has_gone_refuses_a_reload(harness: Harness) -> None:
    """The daemon still waits for one of that name."""
    with harness.running() as daemon:
        run("ip", "netns", "del", harness.kernel.name)
        try:
            harness.write(kernel='deny = ["30.0.4.0/22"]')
            daemon.ask("reload", exit_code=78)
            daemon.refuse_reload()
            assert f"namespace {harness.kernel.path}: No such file" in daemon.log()
            assert daemon.process.poll() is None
            assert len(harness.vpp.routes()) == MIRRORED
        finally:
            run("ip", "netns", "add", harness.kernel.name)


def test_no_file_ends_a_daemon(harness: Harness) -> None:
    """Whatever its parser says of it, or if nothing comes out of it."""

    def write(content: bytes) -> None:
        harness.file.write_bytes(content)

    def replace_by_pipe() -> None:
        harness.file.unlink()
        os.mkfifo(harness.file)

    mistakes: tuple[Callable[[], None], ...] = (
        lambda: write(b"[vpp]\nconnect_timeout = 2026-02-30"),
        lambda: write(b"[vpp]\nmax_in_flight = " + b"9" * 4301),
        lambda: write(b"a = " + b"[" * 20_000 + b"]" * 20_000),
        lambda: write(b"\0"),
        lambda: write("a = 1".encode("utf-16")),
        replace_by_pipe,
    )
    with harness.running() as daemon:
        for number, make in enumerate(mistakes, 1):
            make()
            daemon.refuse_reload(number)
        assert "Traceback" not in daemon.log()
        assert daemon.status()["in_sync"]
        assert len(harness.vpp.routes()) == MIRRORED
        assert daemon.end() == 0, daemon.log()


def test_a_file_that_is_gone_is_not_taken_for_the_defaults(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """As where the package was removed: without the file nobody would know of the interfaces."""
    file = tmp_path / "default.toml"
    file.write_text('[vpp.interfaces]\nmap = { f0 = "loop0" }\n')
    (tmp_path / "sitecustomize.py").write_text(
        "import pathlib, bgpreflector.cli.config_file as chosen\n"
        f"chosen.DEFAULT_FILE = pathlib.Path({str(file)!r})\n"
    )
    environment = {"PYTHONPATH": str(tmp_path), VARIABLE: ""}
    socket, log = str(simulator.socket), tmp_path / "d.log"
    with running_daemon(
        log, "--socket", socket, namespace=kernel, environment=environment
    ) as daemon:
        daemon.wait_in_sync()
        file.unlink()
        daemon.ask("reload", exit_code=78)
        assert daemon.status()["in_sync"]
        assert len(simulator.routes()) == MIRRORED
        file.write_text('[vpp.interfaces]\nmap = { f0 = "loop0" }\n[log]\nlevel = "debug"\n')
        assert "log.level" in daemon.ask("reload")
        assert daemon.end() == 0, daemon.log()


def test_a_log_level_needs_no_new_connection(harness: Harness) -> None:
    """It is in force at once."""
    with harness.running() as daemon:
        harness.write(more='[log]\nformat = "json"\nlevel = "debug"')
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(daemon.log, 30, "reloaded", accept=lambda log: '"event": "reloaded"' in log)
        assert daemon.log().count("Connected to VPP") == 1


def test_a_table_that_is_mirrored_no_more_is_cleared(harness: Harness) -> None:
    """Of our routes alone."""
    ip_batch(
        harness.kernel,
        [f"route add 12.0.{n}.0/24 via 10.0.0.2 proto 12 table 100" for n in range(9)],
    )
    harness.write(kernel="tables = [254, 100]", more="[vpp.tables]\n100 = 100")
    with harness.running() as daemon:
        harness.vpp.add_foreign_route("12.9.0.0/16", table=100)

        def ours() -> int:
            return sum(1 for table, _, _ in harness.vpp.simulator.snapshot("bgpreflector") if table)

        assert ours() == 9
        harness.write()
        daemon.ask("reload")
        wait_until(ours, 30, "none is left", accept=lambda seen: seen == 0)
        said = "9 routes of ours deleted"
        wait_until(daemon.log, 30, said, accept=lambda log: said in log)
        assert len(harness.vpp.simulator.snapshot("API")) == 1
        daemon.wait_in_sync()
        assert len(harness.vpp.routes()) == MIRRORED


def test_a_reload_while_vpp_is_away(harness: Harness, tmp_path: Path) -> None:
    """Takes effect when it is back."""
    with harness.running() as daemon:
        harness.vpp.close()
        harness.vpp.simulator.stop()
        daemon.wait_state("vpp_lost")
        harness.write(kernel='deny = ["30.0.4.0/22"]')
        assert "kernel.deny" in daemon.ask("reload")
        daemon.wait_state("vpp_lost")
        with SimulatedVpp.running(tmp_path / "vpp") as back:
            wait_routes(back, MIRRORED - 4, timeout=60)
            daemon.wait_in_sync()
            assert daemon.end() == 0, daemon.log()


def test_a_table_that_is_given_up_while_vpp_is_away(harness: Harness) -> None:
    """It cannot be cleared, and that is said; so is it where somebody asks for a route."""
    harness.write(more="[vpp.tables]\n100 = 100", kernel="tables = [254, 100]")
    with harness.running() as daemon:
        harness.vpp.close()
        harness.vpp.simulator.stop()
        daemon.wait_state("vpp_lost")
        assert "VPP could not be asked: " in daemon.ask("show", "route", "30.0.0.1")
        harness.write()
        daemon.ask("reload")
        said = (
            "Our routes stay in VPP's tables 100, which are not mirrored into any more: VPP cannot"
        )
        wait_until(daemon.log, 30, said, accept=lambda log: said in log)


def test_a_table_that_is_given_up_in_a_vpp_that_lists_no_routes(harness: Harness) -> None:
    """They stay there, and that is said."""
    harness.write(more="[vpp.tables]\n100 = 100", kernel="tables = [254, 100]")
    with harness.running() as daemon:
        harness.vpp.fault("remove_message", message="ip_route_v2_dump")
        harness.write()
        daemon.ask("reload")
        said = "Our routes stay in VPP's tables 100, which are not mirrored"
        wait_until(daemon.log, 30, said, accept=lambda log: said in log)
        daemon.wait_in_sync()


def test_a_pause_outlives_a_reload(harness: Harness) -> None:
    """What changes waits on."""
    with harness.running() as daemon:
        daemon.ask("pause")
        before = harness.requests()
        harness.write(kernel='deny = ["30.0.4.0/22"]')
        daemon.ask("reload")
        wait_until(daemon.status, 30, "waits", accept=lambda seen: seen["dirty"] == 4)
        assert daemon.status()["state"] == "paused"
        assert harness.requests() == before
        daemon.ask("resume")
        daemon.wait_in_sync()
        assert harness.requests() == before + 4


@pytest.mark.parametrize("abstract", [False, True])
def test_a_service_manager_is_told(harness: Harness, tmp_path: Path, abstract: bool) -> None:
    """READY, WATCHDOG, RELOADING with its time, READY again, and STOPPING."""
    address = f"@bgpreflector-{tmp_path.name}" if abstract else str(tmp_path / "n.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + address[1:] if abstract else address)
        manager.settimeout(30)

        def hear(wanted: str) -> dict[str, str]:
            while True:
                lines = manager.recv(4096).decode().splitlines()
                said = dict(line.split("=", 1) for line in lines)
                if wanted in said:
                    return said
                assert said.keys() <= {"WATCHDOG", "STATUS"}, said

        with harness.running(NOTIFY_SOCKET=address, WATCHDOG_USEC="200000") as daemon:
            assert hear("READY")["READY"] == "1"
            assert hear("WATCHDOG")["STATUS"]
            harness.write(kernel='deny = ["30.0.4.0/22"]')
            daemon.process.send_signal(signal.SIGHUP)
            assert int(hear("RELOADING")["MONOTONIC_USEC"]) > 0
            assert hear("READY")["READY"] == "1"
            daemon.wait_in_sync()
            # Those that were said before are heard first.
            while "in sync" not in hear("WATCHDOG")["STATUS"]:
                pass
            daemon.process.send_signal(signal.SIGTERM)
            assert hear("STOPPING")["STOPPING"] == "1"
            assert daemon.process.wait(30) == 0, daemon.log()
        assert len(harness.vpp.routes()) == MIRRORED - 4 == 2 * COUNT - 3
