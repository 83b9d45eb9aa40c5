"""Kernel routes as objects for JSON and as text for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bgpreflector import _core
from bgpreflector.config.protocols import protocol_name
from bgpreflector.rtnetlink import RT_TABLE_MAIN

from .names import table_name


def route_row(
    route: _core.RouteView | _core.KernelRoute, names: Mapping[int, str]
) -> dict[str, object]:
    """A route; ``names`` are those of the interfaces by index."""
    return {
        "prefix": route.prefix,
        "table": route.table,
        "type": route.route_type,
        "protocol": route.protocol,
        "protocol_name": protocol_name(route.protocol),
        "metric": route.metric,
        "tos": route.tos,
        "next_hops": [next_hop_row(hop, names) for hop in route.next_hops],
        "next_hop_id": route.next_hop_id,
    }


def next_hop_row(hop: _core.NextHop, names: Mapping[int, str]) -> dict[str, object]:
    """A next hop."""
    return {
        "gateway": None if hop.gateway is None else str(hop.gateway),
        "interface": names.get(hop.interface, str(hop.interface)),
        "weight": hop.weight,
        "onlink": hop.onlink,
        "labels": hop.labels,
    }


def route_line(row: Mapping[str, Any]) -> str:
    """A kernel route in a line."""
    return f"{row['prefix']} {hops_text(row)} proto {row['protocol_name']}" + "".join(
        [
            f" metric {row['metric']}" if row["metric"] else "",
            f" tos {row['tos']}" if row["tos"] else "",
            "" if row["table"] == RT_TABLE_MAIN else f" table {table_name(row['table'])}",
        ]
    )


def hops_text(row: Mapping[str, Any]) -> str:
    """What the kernel does with packets: its next hops, or the route's type where it is special."""
    parts = [] if row["type"] == "unicast" else [row["type"]]
    if row["next_hop_id"] is not None:
        parts.append(f"nhid {row['next_hop_id']}")
    parts.append(next_hops_text(row["next_hops"]))
    return " ".join(filter(None, parts))


def next_hops_text(hops: Iterable[Mapping[str, Any]]) -> str:
    """Next hops, as VPP's paths are shown."""
    return ", ".join(map(next_hop_text, hops))


def next_hop_text(hop: Mapping[str, Any]) -> str:
    """A next hop."""
    parts = [hop["interface"] if hop["gateway"] is None else f"via {hop['gateway']}"]
    if hop["gateway"] is not None and hop["interface"] != "0":
        parts.append(hop["interface"])
    if hop["weight"] > 1:
        parts.append(f"weight {hop['weight']}")
    if hop["labels"]:
        parts.append(f"labels {'/'.join(map(str, hop['labels']))}")
    return " ".join(parts)
