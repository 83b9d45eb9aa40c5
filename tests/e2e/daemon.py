"""The daemon as a process, as an operator runs it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.netns import Namespace


class RunningDaemon:
    """``bgpreflector run``."""

    def __init__(self, *arguments: str, log: Path) -> None:
        self._log = log
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bgpreflector", "run", *arguments],
            stderr=log.open("wb"),
        )

    def log(self) -> str:
        """What it has logged."""
        return self._log.read_text()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Sends a signal and waits for the end; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)


@contextmanager
def running_daemon(
    log: Path, *arguments: str, namespace: Namespace | None = None
) -> Iterator[RunningDaemon]:
    """A daemon that is ended at the end."""
    netns = [] if namespace is None else ["--netns", str(namespace.path)]
    daemon = RunningDaemon(*netns, *arguments, log=log)
    try:
        yield daemon
    finally:
        if daemon.process.poll() is None:
            daemon.end()
