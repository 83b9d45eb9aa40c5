"""Our routes where another source is better: VPP's dumps do not show them."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from lab.vpp.others import API, DROP

from .world import World

pytestmark = pytest.mark.root

PREFIX = "198.18.1.0/24"


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """VPP holds a route of ours behind one of the API's source."""
    monkeypatch.setattr(World, "settle", 6.0)
    world = World()
    try:
        world.change([f"-4 route replace {PREFIX} via 10.7.0.2 dev o0 proto 12"])
        world.others.set_route(API, PREFIX, {DROP: 1})
        world.agree()
        yield world
    finally:
        world.close()


def test_a_hidden_route_goes_with_the_kernel_s(hidden: World) -> None:
    """While the daemon runs it knows what it has put."""
    hidden.change([f"-4 route del {PREFIX} proto 12"])
    hidden.agree()


def test_a_hidden_route_goes_though_it_cannot_be_adopted(hidden: World) -> None:
    """Else VPP would forward by it once the other source's route goes."""
    hidden.service.end(signal.SIGTERM)
    hidden.change([f"-4 route del {PREFIX} proto 12"])
    hidden.agree()


def test_a_hidden_route_that_the_kernel_has_stays(hidden: World) -> None:
    """It is sent once more, for nobody can tell what VPP has of it; nothing is deleted."""
    before = hidden.vpp.simulator.statistics()
    hidden.restart_daemon(signal.SIGTERM)
    after = hidden.vpp.simulator.statistics()
    assert after["deletes"] == before["deletes"]
    assert after["deletes_of_absent"] == before["deletes_of_absent"]
    assert after["route_requests"] == before["route_requests"] + 1
