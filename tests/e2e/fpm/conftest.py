"""A router whose routes come from a zebra."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oracle.world import World

from .sequence import fpm_world


@pytest.fixture
def router() -> Iterator[World]:
    """One that no zebra has connected to yet."""
    with fpm_world() as made:
        yield made
