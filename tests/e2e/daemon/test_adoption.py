"""What VPP has from an earlier run, while the kernel is not what it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.running import running_daemon
from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp

pytestmark = pytest.mark.root

COUNT = 500


def routes(verb: str) -> list[str]:
    """Lines for ``ip -batch``."""
    via = {4: "via 10.0.0.2", 6: "via fd00::2"}
    return [
        f"route {verb} {prefix} {via[family]} proto 12"
        for number in range(COUNT)
        for family, prefix in (
            (4, f"30.{number >> 8}.{number & 255}.0/24"),
            (6, f"2001:db8:{number:x}::/48"),
        )
    ]


def kernel_of(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """A namespace with a link and the routes."""
    made = make_namespace("adoption")
    made.ip("link", "add", "f0", "type", "veth", "peer", "name", "f1")
    made.ip("addr", "add", "10.0.0.1/24", "dev", "f0")
    made.ip("addr", "add", "fd00::1/64", "dev", "f0", "nodad")
    made.ip("link", "set", "f0", "up")
    made.ip("link", "set", "f1", "up")
    ip_batch(made, routes("add"))
    return made


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_grace_time_for_the_bgp_daemon(
    comes_back: bool,
    simulator: SimulatedVpp,
    make_namespace: Callable[[str], Namespace],
    tmp_path: Path,
) -> None:
    """Routes that come back in time are never touched; those that do not are deleted then."""
    kernel = kernel_of(make_namespace)
    arguments = ("--socket", str(simulator.socket), "--interface", "f0=loop0")
    with running_daemon(tmp_path / "one.log", *arguments, namespace=kernel) as daemon:
        wait_until(lambda: len(simulator.routes()), 30, "all", accept=lambda n: n == 2 * COUNT)
        assert daemon.end() == 0, daemon.log()
    ip_batch(kernel, routes("del"))
    config = tmp_path / "grace.toml"
    config.write_text(f"[kernel]\nstale_routes_time = {600.0 if comes_back else 1.0}\n")
    before = simulator.simulator.statistics()
    with running_daemon(
        tmp_path / "two.log", "--config", str(config), "--yes", *arguments, namespace=kernel
    ) as daemon:
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
                accept=lambda log: f"deleting {2 * COUNT} stale routes from VPP" in log,
            )
        assert daemon.end() == 0, daemon.log()


def test_a_reflector_that_is_switched_off_touches_nothing(
    simulator: SimulatedVpp, make_namespace: Callable[[str], Namespace], tmp_path: Path
) -> None:
    """Routes of an earlier run stay with ``use_external_ipam = false``."""
    kernel = kernel_of(make_namespace)
    arguments = ("--socket", str(simulator.socket), "--interface", "f0=loop0")
    with running_daemon(tmp_path / "one.log", *arguments, namespace=kernel):
        wait_until(lambda: len(simulator.routes()), 30, "all", accept=lambda n: n == 2 * COUNT)
    config = tmp_path / "off.toml"
    config.write_text("use_external_ipam = false\n")
    before = simulator.simulator.statistics()["route_requests"]
    with running_daemon(
        tmp_path / "two.log", "--config", str(config), *arguments, namespace=kernel
    ) as daemon:
        wait_until(daemon.log, 30, "the resync", accept=lambda log: "0 changes applied" in log)
        assert f"VPP has {2 * COUNT:,} routes" in daemon.log()
        assert daemon.end() == 0, daemon.log()
    assert simulator.simulator.statistics()["route_requests"] == before
