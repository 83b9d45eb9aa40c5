"""The way from Python into the core, which is gone once a batch."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bgpreflector import _core
from lab import Namespace

from .conftest import Add
from .rows import Row
from .size import MEASURES
from .world import LINK, SW_IF_INDEX, engine

pytestmark = pytest.mark.root

BATCH = 1000
"""Changes."""


@pytest.fixture
def dirty(plain_kernel: Namespace) -> Iterator[_core.Engine]:
    """An engine with nothing in VPP."""
    made = engine(plain_kernel)
    made.set_interfaces({LINK: SW_IF_INDEX}, None, False)
    made.resync()
    yield made
    made.close()


def take_and_give_back(made: _core.Engine) -> int:
    """A batch of one change."""
    batch = made.take_batch(1)
    batch.release()
    return len(batch)


def look_at_changes(made: _core.Engine) -> int:
    """Shows every change of a batch to Python."""
    batch = made.take_batch(BATCH)
    shown = sum(1 for _ in batch.changes(BATCH))
    batch.release()
    return shown


@pytest.mark.parametrize(
    ("what", "call"),
    [
        ("Take a batch and give it back", take_and_give_back),
        ("Status", _core.Engine.status),
        (f"Show {BATCH:,} changes to Python", look_at_changes),
    ],
)
def test_crossing(
    what: str, call: object, dirty: _core.Engine, benchmark: BenchmarkFixture, add: Add
) -> None:
    """Calls that handlers make."""
    assert callable(call)
    rounds = 200 if MEASURES else 1
    result = benchmark.pedantic(call, args=(dirty,), rounds=rounds)
    assert result
    if benchmark.stats is not None:
        add(Row(f"Python to Rust: {what}", benchmark.stats.stats.median * 1e6, "µs"))
