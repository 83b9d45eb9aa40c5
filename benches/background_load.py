"""What else the machine does while something is measured.

``python -m benches.background_load FILE COMMAND…`` runs a command and writes to FILE the share of
the processors that others had meanwhile.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil

KTHREADD = 2
"""Process id of the parent of all kernel threads: they work for who is measured."""

BUSY = 0.05
"""Share of the processors from which on a machine is called busy."""


class BackgroundLoad:
    """Counts from its creation on."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._used = _used()

    def share(self) -> float:
        """Of all processors, 0 to 1: what neither this process nor those that it started used,
        with what the hypervisor took."""
        available = (time.monotonic() - self._began) * (psutil.cpu_count() or 1)
        return max(0.0, (_used() - self._used) / available)


def load_name(share: float) -> str:
    """``quiet`` or ``busy``."""
    return "busy" if share > BUSY else "quiet"


def _used() -> float:
    """Seconds of processors that others have used so far. Interrupts count for nobody."""
    times = psutil.cpu_times()
    all_used: float = times.user + times.nice + times.system + times.steal
    kernel = psutil.Process(KTHREADD) if psutil.pid_exists(KTHREADD) else None
    ours = [psutil.Process(), *psutil.Process().children(recursive=True)]
    ours += kernel.children() if kernel else []
    return all_used - sum(map(_of, ours))


def _of(process: psutil.Process) -> float:
    """A process' own seconds, and those of the children that it has waited for."""
    try:
        own = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(own.user + own.system + own.children_user + own.children_system)


def main(file: str, *command: str) -> int:
    """Runs the command; its exit code."""
    background = BackgroundLoad()
    done = subprocess.run(command, check=False)
    Path(file).write_text(f"{background.share()}\n")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
