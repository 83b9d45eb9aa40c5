"""What this process takes of memory."""

from __future__ import annotations

from pathlib import Path


def resident() -> int:
    """Resident memory, bytes."""
    return _field("VmRSS")


def most_resident() -> int:
    """The most since `forget_most_resident`, bytes."""
    return _field("VmHWM")


def forget_most_resident() -> None:
    """From now on, `most_resident` is of what comes."""
    Path("/proc/self/clear_refs").write_text("5")


def _field(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) * 1024
    raise LookupError(name)
