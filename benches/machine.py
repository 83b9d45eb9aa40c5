"""The machine and the versions that figures belong to."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from importlib.metadata import version
from pathlib import Path


def describe() -> dict[str, str]:
    """What the figures depend on, by name."""
    return {
        "processors": f"{os.cpu_count()} of {_field('/proc/cpuinfo', 'model name')}",
        "memory": f"{int(_field('/proc/meminfo', 'MemTotal').split()[0]) >> 20} GiB",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "rustc": _said("rustc", "--version"),
        "bgpreflector": f"{version('bgpreflector')} ({_said('git', 'describe', '--always')})",
        "pyroute2": version("pyroute2"),
        "vpp_papi": version("vpp-papi"),
        "load": " ".join(f"{load:.1f}" for load in os.getloadavg()),
        "date": time.strftime("%Y-%m-%d"),
    }


def _field(file: str, name: str) -> str:
    for line in Path(file).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "none"
    return done.stdout.strip()
