"""In sync is not enough: held routes are reported, and too many of them are not ready."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.running import running_daemon
from daemon.test_metrics import scraper_of
from daemon.world import COUNT, reflecting
from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp

pytestmark = pytest.mark.root


def test_no_interface_is_mapped(kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path) -> None:
    """Nothing is in VPP: every surface says so, and for which interfaces."""
    config = tmp_path / "held.toml"
    config.write_text('[metrics]\naddress = "127.0.0.1:0"\n')
    given = ("--config", str(config), "--socket", str(simulator.socket))
    with running_daemon(tmp_path / "d.log", *given, namespace=kernel) as daemon:
        seen = daemon.wait_state("held")
        held = 2 * COUNT + 1
        assert seen["held"] == {
            "prefixes": held,
            "total": held + 1,
            "too_many": True,
            "interfaces": {"f0": 2 * COUNT, "g0": 1},
            "unmapped": "hold",
            "substitutes": {},
        }
        assert (seen["in_sync"], seen["ready"]) == (True, False)
        where = f"no VPP interface mapped to f0: {2 * COUNT}, g0: 1"
        first = daemon.ask("status", "--check", exit_code=6)
        assert first == f"in sync, but not well, {held} of {held + 1} prefixes held ({where})\n"
        (warning,) = [line for line in daemon.log().splitlines() if "cannot have" in line]
        assert "warning" in warning
        assert f"VPP cannot have {held} of {held + 1} prefixes" in warning
        assert f"no VPP interface mapped to f0: {2 * COUNT}" in warning
        scraper = scraper_of(daemon)
        assert scraper.get("/-/ready")[0] == 503
        assert scraper.value("held_ratio") == held / (held + 1)
        assert (scraper.value("in_sync"), scraper.value("ready")) == (1, 0)


def test_a_few_held_are_said_and_allowed_for(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """One of many; and a tenth is the limit."""
    with reflecting(kernel, simulator, tmp_path / "d.log") as daemon:
        all_of_it = 2 * COUNT + 2
        where = "no VPP interface mapped to g0: 1"
        said = f"in sync, 1 of {all_of_it} prefixes held ({where})\n"
        assert daemon.ask("status", "--check") == said
        assert "cannot have" not in daemon.log()
        (warning,) = [line for line in daemon.log().splitlines() if "VPP lacks" in line]
        assert "warning" in warning
        assert f"VPP lacks 1 of {all_of_it} prefixes: {where}" in warning
        more = range(1, COUNT // 2)
        ip_batch(kernel, [f"route add 41.0.{n}.0/24 via 10.9.0.2 proto 12" for n in more])
        daemon.wait_state("held")
        ip_batch(kernel, [f"route del 41.0.{n}.0/24 proto 12" for n in more])
        wait_until(daemon.status, 30, "well", accept=lambda seen: seen["ready"])
