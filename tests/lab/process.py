"""The end of a daemon's process, and the end of its logs."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

SHOWN = 2000
"""Characters of each log."""


def end_process(process: subprocess.Popen[bytes], number: signal.Signals, timeout: float) -> bool:
    """Sends a signal and waits. If the process does not end in time: kills it, returns False."""
    process.send_signal(number)
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True


def log_ends(files: Iterable[Path]) -> str:
    """The end of each log that is there."""
    return "\n".join(file.read_text(errors="replace")[-SHOWN:] for file in files if file.exists())
