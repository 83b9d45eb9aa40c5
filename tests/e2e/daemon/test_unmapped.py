"""``vpp.unmapped``: what VPP does with prefixes that it cannot have, as an operator sees it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from daemon.harness import Harness
from daemon.test_metrics import scraper_of
from daemon.world import COUNT
from lab import Namespace, ip_batch
from lab.vpp import SimulatedVpp

pytestmark = pytest.mark.root

UNMAPPED = "40.0.0.0/24"
"""Through g0, for which VPP has nothing."""

NEXT_HOPS = "41.0.0.0/24"
"""Through f0 and g0."""


def configure(harness: Harness, lines: str, interfaces: str = 'f0 = "loop0"') -> None:
    """Writes a configuration with metrics and these lines of the section ``vpp``."""
    harness.write(vpp=lines, interfaces=interfaces, more='[metrics]\naddress = "127.0.0.1:0"')


@pytest.fixture
def harness(kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path) -> Harness:
    """With a default route, and one of two next hops, one through the link that VPP lacks."""
    next_hops = "nexthop via 10.0.0.2 nexthop via 10.9.0.2"
    ip_batch(
        kernel,
        [
            f"route add {NEXT_HOPS} proto 12 {next_hops}",
            "route add 0.0.0.0/0 via 10.0.0.2 proto 12",
        ],
    )
    return Harness(kernel, simulator, tmp_path)


def test_each_choice_is_shown_explained_and_changed_by_a_signal(
    harness: Harness,
) -> None:
    """From ``hold``, the default, over both others and back."""
    configure(harness, "")
    with harness.running() as daemon:
        held = daemon.wait_in_sync()["held"]
        assert (held["prefixes"], held["unmapped"], held["substitutes"]) == (
            1,
            "hold",
            {"next_hops": 1},
        )
        assert UNMAPPED not in harness.vpp.routes()
        harness.wait_route(NEXT_HOPS, frozenset({"10.0.0.2"}))
        why = daemon.ask("show", "route", "40.0.0.1")
        assert f"{UNMAPPED} is not in VPP: no VPP interface mapped to" in why
        assert "VPP forwards it by 0.0.0.0/0" in why
        assert "instead" not in daemon.ask("show", "routes", UNMAPPED)
        total = held["total"]
        both = f"1 of {total} prefixes held, 1 of {total} prefixes with some of their next hops ("
        assert both in daemon.ask("status", "--check")

        for unmapped, kind, said in (
            ("drop", "drop", "VPP drops what goes there"),
            ("punt", "local", "VPP hands what goes there to the kernel"),
        ):
            configure(harness, f'unmapped = "{unmapped}"')
            daemon.process.send_signal(signal.SIGHUP)
            harness.wait_route(UNMAPPED, kind)
            held = daemon.wait_in_sync()["held"]
            assert (held["prefixes"], held["unmapped"]) == (1, unmapped)
            assert held["substitutes"] == {"next_hops": 1, unmapped: 1}
            harness.wait_route(NEXT_HOPS, frozenset({"10.0.0.2"}))
            assert f"; {said}" in daemon.ask("show", "route", "40.0.0.1")
            assert "those of its next hops" in daemon.ask("show", "route", "41.0.0.1")
            shown = daemon.ask("show", "routes", "--held")
            assert f"instead: {unmapped} (" in shown
            assert "instead: next_hops (" in shown
            verb = "drops" if unmapped == "drop" else "hands to the kernel"
            assert f", VPP {verb} 1" in daemon.ask("status", "--check")
            assert (
                f'substituted_prefixes{{by="{unmapped}"}} 1.0'
                in scraper_of(daemon).get("/metrics")[1]
            )
            daemon.ask("audit", "--config", str(harness.file))

        configure(harness, 'unmapped = "drop"\nunmapped_next_hops = "whole"')
        daemon.process.send_signal(signal.SIGHUP)
        harness.wait_route(NEXT_HOPS, "drop")
        configure(harness, 'unmapped = "hold"\nunmapped_next_hops = "whole"')
        daemon.process.send_signal(signal.SIGHUP)
        harness.wait_route(NEXT_HOPS, None)
        assert daemon.wait_in_sync()["held"]["substitutes"] == {}
        assert UNMAPPED not in harness.vpp.routes()
        assert daemon.end() == 0, daemon.log()


@pytest.mark.parametrize("unmapped", ["drop", "punt"])
def test_a_mistaken_map_drops_no_table(harness: Harness, unmapped: str) -> None:
    """Replacing most routes by drops is what the guard withholds as deletions."""
    configure(harness, f'unmapped = "{unmapped}"')
    with harness.running() as daemon:
        daemon.wait_in_sync()
        before = harness.vpp.routes()
        configure(harness, f'unmapped = "{unmapped}"', interfaces='typo0 = "loop0"')
        daemon.process.send_signal(signal.SIGHUP)
        guarded = daemon.wait_state("guarded")
        # The default route and that of two next hops, too.
        assert guarded["guard"]["deletions"] == 2 * COUNT + 2
        assert harness.vpp.routes() == before
        daemon.ask("resume")
        harness.wait_route("30.0.0.0/24", {"drop": "drop", "punt": "local"}[unmapped])
        assert daemon.end() == 0, daemon.log()
