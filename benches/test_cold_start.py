"""From nothing to ready to send: the kernel's dump, the table, the difference."""

from __future__ import annotations

import time
from statistics import median

import pytest

from lab import Namespace

from .bare_dump import bare_dump
from .conftest import Add
from .rows import Row, at_most
from .size import ALL, rounds
from .timing import in_turns, ratio, timed
from .world import EVERYTHING, LINK, SW_IF_INDEX, engine

pytestmark = [pytest.mark.root, pytest.mark.timeout(1800)]

TARGET = at_most(1.25, ratio=True)


def cold_start(kernel: Namespace) -> float:
    """Seconds until all changes for VPP are ready."""
    made = engine(kernel)
    made.set_interfaces({LINK: SW_IF_INDEX}, None, False)
    began = time.perf_counter()
    report = made.resync()
    batch = made.take_batch(EVERYTHING)
    taken = time.perf_counter() - began
    assert report.dumps == 1
    assert len(batch) == batch.adds == ALL
    batch.release()
    made.close()
    return taken


@pytest.mark.parametrize("kind", ["plain", "ecmp"])
def test_cold_start(kind: str, request: pytest.FixtureRequest, add: Add) -> None:
    """Against the same dump received and thrown away."""
    kernel: Namespace = request.getfixturevalue(f"{kind}_kernel")
    ours, bare = in_turns(rounds(7), lambda: cold_start(kernel), lambda: bare_dump(kernel))
    what = f"Cold start: dump, table, difference, {kind}"
    add(Row(what, median(ours), "s", "bare dump", median(bare), ratio(ours, bare), TARGET))


def test_others_who_read_it_all(plain_kernel: Namespace, add: Add) -> None:
    """What `ip route` takes to show the same routes."""

    def show() -> None:
        for family in ("-4", "-6"):
            shown = plain_kernel.ip(family, "route", "show", "table", "main").count("\n")
            assert shown > 0

    ours, theirs = in_turns(rounds(2), lambda: cold_start(plain_kernel), lambda: timed(show))
    what = "Cold start, against a list of the routes"
    add(Row(what, median(ours), "s", "ip route show", median(theirs), ratio(ours, theirs)))
