"""The daemon with zebra as its source, as an operator sees it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from daemon.running import RunningDaemon, running_daemon
from daemon.world import reflecting
from lab import Namespace, wait_until
from lab.command import run_command
from lab.vpp import Routes, SimulatedVpp

from . import wire
from .wire import Hop
from .zebra import Route, Zebra

pytestmark = [pytest.mark.root, pytest.mark.timeout(180)]

TIMEOUT = 60.0
CONFIGURATION = """
[source]
kind = "fpm"

[fpm]
quiet_time = 0.5
"""
KEY = (254, "198.18.0.0/24")


@pytest.fixture
def router(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """One link, f0, which has index 10."""
    made = make_namespace("zebra")
    made.add_link("f0", "10.7.0.1/24", index=10)
    return made


@contextmanager
def started(router: Namespace, simulator: SimulatedVpp, tmp_path: Path) -> Iterator[RunningDaemon]:
    """A daemon that listens on its control socket."""
    file = tmp_path / "bgpreflector.toml"
    file.write_text(CONFIGURATION)
    given = ("--config", str(file))
    with reflecting(router, simulator, tmp_path / "log", *given, wait=False) as daemon:
        yield daemon


def test_what_an_operator_sees(router: Namespace, simulator: SimulatedVpp, tmp_path: Path) -> None:
    """From before zebra is there until after it has gone."""
    with started(router, simulator, tmp_path) as daemon:
        daemon.wait_state("kernel_unread", TIMEOUT)
        text = "waiting for zebra at 127.0.0.1:2620"
        wait_until(lambda: daemon.ask("status"), TIMEOUT, text, accept=lambda shown: text in shown)
        daemon.ask("status", "--check", exit_code=5)

        zebra = Zebra(router)
        zebra.rib = {KEY: Route(186, 1, (Hop("10.7.0.2", 10),))}
        zebra.connect()
        zebra.show()
        seen = daemon.wait_state("in_sync", TIMEOUT)
        assert seen["source"] == "fpm"

        result = wait_until(lambda: zebra.result(KEY), TIMEOUT, "a result")
        assert result is not None
        assert result.installed
        shown = daemon.ask("show", "routes", "--wide")
        assert "198.18.0.0/24 " in shown
        assert "fpm     via 10.7.0.2 f0  installed" in shown
        (row,) = daemon.ask_json("show", "routes", KEY[1])
        assert row["source"] == "fpm"
        status = daemon.ask("status")
        assert "has shown its routes; results 1 offload, 0 queued" in status

        hop = Hop("10.7.0.2", 10)
        zebra.send(wire.frame(wire.label_route(16, protocol=196, hop=hop, labels=[100, 200])))
        (label,) = wait_until(lambda: daemon.ask_json("show", "mpls"), TIMEOUT, "a label")
        assert (label["label"], label["protocol_name"]) == (16, "frr-static")
        shown = daemon.ask("show", "mpls")
        assert "16     frr-static  swap 100/200 via 10.7.0.2 f0  held: MPLS routes are" in shown
        assert "held       1 mpls route" in daemon.ask("status").splitlines()
        assert daemon.status()["state"] == "in_sync"

        zebra.disconnect()
        lost = daemon.wait_state("source_lost", TIMEOUT)
        assert lost["ready"] is False
        assert lost["prefixes"]["ipv4"]["installed"] == 1
        assert "zebra is not connected" in daemon.ask("status", "--check", exit_code=5)
        zebra.connect()
        zebra.show()
        daemon.wait_state("in_sync", TIMEOUT)
        zebra.disconnect()


def test_a_table_that_changes_all_the_time_is_programmed(
    router: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """A full table is never silent: what was shown before is no sign that more is to come."""
    with started(router, simulator, tmp_path) as daemon:
        wait_until(lambda: daemon.status()["fpm"]["listen"], TIMEOUT, "it listens for zebra")
        route = Route(186, 1, (Hop("10.7.0.2", 10),))
        flapping = (254, "198.18.1.0/24")
        zebra = Zebra(router)
        zebra.rib = {KEY: route, flapping: route}
        zebra.connect()
        zebra.show()

        def flap() -> Routes:
            zebra.delete(flapping)
            zebra.install(flapping, route)
            return simulator.routes()

        wait_until(flap, TIMEOUT, "VPP has both", accept=lambda routes: len(routes) == 2)
        zebra.disconnect()


@contextmanager
def running(
    router: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> Iterator[tuple[RunningDaemon, Path, Zebra]]:
    """A daemon in sync with a zebra that has one route, and its configuration."""
    file = tmp_path / "bgpreflector.toml"
    file.write_text(
        f'{CONFIGURATION}[vpp]\napi_socket = "{simulator.socket}"\n'
        f'[vpp.interfaces.map]\nf0 = "{simulator.interface}"\n'
        f'[kernel]\nnamespace = "{router.path}"\n[control]\nsocket = "{tmp_path / "log.sock"}"\n'
    )
    with running_daemon(tmp_path / "log", "--config", str(file)) as daemon:
        daemon.wait_listening(TIMEOUT)
        wait_until(lambda: daemon.status()["fpm"]["listen"], TIMEOUT, "it listens for zebra")
        zebra = Zebra(router)
        zebra.rib = {KEY: Route(186, 1, (Hop("10.7.0.2", 10),))}
        zebra.connect()
        zebra.show()
        daemon.wait_state("in_sync", TIMEOUT)
        yield daemon, file, zebra
        zebra.disconnect()


def refused(*arguments: str) -> None:
    """One that says that there is nothing to compare with."""
    done = run_command(*arguments, exit_code=1)
    assert "zebra sends its routes to the daemon alone" in done.stderr
    assert done.stdout == ""


def test_who_would_read_the_kernel(
    router: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """Asks the daemon, or says that its routes are not the kernel's."""
    router.ip("route", "add", "203.0.113.0/24", "via", "10.7.0.9", "proto", "bgp")
    with running(router, simulator, tmp_path) as (daemon, file, _):
        of = ("--config", str(file))
        for asked in ("plan", "audit"):
            refused(asked, *of)
        assert simulator.routes() == {KEY[1]: frozenset({"10.7.0.2"})}
        repaired = run_command("audit", "--repair", *of)
        assert repaired.stdout == "found: nothing; left: nothing; in sync\n"

        kernel = run_command("show", "routes", "--kernel", *of)
        assert kernel.returncode == 0
        assert "203.0.113.0/24" in kernel.stdout
        assert "the daemon's come from zebra" in kernel.stderr

        found = json.loads(run_command("doctor", "--json", *of).stdout)["findings"]
        said = {(one["check"], one["object"]): one for one in found}
        assert said["fpm", "table 254 ipv4"]["what"] == "1 route of zebra"
        assert "mapped to VPP's loop0" in said["interfaces", "f0"]["what"]
        assert not [one for one in found if one["check"] == "routes"], found
        assert "203.0.113" not in str(found)
        assert daemon.end() == 0, daemon.log()
    refused("audit", "--repair", "--no-daemon", *of)
    found = json.loads(run_command("doctor", "--json", *of).stdout)["findings"]
    (alone,) = [one for one in found if (one["check"], one["object"]) == ("fpm", "routes")]
    assert alone["severity"] == "warning"
    assert "zebra sends its routes to a daemon alone" in alone["what"]


def test_a_reload_moves_the_listener(
    router: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """VPP keeps what it has until zebra has shown its routes at the new place."""
    with running(router, simulator, tmp_path) as (daemon, file, zebra):
        file.write_text(file.read_text().replace("[fpm]", '[fpm]\nlisten = "127.0.0.1:2999"'))
        assert "fpm.listen" in daemon.ask("reload")
        status = daemon.status()
        assert (status["fpm"]["listen"], status["fpm"]["peer"]) == ("127.0.0.1:2999", None)
        assert simulator.routes() == {KEY[1]: frozenset({"10.7.0.2"})}
        zebra.disconnect()
        zebra.port = 2999
        other = (254, "198.18.9.0/24")
        zebra.rib[other] = Route(186, 1, (Hop("10.7.0.2", 10),))
        zebra.connect()
        zebra.show()
        daemon.wait_state("in_sync", TIMEOUT)
        expected = dict.fromkeys((KEY[1], other[1]), frozenset({"10.7.0.2"}))
        wait_until(simulator.routes, TIMEOUT, "both", accept=lambda seen: seen == expected)
        requests = daemon.status()["vpp"]["requests"]
        assert requests["delete"]["done"] == 0
