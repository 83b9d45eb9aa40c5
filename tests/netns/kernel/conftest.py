"""A namespace with an engine that follows it into the embedded VPP."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from lab import Namespace
from oracle.world import World, world

from .rtnetlink import Listener, listening
from .two_links import Place, two_links


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
def place(make_namespace: Callable[[str], Namespace]) -> Place:
    """A router with two links, that forwards and takes router advertisements."""
    return two_links(make_namespace("router"), make_namespace("neighbour"))
