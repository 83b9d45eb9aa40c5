"""What most tests of whole daemons begin with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from daemon.world import kernel_of
from lab import Namespace


@pytest.fixture
def kernel(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """With routes of both families, and a few that VPP cannot or must not have."""
    return kernel_of(make_namespace)
