"""The daemon as a process, as an operator runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bgpreflector.control import ControlClient
from bgpreflector.errors import ControlError
from lab.command import PROGRAM, run_command
from lab.netns import Namespace
from lab.wait import wait_until


class RunningDaemon:
    """A ``bgpreflector run`` process."""

    def __init__(
        self, *arguments: str, log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._log = log
        self.control = log.with_suffix(".sock")
        """Its control socket, unless the arguments name another."""

        control = () if "--control" in arguments else ("--control", str(self.control))
        with log.open("wb") as written:
            self.process = subprocess.Popen(
                [*PROGRAM, "run", *arguments, *control],
                stderr=written,
                # So that the signal that ends a daemon which hangs shows where.
                env={**os.environ, "PYTHONFAULTHANDLER": "1", **(environment or {})},
            )

    def log(self) -> str:
        """The log so far."""
        return self._log.read_text()

    def ask(self, *command: str, exit_code: int = 0) -> str:
        """Runs a command against the daemon; what it prints."""
        done = run_command(*command, "--control", str(self.control), exit_code=None)
        assert done.returncode == exit_code, done.stdout + done.stderr + self.log()
        return done.stdout

    def ask_json(self, *command: str, exit_code: int = 0) -> list[dict[str, Any]]:
        """Runs a command with ``--json``; the objects that it prints."""
        printed = self.ask(*command, "--json", exit_code=exit_code)
        return [json.loads(line) for line in printed.splitlines()]

    def status(self) -> dict[str, Any]:
        """The daemon's status, over the control socket."""
        with ControlClient(self.control, timeout=60) as client:
            return dict(client.ask("status").end)

    def wait_listening(self, timeout: float = 30) -> None:
        """Waits until it listens at its control socket."""
        wait_until(self.answers, timeout, "it listens at its control socket")

    def wait_state(self, state: str, timeout: float = 30) -> dict[str, Any]:
        """Waits until it listens, and is in a state; the status then."""
        self.wait_listening(timeout)
        return wait_until(self.status, timeout, state, accept=lambda seen: seen["state"] == state)

    def wait_in_sync(self, timeout: float = 30) -> dict[str, Any]:
        """Waits until it listens, and VPP has acknowledged all desired routes; the status then."""
        self.wait_listening(timeout)
        return wait_until(self.status, timeout, "in sync", accept=lambda seen: seen["in_sync"])

    def refuse_reload(self, times: int = 1) -> None:
        """Sends SIGHUP, and waits until the log has said so many times that a reload is refused."""
        self.process.send_signal(signal.SIGHUP)
        wait_until(
            lambda: self.log().count("the configuration before stays in use"),
            30,
            f"refusal {times}",
            accept=lambda seen: seen == times,
        )

    def answers(self) -> bool:
        """Whether it listens at its control socket."""
        try:
            ControlClient(self.control).close()
        except ControlError:
            return False
        return True

    def end(self, number: int = signal.SIGTERM) -> int:
        """Sends a signal and waits for the end; the exit code.

        One that does not end is ended; what each of its threads did then is a note of the error.
        """
        self.process.send_signal(number)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired as error:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait(30)
            error.add_note(self.log())
            raise


@contextmanager
def running_daemon(
    log: Path,
    *arguments: str,
    namespace: Namespace | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[RunningDaemon]:
    """A daemon that is ended at the end; ``environment`` is added to this process's own."""
    netns = [] if namespace is None else ["--netns", str(namespace.path)]
    daemon = RunningDaemon(*netns, *arguments, log=log, environment=environment)
    try:
        yield daemon
    finally:
        if daemon.process.poll() is None:
            daemon.end()
