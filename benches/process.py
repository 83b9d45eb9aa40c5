"""The daemon as a process of its own, and what the kernel says of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from daemon.running import running_daemon
from lab import Namespace, wait_until
from lab.vpp import SimulatedVpp

from .world import LINK

TIMEOUT = 300.0
"""Seconds."""


@dataclass(frozen=True)
class Process:
    """A process by its id."""

    pid: int

    def resident(self) -> tuple[int, int]:
        """Resident memory now and at most so far, bytes."""
        status = _fields(Path(f"/proc/{self.pid}/status"))
        now, most = (int(status[key].split()[0]) << 10 for key in ("VmRSS", "VmHWM"))
        return now, most

    def forget_most(self) -> int:
        """Resident memory now, bytes; the most counts from now on."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        now, _ = self.resident()
        return now

    def wakeups(self) -> dict[str, int]:
        """By thread's name, how often its threads have waited so far and gone on."""
        found: dict[str, int] = {}
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            status = _fields(task / "status")
            name = f"{status['Name']}-{task.name}"
            found[name] = int(status["voluntary_ctxt_switches"])
        return found


@contextmanager
def daemon(kernel: Namespace, vpp: SimulatedVpp, routes: int) -> Iterator[Process]:
    """A daemon that follows the namespace, once VPP has so many routes."""
    with (
        tempfile.TemporaryDirectory(prefix="bgpr-bench-") as directory,
        running_daemon(
            Path(directory) / "log",
            "--socket", str(vpp.socket), "--interface", f"{LINK}={vpp.interface}",
            namespace=kernel,
        ) as running,
    ):  # fmt: skip
        # With the last of them the log says so, and so does VPP.
        wait_until(
            lambda: (vpp.simulator.statistics()["routes"], "applied" in running.log()),
            TIMEOUT,
            f"{routes} routes in VPP: {running.log()}",
            accept=lambda seen: seen == (routes, True),
        )
        yield Process(running.process.pid)


def _fields(file: Path) -> dict[str, str]:
    pairs = (line.partition(":") for line in file.read_text().splitlines())
    return {key: value.strip() for key, _, value in pairs}
