"""The core by criterion's figures, from the same `make bench`, and pyroute2 beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyroute2.netlink.rtnl.marshal import MarshalRtnl

from lab import Namespace

from .bare_dump import FAMILIES, dumped
from .conftest import Add
from .criterion_results import rate
from .rows import Row, at_least, at_most
from .size import ALL, MEASURES, V4
from .timing import timed

SAMPLE = 20
"""Datagrams of a dump that pyroute2 parses."""

GROWTH = (10_000, 100_000, 1_000_000, 4_000_000)
"""Table sizes."""

STEPS = {
    "diff/take": "Take everything that is dirty",
    "diff/request": "Work out what to ask VPP for",
    "encode/plain": "Encode, one next hop",
    "encode/ecmp4": "Encode, four next hops",
    "diff/acknowledge": "Take note of VPP's answers",
    "sweep/all": "Sweep: nothing was seen again",
    "next_hop_change/one_of_64_sets": "One next-hop object of 64 moves",
    "next_hop_change/all_sets": "All next-hop sets move",
}


def measured(benchmark: str) -> float:
    """Routes a second."""
    found = rate(benchmark)
    if found is None or (MEASURES and found[1] != ALL and "growth" not in benchmark):
        pytest.fail(f"criterion has not measured {benchmark} at this size: run `make bench`")
    return found[0]


def test_results_are_read(tmp_path: Path) -> None:
    """A thousand elements in a millisecond are a million a second."""
    assert rate("group/function", tmp_path) is None
    latest = tmp_path / "group" / "function" / "new"
    latest.mkdir(parents=True)
    estimates = {"median": {"point_estimate": 1e6}}
    (latest / "estimates.json").write_text(json.dumps(estimates))
    (latest / "benchmark.json").write_text(json.dumps({"throughput": {"Elements": 1000}}))
    assert rate("group/function", tmp_path) == (1e6, 1000)


@pytest.mark.measured
@pytest.mark.root
@pytest.mark.parametrize("kind", ["plain", "ecmp4"])
def test_full_dump(kind: str, plain_kernel: Namespace, add: Add) -> None:
    """Bytes in memory into the table, held against those who only decode."""
    pyroute2 = routes_a_second_of_pyroute2(plain_kernel)
    store = measured(f"full_dump_{kind}/decode_and_store")
    other = measured(f"full_dump_{kind}/decode_by_netlink_packet_route")
    what = f"Decode and store a full dump, {kind}"
    target = at_least(5e6) if kind == "plain" else None
    add(Row(what, store, "routes/s", target=target))
    target = at_least(3, ratio=True) if kind == "plain" else None
    add(
        Row(
            what, store, "routes/s", "netlink-packet-route's decode alone", other, store / other,
            target,
        )
    )  # fmt: skip
    if kind == "plain":
        target = at_least(500, ratio=True)
        add(
            Row(
                what, store, "routes/s", "pyroute2's decode alone", pyroute2, store / pyroute2,
                target,
            )
        )  # fmt: skip
    decode = measured(f"full_dump_{kind}/decode")
    compare = measured(f"full_dump_{kind}/decode_and_compare")
    add(Row(f"Decode alone, {kind}", decode, "routes/s", "netlink-packet-route", other,
            decode / other))  # fmt: skip
    add(Row(f"Decode and compare with a table that has it, {kind}", compare, "routes/s"))


@pytest.mark.measured
def test_full_dump_with_memory_at_hand(add: Add) -> None:
    """Without the page faults of a process's first table, which are not our work."""
    store, other = (
        measured(f"full_dump_memory_at_hand/{what}")
        for what in ("decode_and_store", "decode_by_netlink_packet_route")
    )
    add(
        Row(
            "Decode and store a full dump, plain, in memory that the process has already", store,
            "routes/s", "netlink-packet-route's decode alone", other, store / other,
        )
    )  # fmt: skip


def routes_a_second_of_pyroute2(kernel: Namespace) -> float:
    """What its parser takes of the kernel's own bytes."""
    datagrams = [part for family in FAMILIES for part in dumped(kernel, family)[:SAMPLE]]
    marshal = MarshalRtnl()
    counts: list[int] = []

    def parse() -> None:
        for datagram in datagrams:
            messages = list(marshal.parse(datagram))
            counts.append(sum(message["event"] == "RTM_NEWROUTE" for message in messages))

    seconds = timed(parse)
    assert sum(counts) > 0
    return sum(counts) / seconds


@pytest.mark.measured
@pytest.mark.parametrize("benchmark_name", STEPS)
def test_step(benchmark_name: str, add: Add) -> None:
    """The steps between the dump and VPP."""
    add(Row(STEPS[benchmark_name], measured(benchmark_name), "routes/s"))


@pytest.mark.measured
@pytest.mark.parametrize(
    ("what", "work", "target"),
    [
        ("One of 10,000 next-hop objects goes that no route uses", "removals/unused", 1.5),
        ("One of 10,000 next-hop objects goes, and a route with it", "removals/used", None),
        ("A look at why 1,000 routes are held", "scrape/held_routes", 1.5),
    ],
)
def test_growth_of_changes(what: str, work: str, target: float | None, add: Add) -> None:
    """What a change costs beside a table a hundred times as large: the routes of objects are looked
    for in the whole table, once for all that is pending; the rest does not depend on it."""
    sizes = (10_000, 1_000_000) if MEASURES else (1_000, 10_000)
    small, large = (measured(f"growth_of_{work}/{size}") for size in sizes)
    add(
        Row(
            what, 1e6 / large, "µs", f"beside {sizes[0]:,} routes", 1e6 / small, small / large,
            None if target is None else at_most(target, ratio=True), note=f"{sizes[1]:,} routes",
        )
    )  # fmt: skip


@pytest.mark.measured
@pytest.mark.parametrize("work", ["decode_and_store", "decode_and_compare"])
def test_growth(work: str, add: Add) -> None:
    """What a route costs in a table four hundred times as large."""
    largest = max(size for size in GROWTH if size <= 4 * max(V4, GROWTH[0]))
    small, large = measured(f"growth/{work}/10000"), measured(f"growth/{work}/{largest}")
    add(
        Row(
            f"Cost of a route in memory, {work.replace('_', ' ')}", 1e9 / large, "ns",
            "in a table of 10,000", 1e9 / small, small / large, at_most(1.5, ratio=True),
            note=f"{largest:,} routes",
        )
    )  # fmt: skip
