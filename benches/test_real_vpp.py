"""A full sync into a real VPP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from statistics import median

import pytest

from lab import Namespace, TableRoute
from lab.vpp import RealVpp

from .by_papi import add_by_papi
from .conftest import Add
from .ready_made import Requests, Socket, connected, in_order
from .rows import Row, at_least
from .size import ALL, V4, V6, rounds, scaled
from .timing import in_turns, ratio
from .vpp_side import fib_source, ready_to_send, send_all
from .world import MAX_IN_FLIGHT, both_tables, connect_engine

pytestmark = [pytest.mark.root, pytest.mark.vpp, pytest.mark.timeout(3000)]

ONE_BY_ONE = scaled(3_000, least=20)
"""Routes of the peer that makes a call a route."""

PART = scaled(200_000, least=100)
"""Routes of the experiments with VPP's socket."""

WRITES = (4 << 10, 64 << 10, 1 << 20)
"""Bytes."""

IN_FLIGHT = (16, 64, 256, 4096)


def rates(count: int, seconds: list[float]) -> list[float]:
    """Routes a second."""
    return [count / taken for taken in seconds]


def empty(vpp: Socket, deletes: bytes, count: int) -> float:
    """Deletes it all again; the seconds that it took."""
    return vpp.exchange(deletes, count)


def test_full_sync(plain_kernel: Namespace, real_vpp: RealVpp, add: Add) -> None:
    """Against the same frames, packed beforehand, and a call a route."""
    source = fib_source(real_vpp)
    table = both_tables(V4, V6)
    with (
        ready_to_send(plain_kernel, real_vpp) as made,
        connected(real_vpp.socket) as plain,
    ):
        requests = Requests(plain.message, plain.client, source)
        adds, deletes = requests.adds(table), requests.deletes(table)
        emptied: list[float] = []

        def ours() -> float:
            taken = send_all(made, source)
            emptied.append(empty(plain, deletes, ALL))
            made.forget_installed()
            return taken

        def blasted() -> float:
            taken = plain.exchange(adds, ALL)
            empty(plain, deletes, ALL)
            return taken

        mine, limit = in_turns(rounds(3), ours, blasted)
    papi = add_by_papi(real_vpp, in_order(table)[:ONE_BY_ONE], source)
    ours_a_second, limits = rates(ALL, mine), rates(ALL, limit)
    what = "Full sync into real VPP"
    add(
        Row(
            what, median(ours_a_second), "routes/s", "the same frames ready-made",
            median(limits), ratio(ours_a_second, limits), at_least(1.3, ratio=True),
        )
    )  # fmt: skip
    add(
        Row(
            what, median(ours_a_second), "routes/s", "vpp_papi, a call a route", papi,
            median(ours_a_second) / papi, at_least(60, ratio=True),
        )
    )  # fmt: skip
    add(Row("VPP's own deletes, ready-made", median(rates(ALL, emptied)), "routes/s"))


def test_requests_in_flight(plain_kernel: Namespace, real_vpp: RealVpp, add: Add) -> None:
    """How many requests should be unanswered at a time."""
    source = fib_source(real_vpp)
    part = in_order(both_tables(V4, V6))[:PART]
    with ready_to_send(plain_kernel, real_vpp) as made, connected(real_vpp.socket) as plain:
        deletes = Requests(plain.message, plain.client, source).deletes(part)

        def send(max_in_flight: int) -> float:
            connect_engine(made, str(real_vpp.socket), max_in_flight=max_in_flight)
            taken = send_all(made, source, PART)
            empty(plain, deletes, PART)
            made.forget_installed()
            return taken

        limits = [MAX_IN_FLIGHT, *IN_FLIGHT]
        ways = [lambda limit=limit: send(limit) for limit in limits]
        times = in_turns(rounds(5), *ways)
    usual = rates(PART, times[0])
    for limit, seconds in zip(limits[1:], times[1:], strict=True):
        found = rates(PART, seconds)
        add(
            Row(
                f"Full sync into real VPP, {limit:,} in flight", median(found), "routes/s",
                f"{MAX_IN_FLIGHT} in flight", median(usual), ratio(found, usual),
            )
        )  # fmt: skip


def test_writes_and_connections(real_vpp: RealVpp, add: Add) -> None:
    """What the size of a write and several connections change for ready-made frames."""
    source = fib_source(real_vpp)
    table = in_order(both_tables(V4, V6))[:PART]
    with connected(real_vpp.socket) as one, connected(real_vpp.socket) as two:
        whole, halves = frames(one, table, source), [table[0::2], table[1::2]]
        parts = [frames(vpp, half, source) for vpp, half in zip((one, two), halves, strict=True)]

        def write(size: int | None) -> float:
            taken = one.exchange(whole[0], len(table), write=size)
            empty(one, whole[1], len(table))
            return taken

        def over_two() -> float:
            taken = together([(one, parts[0][0]), (two, parts[1][0])], len(table) // 2)
            empty(one, whole[1], len(table))
            return taken

        ways = [lambda size=size: write(size) for size in (None, *WRITES)]
        times = in_turns(rounds(3), *ways, over_two)
    usual = rates(len(table), times[0])
    names = [*(f"writes of {size >> 10} KiB" for size in WRITES), "two connections"]
    for name, seconds in zip(names, times[1:], strict=True):
        found = rates(len(table), seconds)
        add(
            Row(
                f"Ready-made frames, {name}", median(found), "routes/s", "one write",
                median(usual), ratio(found, usual),
            )
        )  # fmt: skip


def frames(vpp: Socket, routes: list[TableRoute], source: int) -> tuple[bytes, bytes]:
    """Those that add and those that delete."""
    requests = Requests(vpp.message, vpp.client, source)
    return requests.adds(routes), requests.deletes(routes)


def together(sends: list[tuple[Socket, bytes]], count: int) -> float:
    """Sends over all connections at once; the seconds until the last answer."""
    with ThreadPoolExecutor(len(sends)) as pool:
        done = [pool.submit(vpp.exchange, data, count) for vpp, data in sends]
        return max(one.result() for one in done)
