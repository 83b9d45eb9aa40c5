"""A harness whose controller is closed after the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.controller_support import Delays, Harness, MakeHarness

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def make_harness() -> Iterator[MakeHarness]:
    harnesses: list[Harness] = []

    def make(delays: Delays | None = None, queue_size: int = 1000) -> Harness:
        harnesses.append(Harness(delays, queue_size))
        return harnesses[-1]

    yield make
    for harness in harnesses:
        harness.heal()
        harness.controller.close()


@pytest.fixture
def harness(make_harness: MakeHarness) -> Harness:
    return make_harness()
