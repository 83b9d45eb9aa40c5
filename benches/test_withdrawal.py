"""All routes go: the kernel deletes them one after the other, and VPP follows."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from bulk.chain import running_daemon
from lab import Namespace, TableRoute, global_table, wait_until
from lab.vpp import RealVpp, SimulatedVpp

from .conftest import Add
from .ready_made import Requests, connected
from .rows import Row, at_most
from .size import V4
from .timing import timed
from .vpp_side import fib_source
from .world import LINK, apply, empty_kernel, flush, lines

pytestmark = [pytest.mark.root, pytest.mark.timeout(1800)]

TIMEOUT = 300.0


@pytest.fixture
def table() -> list[TableRoute]:
    """IPv4 routes."""
    return global_table(4, V4)


@pytest.fixture
def kernel(table: list[TableRoute]) -> Iterator[Namespace]:
    """A kernel with them."""
    with empty_kernel("withdrawal") as made:
        apply(made, lines("add", table))
        yield made


def vpps_own_time(vpp: SimulatedVpp | RealVpp, table: list[TableRoute]) -> float:
    """Seconds that VPP takes to delete ready-made, after it has been given the routes."""
    source = fib_source(vpp)
    with connected(vpp.socket) as plain:
        requests = Requests(plain.message, plain.client, source)
        plain.exchange(requests.adds(table), len(table))
        return plain.exchange(requests.deletes(table), len(table))


@pytest.mark.parametrize("name", ["simulator", pytest.param("real_vpp", marks=pytest.mark.vpp)])
def test_withdrawal_of_all(
    name: str,
    request: pytest.FixtureRequest,
    kernel: Namespace,
    table: list[TableRoute],
    add: Add,
) -> None:
    """From the kernel's first deletion to VPP's last."""
    vpp: SimulatedVpp | RealVpp = request.getfixturevalue(name)
    kernels_own = timed(lambda: flush(kernel))
    apply(kernel, lines("add", table))
    vpps_own = vpps_own_time(vpp, table)
    with running_daemon(kernel, vpp, LINK) as daemon:

        def installed() -> tuple[bool, int]:
            counts = daemon.engine.status().prefixes.values()
            return daemon.in_sync, sum(count["installed"] for count in counts)

        def wait_for(count: int) -> None:
            wait_until(
                installed, TIMEOUT, f"{count} routes in VPP",
                accept=lambda seen: seen == (True, count), interval=0.005,
            )  # fmt: skip

        wait_for(len(table))
        began = time.perf_counter()
        kernels = timed(lambda: flush(kernel))
        wait_for(0)
        taken = time.perf_counter() - began
        overruns = daemon.engine.status().overruns
    limit = max(kernels_own, vpps_own)
    note = (
        f"kernel alone {kernels_own:.1f} s, beside us {kernels:.1f} s; VPP alone {vpps_own:.1f} s; "
        f"{overruns} overruns"
    )
    what = f"Withdrawal of all, {name.replace('_', ' ')}"
    target = at_most(1.2, ratio=True)
    add(Row(what, taken, "s", "the slower of both alone", limit, taken / limit, target, note))
