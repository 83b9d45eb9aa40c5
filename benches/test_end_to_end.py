"""Kernel to VPP, and the peers in the same run: whole ways, by pytest-benchmark.

Each benchmark's ``extra_info`` says how many routes one round moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bgpreflector import _core
from lab import Namespace, ip_batch, namespace
from lab.vpp import SimulatedVpp

ROUTES = 100_000
ONE_BY_ONE = 2_000
"""Routes of the peer that sends one call a route."""


@pytest.fixture(scope="module")
def kernel() -> Iterator[Namespace]:
    """A namespace with routes of protocol 12 in it."""
    with namespace("bench") as made:
        made.ip("link", "add", "b0", "type", "veth", "peer", "name", "b1")
        made.ip("addr", "add", "10.0.0.1/24", "dev", "b0")
        made.ip("link", "set", "b0", "up")
        made.ip("link", "set", "b1", "up")
        ip_batch(
            made,
            (
                f"route add {20 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.0/24 "
                f"via 10.0.0.{2 + n % 64} proto 12 metric 32"
                for n in range(ROUTES)
            ),
        )
        yield made


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[SimulatedVpp]:
    """The embedded VPP."""
    with SimulatedVpp.running(tmp_path) as made:
        yield made


def engine(kernel: Namespace) -> _core.Engine:
    """An engine that follows the namespace."""
    made = _core.Engine(
        protocols=[12],
        tables={254: 0},
        families=["ipv4", "ipv6"],
        foreign_routes="hide",
        receive_buffer=32 << 20,
        namespace=kernel.path,
    )
    made.start()
    made.set_interfaces({"b0": 1}, None, False)
    return made


@pytest.mark.root
def test_dump_and_store(benchmark: BenchmarkFixture, kernel: Namespace) -> None:
    """The kernel's dump into the table, ready to send."""
    made = engine(kernel)
    benchmark.extra_info["routes"] = ROUTES
    benchmark.pedantic(made.resync, rounds=5, warmup_rounds=1)
    made.close()


@pytest.mark.root
def test_full_sync(benchmark: BenchmarkFixture, kernel: Namespace, simulator: SimulatedVpp) -> None:
    """Everything that is dirty into a VPP that answers at once."""
    made = engine(kernel)
    made.connect(
        socket=simulator.socket, name="bench", window=256, connect_timeout=5, request_timeout=10
    )
    made.resync()

    def sync() -> int:
        report = made.commit(made.take_batch(ROUTES), 8)
        return report.added

    def empty() -> None:
        simulator.fault("restart")
        made.connect(
            socket=simulator.socket, name="bench", window=256, connect_timeout=5, request_timeout=10
        )
        made.adopt(8)

    benchmark.extra_info["routes"] = ROUTES
    assert benchmark.pedantic(sync, setup=empty, rounds=5) == ROUTES
    made.close()


def test_peer_vpp_papi_a_call_a_route(benchmark: BenchmarkFixture, simulator: SimulatedVpp) -> None:
    """What a script does: one ``ip_route_add_del`` a route through ``vpp_papi``."""

    def add() -> None:
        for number in range(ONE_BY_ONE):
            simulator.add_foreign_route(f"30.{number >> 8}.{number & 255}.0/24")

    benchmark.extra_info["routes"] = ONE_BY_ONE
    benchmark.pedantic(add, rounds=3)
