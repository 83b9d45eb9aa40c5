"""The process's metrics under what the unit forbids."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

UNIT = Path(__file__).parents[3] / "packaging" / "systemd" / "bgpreflector.service"

PROGRAM = """
from prometheus_client import CollectorRegistry, generate_latest
from bgpreflector.metrics.process import OwnProcess
registry = CollectorRegistry()
OwnProcess(registry=registry)
print(generate_latest(registry).decode())
"""


@pytest.mark.root
def test_they_are_there_where_only_processes_are_in_proc() -> None:
    """As by the unit's own ProcSubset=pid: those that alerts and panels ask for."""
    assert "ProcSubset=pid" in UNIT.read_text().splitlines()
    hidden = 'mount -t proc -o subset=pid proc /proc && ! test -e /proc/stat && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", hidden, "sh", sys.executable, "-c", PROGRAM],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    values = {
        sample.name: sample.value
        for family in text_string_to_metric_families(done.stdout)
        for sample in family.samples
    }
    assert values["process_resident_memory_bytes"] > 1 << 20
    assert values["process_cpu_seconds_total"] > 0
    assert values["process_open_fds"] > 2
    assert abs(values["process_start_time_seconds"] - time.time()) < 3600
