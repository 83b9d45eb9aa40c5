"""Ours over the socket beside what VPP could do: its FIB from inside, and over shared memory."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import pytest

from lab import Namespace
from lab.vpp import RealVpp

from .bare_dump import bare_dump
from .conftest import Add
from .ready_made import Requests, connected, in_order
from .rows import Row, at_most
from .size import MEASURES, V4, V6, rounds, scaled
from .timing import in_turns, ratio
from .vpp_inside import Rates, frames_in_files, from_inside, over_shared_memory
from .vpp_side import fib_source, ready_to_send, send_all
from .world import (
    EVERYTHING,
    LINK,
    SW_IF_INDEX,
    apply,
    both_tables,
    connect_engine,
    empty_kernel,
    engine,
    lines,
)

pytestmark = [pytest.mark.root, pytest.mark.vpp, pytest.mark.timeout(1800)]

PART = scaled(200_000, least=100)
REAL = (608_000, 122_000) if MEASURES else (500, 100)
"""IPv4 and IPv6 routes of a real internet table, one best path each: 730,000."""


def test_full_sync(plain_kernel: Namespace, real_vpp: RealVpp, tmp_path: Path, add: Add) -> None:
    """The same number of routes three ways, in turns; ours are deleted ready-made."""
    source = fib_source(real_vpp)
    part = in_order(both_tables(V4, V6))[:PART]
    inside: list[Rates] = []
    shared: list[Rates] = []
    with (
        ready_to_send(plain_kernel, real_vpp) as made,
        connected(real_vpp.socket) as plain,
    ):
        deletes = Requests(plain.message, plain.client, source).deletes(part)
        to_share = Requests(plain.message, 0, source)

        def ours() -> float:
            taken = send_all(made, source, PART)
            plain.exchange(deletes, PART)
            made.forget_installed()
            return taken

        def by_cli() -> float:
            inside.append(from_inside(real_vpp, PART))
            return PART / inside[-1].adds

        frames = to_share.adds(part), to_share.deletes(part)
        with frames_in_files(tmp_path, *frames) as (adds_file, deletes_file):

            def by_memory() -> float:
                shared.append(over_shared_memory(real_vpp, adds_file, deletes_file, PART))
                return PART / shared[-1].adds

            mine, insides, shares = in_turns(rounds(5), ours, by_cli, by_memory)
    what = f"Full sync of {PART:,} into real VPP"
    rate = PART / median(mine)
    fib, memory = PART / median(insides), PART / median(shares)
    # A ratio of rates: theirs by ours in time.
    add(Row(what, rate, "routes/s", "VPP's FIB from inside", fib, ratio(insides, mine)))
    add(Row(what, rate, "routes/s", "shared memory, a minimal client", memory, ratio(shares, mine)))
    what = "Shared memory, a minimal client: adds"
    add(Row(what, memory, "routes/s", "VPP's FIB from inside", fib, ratio(insides, shares)))
    fib, memory = (median(rates.deletes for rates in way) for way in (inside, shared))
    what = "Shared memory, a minimal client: deletes"
    add(Row(what, memory, "routes/s", "VPP's FIB from inside", fib, memory / fib))


def test_cold_start_of_a_real_table(real_vpp: RealVpp, add: Add) -> None:
    """From nothing to VPP's last answer: the kernel's dump, the table, and VPP."""
    count = sum(REAL)
    source = fib_source(real_vpp)
    table = both_tables(*REAL)
    with empty_kernel("real") as kernel, connected(real_vpp.socket) as plain:
        apply(kernel, lines("add", table))
        deletes = Requests(plain.message, plain.client, source).deletes(table)

        def ours() -> float:
            made = engine(kernel)
            try:
                made.set_interfaces({LINK: SW_IF_INDEX}, None, False)
                connect_engine(made, str(real_vpp.socket))
                began = time.perf_counter()
                made.resync()
                report = made.commit(made.take_batch(EVERYTHING), source)
                taken = time.perf_counter() - began
            finally:
                made.close()
            assert (report.added, report.failed) == (count, 0)
            plain.exchange(deletes, count)
            return taken

        def limit() -> float:
            return bare_dump(kernel) + count / from_inside(real_vpp, count).adds

        mine, limits = in_turns(rounds(3), ours, limit)
    add(
        Row(
            f"Cold start of {count:,} routes to real VPP's last answer", median(mine), "s",
            "bare dump, then VPP's FIB from inside", median(limits), ratio(mine, limits),
            at_most(1.6, ratio=True),
        )
    )  # fmt: skip
