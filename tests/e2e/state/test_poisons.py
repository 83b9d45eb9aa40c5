"""Several routes that crash VPP, one after the other."""

from __future__ import annotations

from functools import partial

import pytest

from lab import wait_until

from .kernel_changes import BIRD
from .machine import POISONS
from .world import World

pytestmark = pytest.mark.root


def held(world: World, prefix: str) -> bool:
    """Whether the daemon has said so."""
    said = f"while the route {prefix} in VPP table 0 had no answer"
    return any(said in line and "it is held" in line for line in world.service.log().splitlines())


def test_all_are_let_in_once_vpp_survives_them() -> None:
    """Each is held for itself, and `release` lets all in."""
    world = World()
    try:
        for prefix in POISONS:
            family = 6 if ":" in prefix else 4
            world.poison_with(prefix)
            world.change([f"-{family} route replace blackhole {prefix} proto {BIRD}"])
            wait_until(partial(held, world, prefix), world.settle, f"{prefix} is held")
            world.recover()
        assert world.agree() >= len(POISONS)
    finally:
        world.close()
