"""What ``status`` and ``monitor`` say of a daemon."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bgpreflector.cli.status import _row
from bgpreflector.units import duration_text, size_text
from daemon.world import HELD, MIRRORED, reflecting
from lab import Namespace, wait_until
from lab.command import run_command
from lab.vpp import SimulatedVpp


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        # At rest; being filled; with routes to delete; with what VPP drops in place of two; with
        # four of an earlier run that stay: alone, beside routes to delete, and being filled.
        ((5, 1, 0, 4, 0, 0), (5, 4, 0, 1, 0, 0)),
        ((5, 1, 0, 1, 1, 0), (5, 1, 2, 1, 1, 0)),
        ((5, 1, 0, 9, 0, 0), (5, 4, 0, 1, 0, 5)),
        ((5, 2, 2, 5, 0, 0), (5, 3, 0, 2, 0, 0)),
        ((5, 1, 0, 8, 0, 4), (5, 4, 0, 1, 0, 0)),
        ((5, 1, 0, 9, 0, 4), (5, 4, 0, 1, 0, 1)),
        ((5, 1, 0, 5, 0, 4), (5, 1, 3, 1, 0, 0)),
    ],
)
def test_a_row_adds_up(counts: tuple[int, ...], shown: tuple[int, ...]) -> None:
    """Mirrored is the sum of installed, queued, held and rejected."""
    names = ("mirrored", "held", "substituted", "installed", "rejected", "unconfirmed")
    row = _row(dict(zip(names, counts, strict=True)))
    columns = ("mirrored", "installed", "queued", "held", "rejected", "leaving")
    assert tuple(row[name] for name in columns) == shown
    assert row["mirrored"] == sum(row[name] for name in columns[1:5])


def test_sizes_and_durations() -> None:
    assert [size_text(n) for n in (0, 1 << 20, 33_554_432, 3 << 29)] == [
        "0 bytes",
        "1 MiB",
        "32 MiB",
        "1.5 GiB",
    ]
    assert [duration_text(s) for s in (0, 1, 59.6, 3599.6, 86400)] == [
        "0 s",
        "1 s",
        "1 min 0 s",
        "1 h 0 min",
        "1 d 0 h",
    ]


WITHOUT_RICH = """
import sys
from bgpreflector.cli import main
sys.argv = ["bgpreflector", *sys.argv[1:]]
try:
    main()
finally:
    assert "rich" not in sys.modules
"""


@pytest.mark.root
def test_status_helps_where_something_is_wrong(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """With the file that has a mistake, and with the VPP that is gone."""
    with reflecting(kernel, simulator, tmp_path / "d.log") as daemon:
        text = daemon.ask("status")
        head, row = text.splitlines()[1:3]
        figures = dict(
            zip(re.split(r"  +", head)[1:], re.split(r"  +", row)[1:], strict=True),
        )
        assert row.startswith("main ipv4 -> VPP 0")
        parts = (figures[name] for name in ("installed", "queued", "held", "rejected"))
        assert int(figures["mirrored"]) == sum(map(int, parts))
        (status,) = daemon.ask_json("status")
        assert sum(c["mirrored"] for c in status["prefixes"].values()) == MIRRORED + HELD - 1
        assert status["process_uptime_seconds"] >= status["uptime_seconds"]
        assert "show routes --held" not in text
        assert daemon.ask("status", "--legend").count("show routes --held") == 1

        # A shell's loop asks often: what draws on a terminal is not loaded for a few lines.
        ended = subprocess.run(
            [sys.executable, "-c", WITHOUT_RICH, "status", "--control", str(daemon.control)],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ended.stdout.splitlines()[1:3] == text.splitlines()[1:3]

        (look,) = daemon.ask_json("monitor", "--count", "1")
        assert look["status"]["state"] == "in_sync"
        assert look["changes"][0]["paths"][0]["interface"] == "loop0"

        # A file that is no TOML; what a key says is judged where no daemon answers.
        for wrong, warned in (('protocol = "x"', False), ("protocols = [", True)):
            file = tmp_path / "wrong.toml"
            file.write_text(f'[control] # ours\nsocket = "{daemon.control}"\n[kernel]\n{wrong}\n')
            done = run_command("status", "--json", "-c", str(file))
            assert json.loads(done.stdout)["state"] == "in_sync"
            assert (f"{file} has mistakes" in done.stderr) == warned

        simulator.simulator.stop()
        lost = wait_until(
            lambda: daemon.status()["vpp"], 30, "it waits", accept=lambda v: v["next_try_seconds"]
        )
        assert not lost["connected"]
        said = wait_until(
            lambda: daemon.ask("status", "--check", exit_code=4), 30, "said", accept=bool
        )
        assert re.search(r"VPP \S+ is lost, and tried again (now|in [\d.]+ s): ", said)
