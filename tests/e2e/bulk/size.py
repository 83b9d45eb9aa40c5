"""How large these tests are."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeAlias

Figures: TypeAlias = Callable[[str], None]
"""Takes a line that is shown after the tests."""

SIZE = "BGPREFLECTOR_TESTS_SIZE"
"""Environment variable: ``full`` for the sizes of a full routing table, as `make bulk` has them."""

ROOMY, SMALLEST = 32 << 20, 64 << 10
"""Receive buffers, bytes: the default one, and the least that the configuration allows, which holds
some 150 notifications."""


def sized(quick: int, full: int) -> int:
    """``quick`` fits into a run of all tests on two processors, ``full`` is asked for."""
    return full if os.environ.get(SIZE) == "full" else quick
