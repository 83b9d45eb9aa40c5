"""Kernels, VPPs and the table of results that the benchmarks share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from lab import Namespace
from lab.requirements import missing
from lab.vpp import RealVpp, SimulatedVpp, Startup

from . import criterion_results, machine, report
from .background_load import BackgroundLoad
from .rows import Row
from .size import ASKED, MEASURES, V4, V6
from .world import apply, both_tables, empty_kernel, lines

OUT = "BGPREFLECTOR_BENCH_OUT"
"""Environment variable: the directory that the results are written to."""

ORDER = (
    "core", "cold_start", "resync", "simulator", "real_vpp", "vpp_inside", "events", "latency",
    "idle", "memory", "storm", "churn", "withdrawal", "boundary",
)  # fmt: skip
"""Of the modules, and so of the table's rows."""

ROWS = pytest.StashKey[list[Row]]()

Add = Callable[[Row], None]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sorts the benchmarks as the table has them; without `make bench` nothing is measured."""
    if not ASKED:
        measured = [item for item in items if item.get_closest_marker("measured")]
        config.hook.pytest_deselected(items=measured)
        items[:] = [item for item in items if item not in measured]

    def place(item: pytest.Item) -> int:
        name = item.path.stem.removeprefix("test_")
        return ORDER.index(name) if name in ORDER else -1

    here = Path(__file__).parent
    if all(item.path.parent == here for item in items):
        items.sort(key=place)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips what needs something that is missing; `lab.skips` says where that is a failure."""
    for marker in ("root", "bird", "vpp"):
        reason = missing(marker) if item.get_closest_marker(marker) else None
        if reason:
            pytest.skip(f"{marker}: {reason}")


@pytest.fixture
def add(request: pytest.FixtureRequest) -> Iterator[Add]:
    """Takes rows, and notes what others did on the machine meanwhile."""
    rows: list[Row] = []
    background = BackgroundLoad()
    yield rows.append
    share = max(
        background.share(),
        criterion_results.background_load() if "measured" in request.keywords else 0.0,
    )
    kept = request.config.stash.setdefault(ROWS, [])
    kept += [replace(row, background_load=share) for row in rows]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Shows the table, and writes it where that is asked for."""
    rows = config.stash.get(ROWS, [])
    if not rows:
        return
    described = machine.describe()
    if MEASURES:
        terminalreporter.ensure_newline()
        report.show(rows, described, Console(width=160))
    else:
        terminalreporter.write_line(f"{len(rows)} rows, too small to mean anything: `make bench`")
    if OUT in os.environ:
        report.write(rows, described, Path(os.environ[OUT]))


@pytest.fixture(scope="session")
def plain_kernel() -> Iterator[Namespace]:
    """A full table, each route with one next hop; tests that change it restore it."""
    with empty_kernel("plain") as made:
        apply(made, lines("add", both_tables(V4, V6)))
        yield made


@pytest.fixture(scope="session")
def ecmp_kernel() -> Iterator[Namespace]:
    """A full table, each route with four; tests name it by ``getfixturevalue``."""
    with empty_kernel("ecmp") as made:
        apply(made, lines("add", both_tables(V4, V6), next_hops=4))
        yield made


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[SimulatedVpp]:
    """The embedded VPP."""
    with SimulatedVpp.running(tmp_path) as made:
        yield made


@pytest.fixture
def real_vpp(tmp_path: Path) -> Iterator[RealVpp]:
    """A real VPP with room for the table."""
    startup = Startup(heap="6G", statseg="3G", sleep=0) if MEASURES else Startup()
    with RealVpp.running(tmp_path, startup) as made:
        yield made
