"""A bench whose controller is closed after the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.controller_support import Bench, Delays, MakeBench

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=[False, True], ids=["loop", "apart"])
def make_bench(request: pytest.FixtureRequest) -> Iterator[MakeBench]:
    benches: list[Bench] = []

    def make(delays: Delays | None = None, queue_size: int = 1000) -> Bench:
        benches.append(Bench(delays, queue_size, apart=request.param))
        return benches[-1]

    yield make
    for bench in benches:
        bench.heal()
        bench.controller.close()


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    return make_bench()
