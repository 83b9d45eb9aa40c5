"""The kernel drops notifications, and nothing is wrong afterwards."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lab import Namespace
from lab.vpp import SimulatedVpp

from .chain import running_chain
from .size import SMALLEST, Figures
from .wave import Wave, at_once, link

pytestmark = [pytest.mark.root, pytest.mark.timeout(900)]

PROCESSES = 4


def test_an_overrun_is_repaired(
    simulator: SimulatedVpp, make_namespace: Callable[[str], Namespace], figures: Figures
) -> None:
    """200,000 changes, more than the reader can follow with so small a buffer."""
    kernel = make_namespace("overrun")
    link(kernel, make_namespace("peer"))
    wave = Wave(count=10_000, rounds=4)
    assert len(wave) == 200_000
    at_once(kernel, [wave.before()])
    with running_chain(kernel, simulator, kernel={"receive_buffer": SMALLEST}) as chain:
        chain.wait_in_sync(len(wave.before()))
        simulator.simulator.record_deletions()
        before = chain.engine.status().overruns

        at_once(kernel, wave.batches(PROCESSES))

        final = chain.wait_same()
        assert chain.engine.status().overruns > before
        assert len(final) == len(wave.kept + wave.coming + wave.flapping)
        deleted = chain.deleted()
        assert not deleted & {*wave.kept, *wave.coming}, "withdrawn, although the kernel kept them"
        assert deleted >= set(wave.going)
        chain.wait_in_sync(len(final))
        assert chain.statistics()["deletes_of_absent"] == 0
        status = chain.engine.status()
        figures(
            f"{len(wave)} changes: {status.overruns} overruns of {status.receive_buffer} bytes, "
            f"{status.resyncs} resyncs, {status.messages}; VPP: {chain.statistics()}"
        )
