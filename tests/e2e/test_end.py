"""The end on a signal, whichever thread gets it."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab import wait_until

TGKILL = {"x86_64": 234, "aarch64": 131}
"""Number of the system call (``__NR_tgkill``), by machine."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_another_thread_gets(number: signal.Signals, tmp_path: Path) -> None:
    """The kernel may choose any; the main thread sleeps on and yet has to end."""
    call = TGKILL.get(platform.machine())
    if call is None:
        pytest.skip("the number of tgkill is not known for this machine: add it to TGKILL")
    place = tmp_path / "vpp.sock"
    arguments = ["simulate", "--socket", str(place)]
    process = subprocess.Popen(
        [sys.executable, "-m", "bgpreflector", *arguments], stderr=subprocess.PIPE
    )
    try:
        assert process.stderr is not None
        assert b"Listening" in process.stderr.readline()
        tasks = Path(f"/proc/{process.pid}/task")
        others = [int(entry.name) for entry in tasks.iterdir() if int(entry.name) != process.pid]
        asleep = lambda: "S" in (tasks / str(process.pid) / "stat").read_text().split()[2]  # noqa: E731
        wait_until(asleep, 10, "the main thread sleeps")
        done = ctypes.CDLL(None, use_errno=True).syscall(call, process.pid, others[0], int(number))
        assert done == 0, os.strerror(ctypes.get_errno())
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
