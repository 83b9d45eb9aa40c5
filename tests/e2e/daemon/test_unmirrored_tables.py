"""Our routes in VPP tables that a reload no longer mirrors into."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.harness import Harness
from daemon.world import MIRRORED
from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp

pytestmark = pytest.mark.root

COUNT = 150
"""Routes in the further table: enough for the guard, and fewer than in main."""

TABLE = 100
FURTHER = f"[vpp.tables]\n{TABLE} = {TABLE}\n"


@pytest.fixture
def harness(kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path) -> Harness:
    """Two kernel tables, both of which are mirrored."""
    ip_batch(
        kernel,
        [f"route add 12.0.{n}.0/24 via 10.0.0.2 proto 12 table {TABLE}" for n in range(COUNT)],
    )
    made = Harness(kernel, simulator, tmp_path)
    configure(made, more=FURTHER)
    return made


def configure(harness: Harness, more: str = "", vpp: str = "") -> None:
    """Writes a configuration; VPP has to answer soon."""
    harness.write(
        kernel=f"tables = [254, {TABLE}]" if more == FURTHER else "",
        vpp=f"connect_timeout = 1.0\nrequest_timeout = 1.0\n{vpp}",
        more=more,
    )


def in_tables(harness: Harness) -> dict[int, int]:
    """How many routes of ours VPP has, by table."""
    counts: dict[int, int] = {}
    for table, _, _ in harness.vpp.simulator.snapshot("bgpreflector"):
        counts[table] = counts.get(table, 0) + 1
    return counts


def wait_tables(harness: Harness, expected: dict[int, int]) -> None:
    """Waits until VPP has so many routes of ours, by table."""
    wait_until(lambda: in_tables(harness), 30, "by table", accept=lambda counts: counts == expected)


def test_those_that_are_few_of_all_go_at_once(harness: Harness) -> None:
    """The guard counts what VPP has in the other tables, too."""
    with harness.running() as daemon:
        wait_tables(harness, {0: MIRRORED, TABLE: COUNT})
        configure(harness)
        daemon.ask("reload")
        wait_tables(harness, {0: MIRRORED})
        daemon.wait_in_sync()
        assert daemon.status()["guard"] is None


def test_those_of_a_vpp_that_was_slow_go_later(harness: Harness) -> None:
    """Once it answers again."""
    with harness.running() as daemon:
        harness.vpp.hang()
        configure(harness)
        daemon.ask("reload")
        said = f"Our routes stay in VPP's tables {TABLE}"
        wait_until(daemon.log, 30, said, accept=lambda log: said in log)
        harness.vpp.resume()
        wait_tables(harness, {0: MIRRORED})
        daemon.wait_in_sync()


def test_those_that_a_pause_keeps_go_at_its_end(harness: Harness) -> None:
    """A paused daemon sends VPP nothing."""
    with harness.running() as daemon:
        daemon.ask("pause")
        configure(harness)
        daemon.ask("reload")
        wait_until(lambda: daemon.status()["kernel"]["synchronised"], 30, "the kernel is read")
        daemon.ask("resync")
        assert in_tables(harness) == {0: MIRRORED, TABLE: COUNT}
        daemon.ask("resume")
        wait_tables(harness, {0: MIRRORED})


def moved(to: int) -> str:
    """A configuration that moves main to another VPP table, which leaves most routes behind."""
    return f"[vpp.tables]\nmain = {to}\n"


def test_most_of_all_wait_through_resyncs_and_reloads(harness: Harness) -> None:
    """What was added to other tables meanwhile makes them no fewer."""
    configure(harness)
    with harness.running() as daemon:
        configure(harness, more=moved(10))
        daemon.ask("reload")
        daemon.wait_state("guarded")
        wait_tables(harness, {0: MIRRORED, 10: MIRRORED})
        daemon.ask("resync")
        assert daemon.status()["guard"]["unmirrored_routes"] == MIRRORED
        configure(harness, more=moved(10), vpp="max_in_flight = 77")
        daemon.ask("reload")
        wait_until(lambda: daemon.status()["vpp"]["resynchronised"], 30, "VPP is read again")
        assert daemon.status()["guard"]["unmirrored_routes"] == MIRRORED
        assert in_tables(harness) == {0: MIRRORED, 10: MIRRORED}
        daemon.ask("resume")
        assert in_tables(harness) == {10: MIRRORED}
        daemon.wait_in_sync()
        assert daemon.status()["guard"] is None


def test_those_that_wait_go_with_the_others_at_a_flush(harness: Harness) -> None:
    """The operator has asked for all of ours to go."""
    flush = 'on_exit = "flush"'
    configure(harness, vpp=flush)
    with harness.running() as daemon:
        configure(harness, more=moved(10), vpp=flush)
        daemon.ask("reload")
        daemon.wait_state("guarded")
        wait_tables(harness, {0: MIRRORED, 10: MIRRORED})
        assert daemon.end() == 0, daemon.log()
        assert f"Removed {2 * MIRRORED:,} of our routes" in daemon.log()
    assert in_tables(harness) == {}
