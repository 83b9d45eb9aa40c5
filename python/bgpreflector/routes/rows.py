"""Routes as objects for JSON and as lines for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bgpreflector import _core
from bgpreflector.config.protocols import protocol_name


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
    """A kernel route as ``ip route`` would show it."""
    parts = [row["prefix"]]
    if row["type"] != "unicast":
        parts.insert(0, row["type"])
    if row["next_hop_id"] is not None:
        parts.append(f"nhid {row['next_hop_id']}")
    parts.append(next_hops_text(row["next_hops"]))
    parts += [f"proto {row['protocol_name']}", f"metric {row['metric']}", f"table {row['table']}"]
    return " ".join(filter(None, parts))


def next_hops_text(hops: Sequence[Mapping[str, Any]]) -> str:
    """Next hops as ``ip route`` would show them."""
    several = len(hops) > 1
    return " ".join(_next_hop(hop, several=several) for hop in hops)


def _next_hop(hop: Mapping[str, Any], *, several: bool) -> str:
    parts = ["nexthop"] if several else []
    if hop["gateway"] is not None:
        parts.append(f"via {hop['gateway']}")
    parts.append(f"dev {hop['interface']}")
    if several:
        parts.append(f"weight {hop['weight']}")
    return " ".join(parts)
