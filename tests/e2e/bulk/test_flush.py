"""All routes go at once while VPP does not listen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab import Namespace, prefixes, wait_until
from lab.vpp import SimulatedVpp

from .chain import TIMEOUT, Chain, running_chain
from .memory import most_resident, start_measuring
from .size import Figures, sized
from .wave import DEVICE, GATEWAYS, add, link

pytestmark = [pytest.mark.root, pytest.mark.timeout(900)]

COUNT = sized(quick=100_000, full=500_000)
REFILLS = 2
GROWTH = (8 << 20) + 40 * COUNT
"""Bytes. What waits is one mark a prefix in a table that is there already: a queue of the messages,
five for each prefix, would take hundreds of bytes more."""


class Filled:
    """A kernel with `COUNT` IPv4 routes."""

    def __init__(self, namespace: Namespace, directory: Path) -> None:
        self.namespace = namespace
        # In a file: the memory that is looked at is that of this process.
        self._batch = directory / "routes"
        with self._batch.open("w") as file:
            file.writelines(f"{add(p, GATEWAYS[4][0])}\n" for p in prefixes(4, COUNT))

    def fill(self) -> None:
        """Adds the routes."""
        self.namespace.ip("-batch", str(self._batch))

    def flush(self) -> None:
        """The kernel tells of each route."""
        self.namespace.ip("route", "flush", "proto", "12")

    def set_down(self) -> None:
        """The kernel tells of the link alone."""
        self.namespace.ip("link", "set", DEVICE, "down")
        self.namespace.ip("link", "set", DEVICE, "up")


@pytest.fixture
def kernel(make_namespace: Callable[[str], Namespace], tmp_path: Path) -> Filled:
    """Filled once, and with a link for what comes later."""
    namespace = make_namespace("flush")
    link(namespace, make_namespace("peer"))
    filled = Filled(namespace, tmp_path)
    filled.fill()
    return filled


def wait_desired(chain: Chain, count: int) -> None:
    """Waits until the table has followed the kernel: VPP has no part in it."""
    wait_until(
        lambda: chain.count("desired"),
        TIMEOUT,
        f"{count} routes desired",
        accept=lambda n: n == count,
    )
    assert chain.engine.status().dirty <= COUNT


@contextmanager
def stalled(simulator: SimulatedVpp) -> Iterator[None]:
    """VPP reads nothing meanwhile; afterwards it does again, also where a test fails."""
    simulator.hang()
    try:
        yield
    finally:
        simulator.resume()


@pytest.mark.parametrize("empty", [Filled.flush, Filled.set_down])
def test_the_reader_does_not_wait_for_vpp(
    empty: Callable[[Filled], None], kernel: Filled, simulator: SimulatedVpp, figures: Figures
) -> None:
    """The table is empty while VPP still stalls, what waits stays bounded, and VPP follows."""
    with running_chain(kernel.namespace, simulator) as chain:
        chain.wait_in_sync(COUNT)
        with stalled(simulator):
            served, before = chain.statistics(), start_measuring()
            for _ in range(REFILLS):
                empty(kernel)
                wait_desired(chain, 0)
                kernel.fill()
                wait_desired(chain, COUNT)
            empty(kernel)
            wait_desired(chain, 0)
            assert chain.count("installed") == COUNT
            assert chain.statistics() == served, "VPP was to stall"
            grown, messages = most_resident() - before, chain.engine.status().messages
            assert grown < GROWTH
        chain.wait_in_sync(0)
        assert simulator.routes() == {}
        figures(f"{COUNT} routes: {before} bytes resident, {grown} more in the stall; {messages}")


def test_a_vpp_that_counts_as_lost_is_emptied_when_it_is_back(
    kernel: Filled, simulator: SimulatedVpp
) -> None:
    """It stalls for longer than the daemon waits for answers."""
    with running_chain(kernel.namespace, simulator, request_timeout=1) as chain:
        chain.wait_in_sync(COUNT)
        with stalled(simulator):
            kernel.flush()
            wait_until(lambda: chain.daemon.sink.lost, TIMEOUT, "the stalled VPP counts as lost")
            wait_desired(chain, 0)
            assert chain.statistics()["routes"] > 0, "VPP was to stall"
        wait_until(simulator.routes, TIMEOUT, "VPP empty", accept=lambda left: not left)
        chain.wait_in_sync(0)
