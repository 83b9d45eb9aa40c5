"""A full sync into a VPP that answers at once."""

from __future__ import annotations

from statistics import median

import pytest

from lab import Namespace
from lab.vpp import SimulatedVpp

from .conftest import Add
from .ready_made import Requests, connected
from .rows import Row, at_least
from .size import ALL, MEASURES, V4, V6, rounds
from .timing import in_turns, ratio
from .vpp_side import SOURCE, fib_source, ready_to_send, send_all
from .world import both_tables

pytestmark = [pytest.mark.root, pytest.mark.timeout(1800)]

NEXT_HOPS = {"plain": 1, "ecmp": 4}


@pytest.mark.parametrize("kind", NEXT_HOPS)
def test_full_sync(
    kind: str, request: pytest.FixtureRequest, simulator: SimulatedVpp, add: Add
) -> None:
    """Against the same frames, packed beforehand."""
    kernel: Namespace = request.getfixturevalue(f"{kind}_kernel")
    source = fib_source(simulator)
    with (
        ready_to_send(kernel, simulator) as made,
        connected(simulator.socket) as plain,
    ):
        requests = Requests(plain.message, plain.client, source)
        table = both_tables(V4, V6)
        adds, deletes = requests.adds(table, NEXT_HOPS[kind]), requests.deletes(table)
        found = []

        def look() -> None:
            # A full table is too many objects to look at.
            everything = [] if MEASURES else sorted(simulator.simulator.snapshot(SOURCE))
            found.append((simulator.simulator.statistics()["routes"], everything))
            plain.exchange(deletes, ALL)

        def ours() -> float:
            taken = send_all(made, source)
            look()
            made.forget_installed()
            return taken

        def blasted() -> float:
            taken = plain.exchange(adds, ALL)
            look()
            return taken

        mine, limit = in_turns(rounds(5), ours, blasted)
    assert found[0][0] == ALL
    assert all(found[0] == other for other in found[1:])
    rates = [ALL / seconds for seconds in mine]
    limits = [ALL / seconds for seconds in limit]
    what = f"Full sync into the simulator, {kind}"
    target = at_least(1e6) if kind == "plain" else None
    add(
        Row(
            what, median(rates), "routes/s", "the same frames ready-made", median(limits),
            ratio(rates, limits), target,
        )
    )  # fmt: skip
