"""A start or a reload that would take most routes out of VPP waits; everything else goes on."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from daemon.harness import Harness
from daemon.test_metrics import scraper_of
from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp, wait_routes

pytestmark = pytest.mark.root

COUNT = 200


def routes(verb: str, numbers: Sequence[int] = range(COUNT)) -> list[str]:
    """Lines for ``ip -batch``."""
    return [f"route {verb} 30.0.{n}.0/24 via 10.0.0.2 proto 12" for n in numbers]


@pytest.fixture
def kernel(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """Two links; all routes go through the first."""
    made = make_namespace("guard")
    made.add_link("f0", "10.0.0.1/24")
    made.add_link("g0", "10.1.0.1/24")
    ip_batch(made, routes("add"))
    return made


@pytest.fixture
def harness(kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path) -> Harness:
    """With a configuration that is right so far."""
    made = Harness(kernel, simulator, tmp_path)
    configure(made)
    return made


def configure(harness: Harness, first: str = "f0", table: int = 0, more: str = "") -> None:
    """Writes the configuration, with a name for the first link."""
    harness.write(
        interfaces=f'{first} = "loop0", g0 = "loop0"',
        more=f"[vpp.tables]\nmain = {table}\n{more}",
    )


def run_once(harness: Harness) -> None:
    """An earlier run, which leaves its routes."""
    with harness.running() as daemon:
        wait_routes(harness.vpp, COUNT)
        assert daemon.end() == 0, daemon.log()


def deletions(vpp: SimulatedVpp) -> int:
    """Deletions that VPP was asked for."""
    return int(vpp.simulator.statistics()["deletes"])


def test_an_interface_map_with_a_typing_error(
    harness: Harness, kernel: Namespace, simulator: SimulatedVpp
) -> None:
    """Routes stay and what is new goes in, until somebody says so; all surfaces tell it."""
    run_once(harness)
    configure(harness, first="f00", more='[metrics]\naddress = "127.0.0.1:0"')
    with harness.running(wait=False) as daemon:
        seen = daemon.wait_state("guarded")
        reason = f"{COUNT} VPP cannot have (no VPP interface mapped to f0: {COUNT})"
        expected = {"deletions": COUNT, "total": COUNT, "reason": reason, "unmirrored_routes": 0}
        assert (seen["guard"], seen["ready"], seen["in_sync"]) == (expected, False, False)
        assert f"{COUNT} of the {COUNT} routes" in daemon.log()
        said = daemon.ask("status", "--check", exit_code=6)
        assert f"{COUNT} of {COUNT} routes are not deleted" in said
        assert reason in said
        scraper = scraper_of(daemon)
        assert scraper.value("guarded_deletions") == COUNT
        assert scraper.get("/-/ready")[0] == 503
        ip_batch(kernel, ["route add 31.0.0.0/24 via 10.1.0.2 proto 12"])
        wait_routes(simulator, COUNT + 1)
        # Read again, it is still the first sync.
        daemon.ask("resync")
        assert daemon.wait_state("guarded")["guard"] == expected
        assert len(simulator.routes()) == COUNT + 1
        # Who ends a pause has not approved of that.
        daemon.ask("pause")
        daemon.ask("resume")
        assert daemon.wait_state("guarded")["guard"] == expected
        assert deletions(simulator) == 0
        daemon.ask("resume")
        assert list(simulator.routes()) == ["31.0.0.0/24"]
        assert daemon.status()["guard"] is None


def test_a_bgp_daemon_that_comes_late(
    harness: Harness, kernel: Namespace, simulator: SimulatedVpp
) -> None:
    """Nothing is deleted, and nobody has to say anything; a later withdrawal passes at once."""
    run_once(harness)
    ip_batch(kernel, routes("del"))
    with harness.running(wait=False) as daemon:
        guard = daemon.wait_state("guarded")["guard"]
        assert "the kernel has no route of protocol bird in kernel table 254" in guard["reason"]
        ip_batch(kernel, routes("add"))
        daemon.wait_state("in_sync")
        assert deletions(simulator) == 0
        ip_batch(kernel, routes("del"))
        wait_until(simulator.routes, 30, "none", accept=lambda seen: not seen)
        daemon.wait_state("in_sync")


def test_few_deletions_and_said_ones_do_not_wait(
    harness: Harness, kernel: Namespace, simulator: SimulatedVpp
) -> None:
    """Half of the routes, and all of them with --yes."""
    run_once(harness)
    half = range(COUNT // 2)
    ip_batch(kernel, routes("del", half))
    with harness.running():
        assert len(simulator.routes()) == COUNT // 2
    ip_batch(kernel, routes("del", range(COUNT // 2, COUNT)))
    with harness.running("--yes"):
        assert simulator.routes() == {}


def test_a_reload_releases_no_deletion(
    harness: Harness, kernel: Namespace, simulator: SimulatedVpp
) -> None:
    """What was added meanwhile makes the share of what would go no smaller."""
    run_once(harness)
    configure(harness, first="f00")
    new = [f"route add 31.0.{n}.0/24 via 10.1.0.2 proto 12" for n in range(250)]
    with harness.running(wait=False) as daemon:
        daemon.wait_state("guarded")
        ip_batch(kernel, new)
        wait_routes(simulator, COUNT + len(new))
        guard = daemon.status()["guard"]
        configure(harness, first="f00", more='[controller]\nretry_delay = "2s"')
        assert daemon.ask_json("reload")[0]["changed"] == ["controller.retry_delay"]
        wait_until(
            lambda: daemon.status()["vpp"]["resynchronised"], 30, "VPP is read by the next one"
        )
        assert daemon.wait_state("guarded")["guard"] == guard
        assert (len(simulator.routes()), deletions(simulator)) == (COUNT + len(new), 0)
        daemon.ask("resume")
        wait_routes(simulator, len(new))


def test_a_reload_that_would_empty_vpp(harness: Harness, simulator: SimulatedVpp) -> None:
    """By the map, or by a table that is mirrored no more; the right file again heals it."""
    with harness.running() as daemon:
        configure(harness, first="f00")
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_state("guarded")
        configure(harness)
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_state("in_sync")
        assert (len(simulator.routes()), deletions(simulator)) == (COUNT, 0)
        configure(harness, table=10)
        daemon.ask("reload")
        guard = daemon.wait_state("guarded")["guard"]
        assert guard["unmirrored_routes"] == COUNT
        assert "tables 0 are not mirrored into any more" in daemon.log()
        assert deletions(simulator) == 0
        daemon.ask("resume")
        daemon.wait_state("in_sync")
        assert deletions(simulator) == COUNT
