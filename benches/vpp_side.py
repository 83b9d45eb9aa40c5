"""Engines with a connection to VPP, and what VPP is given before them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from bgpreflector import _core
from lab import Namespace
from lab.vpp import Vpp

from .size import ALL
from .world import LINK, MAX_IN_FLIGHT, SW_IF_INDEX, connect_engine, engine

SOURCE = "bench"
PRIORITY = 200


def fib_source(vpp: Vpp) -> int:
    """Id of the benchmarks' FIB source, which is added where VPP lacks it."""
    for details in vpp.api.fib_source_dump():
        if str(details.src.name).rstrip("\0") == SOURCE:
            return int(details.src.id)
    reply = vpp.api.fib_source_add(src={"name": SOURCE, "priority": PRIORITY, "id": 0})
    assert reply.retval == 0
    return int(reply.id)


@contextmanager
def ready_to_send(
    kernel: Namespace, vpp: Vpp, *, max_in_flight: int = MAX_IN_FLIGHT
) -> Iterator[_core.Engine]:
    """An engine that has read the kernel and is connected; VPP has nothing of it yet."""
    made = engine(kernel)
    try:
        made.set_interfaces({LINK: SW_IF_INDEX}, None, False)
        connect_engine(made, str(vpp.socket), max_in_flight=max_in_flight)
        made.resync()
        yield made
    finally:
        made.close()


def send_all(made: _core.Engine, source: int, count: int = ALL) -> float:
    """Sends what is dirty, ``count`` routes of it; the seconds until VPP's last answer."""
    began = time.perf_counter()
    report = made.commit(made.take_batch(count), source)
    taken = time.perf_counter() - began
    assert (report.added, report.failed) == (count, 0)
    return taken


@contextmanager
def all_in_vpp(kernel: Namespace, vpp: Vpp) -> Iterator[_core.Engine]:
    """An engine of whose routes VPP has all."""
    with ready_to_send(kernel, vpp) as made:
        send_all(made, fib_source(vpp))
        yield made
