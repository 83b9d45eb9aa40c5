"""Next-hop objects go, with their routes, beside a full table."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lab import Namespace, ip_batch, prefixes
from lab.vpp import SimulatedVpp

from .chain import running_chain
from .size import ROOMY, Figures, sized
from .wave import DEVICE, GATEWAYS, add, link

pytestmark = [pytest.mark.root, pytest.mark.timeout(900)]

BESIDE = sized(quick=20_000, full=100_000)
"""The kernel walks over all of its routes for each object that has some."""
OBJECTS = sized(quick=2_000, full=10_000)


def test_objects_that_go_beside_a_full_table_cause_no_overrun(
    simulator: SimulatedVpp, make_namespace: Callable[[str], Namespace], figures: Figures
) -> None:
    """The kernel says nothing of their routes, which are looked for in the table."""
    kernel = make_namespace("objects")
    link(kernel, make_namespace("peer"))
    gateway, _ = GATEWAYS[4]
    drawn = prefixes(4, BESIDE + OBJECTS)
    beside, used = drawn[:BESIDE], drawn[BESIDE:]
    ids = range(1, OBJECTS + 1)
    objects = (f"nexthop add id {number} via {gateway} dev {DEVICE}" for number in ids)
    ip_batch(kernel, objects)
    pairs = zip(used, ids, strict=True)
    routes = (f"route add {prefix} nhid {number} proto 12" for prefix, number in pairs)
    ip_batch(kernel, routes)
    ip_batch(kernel, (add(prefix, gateway) for prefix in beside))
    with running_chain(kernel, simulator, kernel={"receive_buffer": ROOMY}) as chain:
        chain.wait_in_sync(len(drawn))
        before = chain.engine.status()
        simulator.simulator.record_deletions()

        ip_batch(kernel, (f"nexthop del id {number}" for number in ids))

        assert len(chain.wait_same()) == BESIDE
        assert chain.deleted() == set(used)
        after = chain.engine.status()
        figures(
            f"{OBJECTS} objects beside {BESIDE} routes: "
            f"overruns {before.overruns}, then {after.overruns}; "
            f"resyncs {before.resyncs}, then {after.resyncs}"
        )
        assert after.overruns == before.overruns
