"""Routes in columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bgpreflector.routes.names import table_name
from bgpreflector.routes.paths import path_text
from bgpreflector.routes.rows import hops_text, next_hop_text
from bgpreflector.rtnetlink import RT_TABLE_MAIN
from bgpreflector.units import counted

from .output import say
from .table import print_table

Row = Mapping[str, Any]

MAX_NEXT_HOPS = 2
"""Next hops that are shown of more, but for ``--wide``."""

MAX_SUMMARY_NEXT_HOPS = 10
"""Next hops that a summary names."""

HEADS = ("PREFIX", "NEXT HOPS", "STATE", "VPP")
WIDE_HEADS = ("PREFIX", "TABLE", "PROTOCOL", "METRIC", "SOURCE", *HEADS[1:])
KERNEL_HEADS = ("PREFIX", "TABLE", "PROTOCOL", "METRIC", "NEXT HOPS")


def print_routes(rows: Iterable[Row], *, wide: bool, nothing: str) -> None:
    """The kernel's routes and what VPP has of each."""
    print_table(WIDE_HEADS if wide else HEADS, (_cells(row, wide=wide) for row in rows), nothing)


def print_kernel_routes(rows: Iterable[Row], nothing: str) -> None:
    """The kernel's routes alone."""
    print_table(KERNEL_HEADS, ([*_named(row), hops_text(row)] for row in rows), nothing)


def _cells(row: Row, *, wide: bool) -> Sequence[str]:
    if wide:
        return [*_named(row), row["source"], hops_text(row), row["state"], vpp_text(row)]
    main = row["table"] == RT_TABLE_MAIN
    prefix = row["prefix"] if main else f"{row['prefix']} table {row['table']}"
    return [prefix, _few_hops(row), row["state"], vpp_text(row, few=MAX_NEXT_HOPS)]


def _named(row: Row) -> list[str]:
    table, metric = table_name(row["table"]), str(row["metric"])
    return [row["prefix"], table, row["protocol_name"], metric]


def _few_hops(row: Row) -> str:
    hops = row["next_hops"]
    if row["type"] != "unicast" or not hops:
        return hops_text(row)
    return _few([next_hop_text(hop) for hop in hops], MAX_NEXT_HOPS)


def _few(texts: Sequence[str], few: int | None) -> str:
    left = 0 if few is None else len(texts) - few
    if left <= 0:
        return ", ".join(texts)
    return f"{', '.join(texts[:few])} and {left} more"


def vpp_text(row: Row, few: int | None = None) -> str:
    """What VPP has of a route, or why it has it not."""
    has = _few([path_text(path) for path in row["installed"]], few)
    if row["reason"] is None:
        return has
    instead = "" if row["substitute"] is None else f"; instead: {row['substitute']}"
    return f"{row['reason']}{instead}{f' ({has})' if has else ''}"


def print_summary(found: Row) -> None:
    """How many routes there are, and of what kind."""
    routes = found["routes"]
    if not routes:
        say("no routes")
        return
    say(counted(routes, "route"))
    hops = [(next_hop_text(_hop(one)), one["routes"]) for one in found["next_hops"]]
    parts = {
        "state": found["states"].items(),
        "protocol": found["protocols"].items(),
        "interface": found["interfaces"].items(),
        "next hop": hops[:MAX_SUMMARY_NEXT_HOPS],
    }
    for name, counts in parts.items():
        for what, count in counts:
            say(f"{name:<10} {count:>11,}  {what}")
    if len(hops) > MAX_SUMMARY_NEXT_HOPS:
        say(f"{'':<10} {'':>11}  and {counted(len(hops) - MAX_SUMMARY_NEXT_HOPS, 'next hop')} more")


def _hop(one: Row) -> Row:
    return {**one, "weight": 1, "labels": []}


def one_route(row: Row) -> Iterator[str]:
    """The lines after a route's own."""
    if row["source"] != "kernel":
        yield f"source {row['source']}"
    state = row["state"] if row["reason"] is None else f"{row['state']}: {row['reason']}"
    if row["substitute"] is not None:
        state += f"; instead: {row['substitute']}"
    yield f"[{state}]"
    if row["installed"]:
        yield f"VPP table {row['vpp_table']}: {', '.join(map(path_text, row['installed']))}"
