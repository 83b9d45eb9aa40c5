"""A real BIRD's routes in VPP, through all that happens to a BIRD."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.running import running_daemon
from lab import BgpPair, running_bgp_pair, wait_until
from lab.bgp_pair import DEVICE
from lab.kernel import Forwarding, RouteKey
from lab.vpp import Vpp, differences, kernel_routes

pytestmark = [pytest.mark.root, pytest.mark.bird]

COUNT = 10_000
FOREIGN = "203.0.113.0/24"


def same(pair: BgpPair, vpp: Vpp, known: dict[RouteKey, Forwarding] | None = None) -> None:
    """Waits until VPP holds what the kernel holds, no more and no less.

    ``known`` is that of a kernel that has settled: to read it takes seconds.
    """
    kernel = kernel_routes(pair.kernel() if known is None else known)
    wait_until(
        lambda: differences(kernel, vpp.routes()),
        60,
        "VPP holds what the kernel holds",
        accept=lambda found: not found,
    )


@pytest.mark.timeout(300)
def test_vpp_follows_bird(vpp: Vpp, tmp_path: Path) -> None:
    """Announce, change the next hop, withdraw, kill BIRD, start it again."""
    vpp.add_foreign_route(FOREIGN)
    with running_bgp_pair() as pair:
        pair.announce(COUNT)
        pair.wait_kernel()
        arguments = ("--socket", str(vpp.socket), "--interface", f"{DEVICE}={vpp.interface}")
        router = pair.router.namespace
        with running_daemon(tmp_path / "run.log", *arguments, namespace=router) as daemon:
            same(pair, vpp)
            assert len(vpp.routes()) == 2 * COUNT

            for hosts in ((11,), (12, 13, 14)):
                pair.change_next_hop(*hosts)
                same(pair, vpp, pair.wait_kernel())

            pair.announce(COUNT // 2)
            same(pair, vpp, pair.wait_kernel())
            assert len(vpp.routes()) == COUNT

            pair.announce(COUNT)
            same(pair, vpp, pair.wait_kernel())

            # A BIRD that is killed leaves its routes in the kernel, and so they stay in VPP.
            pair.kill()
            same(pair, vpp)
            assert len(vpp.routes()) == 2 * COUNT
            pair.restart()
            same(pair, vpp, pair.wait_kernel())

            # One that ends in order takes them along.
            pair.router.stop()
            same(pair, vpp)
            assert vpp.routes() == {}
            pair.restart()
            same(pair, vpp, pair.wait_kernel())

            assert daemon.end() == 0, daemon.log()
            assert len(vpp.routes()) == 2 * COUNT, "routes stay in VPP when the daemon ends"
    assert vpp.has_foreign_route(FOREIGN)
