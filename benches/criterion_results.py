"""What criterion has measured of the core."""

from __future__ import annotations

import json
import os
from pathlib import Path

NANOSECONDS = 1e9
BACKGROUND_LOAD = "criterion-background-load"
"""The file in which `make bench` has noted what others did while criterion ran."""


def directory() -> Path:
    """Where criterion writes."""
    return Path(os.environ.get("CARGO_TARGET_DIR", "target")) / "criterion"


def background_load() -> float:
    """Share of the processors that others had while criterion ran; all where nobody looked."""
    file = directory().with_name(BACKGROUND_LOAD)
    return float(file.read_text()) if file.exists() else 1.0


def rate(benchmark: str, base: Path | None = None) -> tuple[float, int] | None:
    """Elements a second by the median, and elements; none where it was not measured.

    ``benchmark`` is the group and the function, like ``encode/plain``.
    """
    latest = (base or directory()) / benchmark / "new"
    try:
        estimates = json.loads((latest / "estimates.json").read_text())
        elements = json.loads((latest / "benchmark.json").read_text())["throughput"]["Elements"]
    except FileNotFoundError:
        return None
    return elements * NANOSECONDS / estimates["median"]["point_estimate"], elements
