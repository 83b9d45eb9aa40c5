"""``bgpreflector monitor``, from the first look to a daemon that is restarted."""

from __future__ import annotations

import json
import os
import pty
import select
import socket
import subprocess
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import Namespace, again_and_again, ip_batch, wait_until
from lab.command import PROGRAM
from lab.vpp import SimulatedVpp

from .running import RunningDaemon
from .world import reflecting, route

pytestmark = pytest.mark.root


class Terminal:
    """Somebody who watches, and presses keys."""

    def __init__(self, daemon: RunningDaemon, *command: str, **environment: str) -> None:
        self._ours, theirs = pty.openpty()
        self._theirs = theirs
        # In a session of its own, so that the terminal is its own, and it in the foreground.
        program = ("setsid", "--ctty", "--wait", *PROGRAM)
        self.before = termios.tcgetattr(theirs)
        self.process = subprocess.Popen(
            [*program, *command, "--control", str(daemon.control)],
            stdin=theirs,
            stdout=theirs,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "150", "LINES": "60"} | environment,
        )
        self.drawn = ""

    def look(self) -> str:
        """What it has drawn so far."""
        while select.select([self._ours], [], [], 0.1)[0]:
            self.drawn += os.read(self._ours, 65536).decode(errors="replace")
        return self.drawn

    def press(self, key: str) -> None:
        os.write(self._ours, key.encode())

    def is_as_before(self) -> bool:
        """Whether the terminal echoes again."""
        return termios.tcgetattr(self._theirs) == self.before

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._ours)
        os.close(self._theirs)


def test_whose_it_is_and_how_to_leave(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """Host and socket in the title, states and operations in colour; q ends it at once."""
    with reflecting(kernel, simulator, tmp_path / "d.log") as daemon:
        terminal = Terminal(daemon, "monitor", "--interval", "3600")
        try:
            wait_until(terminal.look, 30, "drawn", accept=lambda drawn: "last changes" in drawn)
            title = f"bgpreflector on {socket.gethostname()}, {daemon.control}"
            assert title in terminal.drawn
            assert "q quits" in terminal.drawn
            assert "\x1b[1;32min sync" in terminal.drawn
            assert "\x1b[32m" in terminal.drawn.partition("last changes")[2], "adds are green"
            assert "peak" in terminal.drawn
            terminal.press("q")
            assert terminal.process.wait(30) == 0
            assert terminal.is_as_before()
        finally:
            terminal.close()


def test_a_terminal_shows_the_status_and_the_last_changes(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """As often as it was asked for."""
    with reflecting(kernel, simulator, tmp_path / "d.log") as daemon:
        ip_batch(kernel, [f"route del {route(7)} proto 12"])
        wait_until(simulator.routes, 30, "gone", accept=lambda seen: route(7) not in seen)
        terminal = Terminal(daemon, "monitor", "--count", "2", "--interval", "0.1")
        try:
            wait_until(
                lambda: (terminal.look(), terminal.process.poll()),
                30,
                "it ends",
                accept=lambda seen: seen[1] == 0,
            )
            for text in ("in sync", "kernel (all)", "last changes", f"delete  {route(7)}"):
                assert text in terminal.look()
        finally:
            terminal.close()


def test_the_first_look_has_rates(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """Not only the second one."""
    changes = (
        f"route del {route(7)} proto 12",
        f"route add {route(7)} via 10.0.0.2 proto 12",
    )
    with (
        reflecting(kernel, simulator, tmp_path / "d.log") as daemon,
        again_and_again(lambda _: ip_batch(kernel, changes)),
    ):
        (look,) = wait_until(
            lambda: daemon.ask_json("monitor", "--count", "1"),
            60,
            "there are rates",
            accept=lambda seen: seen[0]["kernel_messages_per_second"] > 0,
        )
    assert look["status"]["state"]


def test_a_daemon_that_is_restarted(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """It is connected to again; what it counts begins anew."""
    log = tmp_path / "d.log"
    with reflecting(kernel, simulator, log) as daemon:
        first = daemon.status()["pid"]
        command = ("monitor", "--json", "--interval", "0.05", "--control", str(daemon.control))
        with subprocess.Popen([*PROGRAM, *command], stdout=subprocess.PIPE, text=True) as watcher:
            try:
                assert watcher.stdout is not None
                looks = map(json.loads, watcher.stdout)
                _until(looks, lambda look: look.get("status", {}).get("pid") == first)
                daemon.end()
                _until(looks, lambda look: "no daemon answers" in look.get("error", ""))
                with reflecting(kernel, simulator, log) as second:
                    pid = second.status()["pid"]
                    _until(looks, lambda look: look.get("status", {}).get("pid") == pid)
                    ip_batch(kernel, [f"route del {route(9)} proto 12"])
                    _until(looks, lambda look: route(9) in _changed(look))
            finally:
                watcher.kill()


def _until(
    looks: Iterator[dict[str, Any]], accept: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """The first look that is as expected; the test's own time limit bounds the wait."""
    return next(look for look in looks if accept(look))


def _changed(look: dict[str, Any]) -> set[str]:
    return {change["prefix"] for change in look.get("changes", ())}


def test_a_daemon_that_stays_away(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """The last of the looks that were asked for decides; the first must find one."""
    with reflecting(kernel, simulator, tmp_path / "d.log") as daemon:
        command = [*PROGRAM, "monitor", "--interval", "0.05"]
        command += ["--count", "100", "--control", str(daemon.control)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as watcher:
            assert watcher.stdout is not None
            watcher.stdout.readline()
            daemon.end()
            shown, said = watcher.communicate(timeout=60)
        assert watcher.returncode == 7, said
        assert "no answer: no daemon answers at" in shown
        assert daemon.ask("monitor", "--count", "1", exit_code=7) == ""
