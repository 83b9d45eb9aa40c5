"""What this process takes of memory."""

from __future__ import annotations

import ctypes
import gc
from pathlib import Path


def start_measuring() -> int:
    """Resident memory, bytes; `most_resident` is from now on."""
    # What earlier tests have left would serve for a while without any growth to be seen.
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return _field("VmRSS")


def most_resident() -> int:
    """The most since `start_measuring`, bytes."""
    return _field("VmHWM")


def _field(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) * 1024
    raise LookupError(name)
