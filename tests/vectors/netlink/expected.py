"""What iproute2 shows of a namespace, in the terms in which the decoder's tests compare it."""

from __future__ import annotations

import json
import subprocess
from typing import Any, TypedDict

# linux/lwtunnel.h
LWTUNNEL_ENCAP = {"mpls": 1, "ip": 2, "ila": 3, "ip6": 4, "seg6": 5, "bpf": 6, "seg6local": 7}


class Hop(TypedDict):
    gateway: str | None
    interface: int
    weight: int
    onlink: bool
    dead: bool
    encapsulation: int


class Route(TypedDict):
    table: int
    prefix: str
    source: str | None
    tos: int
    metric: int
    protocol: int
    type: int
    nhid: int | None
    next_hops: list[Hop]


class Link(TypedDict):
    index: int
    name: str
    up: bool
    carrier: bool


class NextHop(TypedDict):
    id: int
    blackhole: bool
    fdb: bool
    group: list[list[int]] | None
    next_hop: Hop


class State(TypedDict):
    routes: list[Route]
    links: list[Link]
    next_hops: list[NextHop]


def state() -> State:
    """All routes, links and next-hop objects of the namespace this process is in."""
    shown = _ip("link", "show")
    links = [
        Link(
            index=link["ifindex"],
            name=link["ifname"],
            up="UP" in link["flags"],
            carrier="LOWER_UP" in link["flags"],
        )
        for link in shown
    ]
    indices = {link["name"]: link["index"] for link in links}
    return State(
        routes=[_route(route, indices) for route in _ip("route", "show", "table", "all")],
        links=links,
        next_hops=[_next_hop(hop, indices) for hop in _ip("nexthop", "show")],
    )


def difference(one: State, other: State) -> State:
    """What `one` has and `other` has not, or has otherwise."""
    return State(
        routes=[route for route in one["routes"] if route not in other["routes"]],
        links=[link for link in one["links"] if link not in other["links"]],
        next_hops=[hop for hop in one["next_hops"] if hop not in other["next_hops"]],
    )


def _ip(*arguments: str) -> list[dict[str, Any]]:
    command = ["ip", "-N", "-d", "-json", *arguments]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows: list[dict[str, Any]] = json.loads(shown or "[]", object_pairs_hook=_first_wins)
    return rows


def _first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """iproute2 writes an encapsulation's `dst` and `tos` behind the route's, in the same object."""
    return dict(reversed(pairs))


def _route(row: dict[str, Any], indices: dict[str, int]) -> Route:
    # iproute2 names no family; only IPv6 routes have a preference (RTA_PREF).
    v6 = "pref" in row
    return Route(
        table=int(row.get("table", 254)),
        prefix=_prefix(row["dst"], v6=v6),
        source=row.get("from"),
        tos=int(str(row.get("tos", 0)), 0),
        metric=row.get("metric", 0),
        protocol=int(row["protocol"]),
        type=int(row["type"]),
        nhid=row.get("nhid"),
        next_hops=[_hop(leg, indices) for leg in row.get("nexthops", [row])],
    )


def _prefix(shown: str, *, v6: bool) -> str:
    if shown == "default":
        return "::/0" if v6 else "0.0.0.0/0"
    return shown if "/" in shown else f"{shown}/{128 if v6 else 32}"


def _hop(row: dict[str, Any], indices: dict[str, int]) -> Hop:
    via = row.get("via")
    return Hop(
        gateway=via["host"] if via else row.get("gateway"),
        interface=indices[row["dev"]] if "dev" in row else 0,
        weight=row.get("weight", 1),
        onlink="onlink" in row["flags"],
        dead="dead" in row["flags"],
        encapsulation=LWTUNNEL_ENCAP[row["encap"]] if "encap" in row else 0,
    )


def _next_hop(row: dict[str, Any], indices: dict[str, int]) -> NextHop:
    group = row.get("group")
    return NextHop(
        id=row["id"],
        blackhole="blackhole" in row,
        fdb="fdb" in row,
        group=group and [[member["id"], member.get("weight", 1)] for member in group],
        next_hop=_hop(row, indices),
    )
