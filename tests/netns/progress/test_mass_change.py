"""Many routes that change at once: one line in the log."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bgpreflector.config import Config
from bgpreflector.daemon.daemon import Daemon
from bgpreflector.daemon.mass_change import MAX_WAIT, MassChanges
from bgpreflector.daemon.report import Requests, StatusReport
from bgpreflector.daemon.status import status_of
from daemon.running import running_daemon
from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp

LOGGER = "bgpreflector.daemon.mass_change"
OTHERS, LOST = 3000, 2000


class Watched:
    """A daemon's status as it is sampled, and what is logged of it."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        daemon = Daemon(Config())
        try:
            self._report = status_of(daemon)
        finally:
            daemon.stop()
        caplog.set_level(logging.INFO, LOGGER)
        self._caplog = caplog
        self._now = 0.0
        self.walks = 0
        self.routes: Mapping[str, int] = {}
        self._changes = MassChanges(self._census)

    def _census(self) -> Mapping[str, int]:
        self.walks += 1
        return self.routes

    def sample(self, *, in_sync: bool = True, state: str | None = None, **done: int) -> bool:
        """Half a second later; ``done`` are the requests that VPP has done so far."""
        self._now += 0.5
        report: StatusReport = replace(
            self._report,
            state=state or ("in_sync" if in_sync else "synchronising"),
            in_sync=in_sync,
            vpp=replace(
                self._report.vpp, requests={name: Requests(n, 0) for name, n in done.items()}
            ),
        )
        return self._changes.sample(report, self._now)

    @property
    def lines(self) -> list[str]:
        """Those since the last call."""
        found = [record.message for record in self._caplog.records if record.name == LOGGER]
        self._caplog.clear()
        return found


@pytest.fixture
def watched(caplog: pytest.LogCaptureFixture) -> Watched:
    """With 5,000 routes in VPP."""
    made = Watched(caplog)
    made.sample(in_sync=False, add=0, delete=0, replace=0)
    made.sample(in_sync=False, add=3000, delete=0, replace=0)
    made.routes = {"eth0": 3000, "eth1": 2000}
    assert not made.sample(add=5000, delete=0, replace=0), "there may be more"
    assert made.sample(add=5000, delete=0, replace=0)
    assert made.lines == ["5,000 routes added, 3,000 through eth0 now, 2,000 through eth1 now"]
    return made


def test_a_link_is_lost(watched: Watched) -> None:
    """However many batches it takes: one line, with the interface that they went through."""
    for done in (400, 800, 2000):
        watched.routes = {"eth0": 3000, "eth1": 2000 - done} if done < 2000 else {"eth0": 3000}
        assert not watched.sample(add=5000, delete=done, replace=0)
    assert watched.sample(add=5000, delete=2000, replace=0)
    assert watched.lines == ["2,000 routes withdrawn, 0 left through eth1"]


def test_routes_move_to_another_interface(watched: Watched) -> None:
    """Most are replaced: what is left, and what has come."""
    watched.routes = {"eth0": 4900, "eth1": 0}
    watched.sample(add=5000, delete=100, replace=1900)
    watched.sample(add=5000, delete=100, replace=1900)
    assert watched.lines == [
        "1,900 routes changed, 100 withdrawn, 0 left through eth1, 4,900 through eth0 now"
    ]


def test_a_few_are_not_worth_a_line(watched: Watched) -> None:
    """Nor many that come one by one; the table is walked once in a thousand all the same."""
    walks = watched.walks
    for done in range(5001, 7501):
        watched.sample(add=done, delete=0, replace=0)
        assert watched.sample(add=done, delete=0, replace=0)
    assert watched.lines == []
    assert watched.walks == walks + 2


def test_changes_without_an_end(watched: Watched) -> None:
    """They are told of once a minute."""
    samples = int(2 * MAX_WAIT) * 3
    for done in range(samples):
        watched.sample(add=5000 + 50 * done, delete=50 * done, replace=0)
    lines = watched.lines
    assert 2 <= len(lines) <= 3, lines
    assert "(200 a second)" in lines[-1]


def test_routes_that_vpp_refuses(watched: Watched) -> None:
    """They keep it from being in sync, and are no reason not to tell of the others."""
    for _ in range(2):
        watched.sample(in_sync=False, state="rejected", add=6500, delete=0, replace=0)
    (line,) = watched.lines
    assert line.startswith("1,500 routes added")


def test_another_daemon_counts_from_the_beginning(watched: Watched) -> None:
    """After a reload."""
    watched.routes = {"eth0": 5000}
    for _ in range(2):
        watched.sample(add=2000, delete=0, replace=0)
    (line,) = watched.lines
    assert line.startswith("2,000 routes added")


def _two_links(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """Some routes through each."""
    made = make_namespace("mass")
    commands = []
    for number, (link, count) in enumerate((("f0", OTHERS), ("eth1", LOST))):
        made.add_link(link, f"10.0.{number}.1/24")
        commands += [
            f"route add {20 + number}.{n >> 8}.{n & 255}.0/24 via 10.0.{number}.2 proto 12"
            for n in range(count)
        ]
    ip_batch(made, commands)
    return made


@pytest.mark.root
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_daemon_tells_of_a_lost_link(
    make_namespace: Callable[[str], Namespace],
    simulator: SimulatedVpp,
    tmp_path: Path,
    form: str,
) -> None:
    """Once, by the interface's name; as fields where it logs JSON, and no line of the controller's
    own words."""
    kernel = _two_links(make_namespace)
    config = tmp_path / "log.toml"
    config.write_text(f'[log]\nformat = "{form}"\n[vpp.interfaces]\nmap = {{f0 = 1, eth1 = 2}}\n')
    arguments = ("--config", str(config), "--socket", str(simulator.socket))
    with running_daemon(tmp_path / "d.log", *arguments, namespace=kernel) as daemon:
        daemon.wait_listening()
        wait_until(
            daemon.status,
            60,
            "in sync",
            accept=lambda seen: seen["in_sync"] and len(simulator.routes()) == OTHERS + LOST,
        )
        told = lambda: len(_told(daemon.log(), form))  # noqa: E731
        wait_until(told, 30, "a line about the first sync", accept=lambda n: n == 1)
        kernel.ip("link", "set", "eth1", "down")
        wait_until(told, 30, "a line about the loss", accept=lambda n: n == 2)
        assert len(simulator.routes()) == OTHERS
        assert daemon.end() == 0
        _, last = _told(daemon.log(), form)
    if form == "text":
        assert "2,000 routes withdrawn, 0 left through eth1" in last
        assert "routes withdrawn, 0 left" not in daemon.log().replace(last, "")
        assert "Full Resync" not in daemon.log()
        return
    found: dict[str, Any] = json.loads(last)
    assert (found["event"], found["withdrawn"]) == ("routes changed", LOST)
    assert found["interfaces"] == {"eth1": 0}
    entries = [json.loads(line) for line in daemon.log().splitlines()]
    (resync,) = [entry for entry in entries if entry["event"] == "resync done"]
    assert (resync["applied"], resync["refused"], resync["held"]) == (OTHERS + LOST, 0, 0)
    assert len(entries) < 40


def _told(log: str, form: str) -> list[str]:
    words = '"event": "routes changed"' if form == "json" else ("routes added", "routes withdrawn")
    return [
        line
        for line in log.splitlines()
        if (words in line if isinstance(words, str) else any(word in line for word in words))
    ]
