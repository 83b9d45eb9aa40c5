"""A namespace with an engine that follows it into the embedded VPP."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from lab import Namespace
from oracle.world import World, world

from .rtnetlink import Listener, listening
from .two_links import TwoLinks, make_two_links


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


@pytest.fixture
def two_links(make_namespace: Callable[[str], Namespace]) -> TwoLinks:
    """A router with two links, that forwards and takes router advertisements."""
    return make_two_links(make_namespace("router"), make_namespace("neighbour"))
