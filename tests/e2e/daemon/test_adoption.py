"""What VPP has from an earlier run, while the kernel is not what it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.world import COUNT, make_links, reflecting, routes
from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp, wait_routes

pytestmark = pytest.mark.root


@pytest.fixture
def kernel(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """With routes of both families that VPP can have."""
    made = make_namespace("adoption")
    make_links(made)
    ip_batch(made, routes("add"))
    return made


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_grace_time_for_the_bgp_daemon(
    comes_back: bool,
    kernel: Namespace,
    simulator: SimulatedVpp,
    tmp_path: Path,
) -> None:
    """Routes that come back in time are never touched; those that do not are deleted then."""
    with reflecting(kernel, simulator, tmp_path / "one.log", wait=False) as daemon:
        wait_routes(simulator, 2 * COUNT)
        assert daemon.end() == 0, daemon.log()
    ip_batch(kernel, routes("del"))
    config = tmp_path / "grace.toml"
    config.write_text(f"[kernel]\nstale_routes_time = {600.0 if comes_back else 1.0}\n")
    before = simulator.simulator.statistics()
    arguments = ("--config", str(config), "--yes")
    with reflecting(kernel, simulator, tmp_path / "two.log", *arguments, wait=False) as daemon:
        wait_until(daemon.log, 30, "adopted", accept=lambda log: f"VPP has {2 * COUNT:,}" in log)
        if comes_back:
            ip_batch(kernel, [*routes("add"), "route add 31.0.0.0/8 via 10.0.0.2 proto 12"])
            wait_until(
                simulator.routes, 30, "what is new", accept=lambda seen: "31.0.0.0/8" in seen
            )
            assert len(simulator.routes()) == 2 * COUNT + 1
            now = simulator.simulator.statistics()
            assert now["route_requests"] == before["route_requests"] + 1
        else:
            wait_until(simulator.routes, 30, "nothing is left", accept=lambda seen: not seen)
            wait_until(
                daemon.log,
                30,
                "said",
                accept=lambda log: (
                    f"deleting stale routes from VPP, which the kernel does not have: {2 * COUNT}"
                    in log
                ),
            )
        assert daemon.end() == 0, daemon.log()


@pytest.mark.parametrize("is_over", [False, True])
def test_a_reload_does_not_end_the_time_for_stale_routes(
    is_over: bool, kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """What BGP has not learned yet stays as long as it would without a reload."""
    with reflecting(kernel, simulator, tmp_path / "one.log", wait=False) as daemon:
        wait_routes(simulator, 2 * COUNT)
        assert daemon.end() == 0, daemon.log()
    gone = routes("del")[: COUNT // 2]
    ip_batch(kernel, gone)
    config = tmp_path / "stale.toml"

    def write(seconds: float, more: str = "") -> None:
        config.write_text(f"[kernel]\nstale_routes_time = {seconds}\n{more}")

    def unconfirmed() -> int:
        counts = daemon.status()["prefixes"].values()
        return sum(count["unconfirmed"] for count in counts)

    write(3600.0)
    arguments = ("--config", str(config))
    with reflecting(kernel, simulator, tmp_path / "two.log", *arguments, wait=False) as daemon:
        wait_until(unconfirmed, 30, "unconfirmed", accept=lambda seen: seen == len(gone))
        write(0.001 if is_over else 3600.0, "audit_interval = 600.0\n")
        daemon.ask("reload")
        left = 0 if is_over else len(gone)
        wait_until(unconfirmed, 30, f"{left} unconfirmed", accept=lambda seen: seen == left)
        wait_routes(simulator, 2 * COUNT - len(gone) + left)
        assert daemon.end() == 0, daemon.log()


def test_a_reflector_that_is_switched_off_touches_nothing(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """Routes of an earlier run stay with ``use_external_ipam = false``."""
    with reflecting(kernel, simulator, tmp_path / "one.log", wait=False):
        wait_routes(simulator, 2 * COUNT)
    config = tmp_path / "off.toml"
    config.write_text("use_external_ipam = false\n")
    before = simulator.simulator.statistics()["route_requests"]
    arguments = ("--config", str(config))
    with reflecting(kernel, simulator, tmp_path / "two.log", *arguments, wait=False) as daemon:
        wait_until(daemon.log, 30, "the resync", accept=lambda log: "0 changes applied" in log)
        assert f"VPP has {2 * COUNT:,} routes" in daemon.log()
        assert daemon.end() == 0, daemon.log()
    assert simulator.simulator.statistics()["route_requests"] == before
