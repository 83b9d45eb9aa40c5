"""A namespace with an engine that follows it into the embedded VPP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oracle.world import World, world

from .rtnetlink import Listener, listening


@pytest.fixture
def router() -> Iterator[World]:
    """One whose kernel has its usual settings."""
    with world() as made:
        yield made


@pytest.fixture
def listener(router: World) -> Iterator[Listener]:
    """What the kernel says in it."""
    with listening(router.namespace) as made:
        yield made
