"""The daemon with zebra as its source, as an operator sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from e2e.daemon import RunningDaemon, running_daemon
from lab import Namespace, wait_until
from lab.vpp import SimulatedVpp

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
    made.ip("link", "add", "f0", "index", "10", "type", "veth", "peer", "name", "f0p")
    made.ip("link", "set", "f0p", "up")
    made.ip("link", "set", "f0", "up")
    made.ip("addr", "add", "10.7.0.1/24", "dev", "f0")
    return made


def state(daemon: RunningDaemon, wanted: str) -> dict[str, Any]:
    """Waits for a state; the status then."""
    return wait_until(daemon.status, TIMEOUT, wanted, accept=lambda seen: seen["state"] == wanted)


def test_what_an_operator_sees(router: Namespace, simulator: SimulatedVpp, tmp_path: Path) -> None:
    """From before zebra is there until after it has gone."""
    file = tmp_path / "bgpreflector.toml"
    file.write_text(CONFIGURATION)
    given = (
        "--config", str(file), "--socket", str(simulator.socket),
        "--interface", f"f0={simulator.interface}",
    )  # fmt: skip
    with running_daemon(tmp_path / "log", *given, namespace=router) as daemon:
        wait_until(daemon.answers, TIMEOUT, "it listens")
        state(daemon, "kernel_unread")
        assert "waiting for zebra at 127.0.0.1:2620" in daemon.ask("status")
        daemon.ask("status", "--check", exit_code=5)

        zebra = Zebra(router)
        zebra.rib = {KEY: Route(186, 1, (Hop("10.7.0.2", 10),))}
        zebra.connect()
        zebra.show()
        seen = state(daemon, "in_sync")
        assert seen["source"] == "fpm"

        def answered() -> bool:
            zebra.hear()
            return KEY in zebra.answered

        wait_until(answered, TIMEOUT, "an answer")
        assert zebra.answered[KEY].installed
        shown = daemon.ask("show", "routes", "--wide")
        assert "198.18.0.0/24 " in shown
        assert "fpm     via 10.7.0.2 f0  installed" in shown
        (row,) = daemon.ask_json("show", "routes", KEY[1])
        assert row["source"] == "fpm"
        status = daemon.ask("status")
        assert "has shown its routes; answers 1 offload, 0 wait" in status

        zebra.disconnect()
        lost = state(daemon, "source_lost")
        assert lost["ready"] is False
        assert lost["prefixes"]["ipv4"]["installed"] == 1
        assert "zebra is not connected" in daemon.ask("status", "--check", exit_code=5)
        zebra.connect()
        zebra.show()
        state(daemon, "in_sync")
        zebra.disconnect()
