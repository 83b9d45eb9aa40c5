"""What the kernel forwards by, read from `ip -json`: written without a look at our own code."""

from __future__ import annotations

import json
import subprocess

from .operations import TABLES

Hop = tuple[str, str, int]
"""Gateway ("" for none), device, weight."""

Forwarding = dict[tuple[int, str], object]
"""By table and prefix: a route type, or the sorted hops."""


def forwarding(namespace: str, protocol: str = "12") -> Forwarding:
    """The protocol's routes that forward, by table and prefix."""
    result: Forwarding = {}
    objects = _objects(namespace)
    for family, bits in ((4, 32), (6, 128)):
        for table in TABLES:
            routes = [_expanded(route, objects) for route in _show(namespace, family, table)]
            for prefix, route in _first_usable(routes, family, bits):
                if str(route["protocol"]) == protocol:
                    result[(table, prefix)] = _meaning(route)
    return result


def _show(namespace: str, family: int, table: int) -> list[dict[str, object]]:
    command = ["ip", "-n", namespace, f"-{family}", "-N", "-json", "-details"]
    shown = subprocess.run(
        [*command, "route", "show", "table", str(table)], capture_output=True, check=False
    )
    if shown.returncode != 0:
        # A table that does not exist.
        return []
    routes: list[dict[str, object]] = json.loads(shown.stdout or b"[]")
    return routes


def _objects(namespace: str) -> dict[int, dict[str, object]]:
    """The next-hop objects by id."""
    command = ["ip", "-n", namespace, "-N", "-json", "nexthop", "show"]
    shown = subprocess.run(command, capture_output=True, check=True)
    return {int(entry["id"]): entry for entry in json.loads(shown.stdout or b"[]")}


def _expanded(route: dict[str, object], objects: dict[int, dict[str, object]]) -> dict[str, object]:
    """The route with the next hops of its object, where the kernel does not write them down."""
    if "nhid" not in route or "dev" in route or "nexthops" in route:
        return route
    entry = objects.get(int(str(route["nhid"])), {})
    if "blackhole" in entry:
        return route | {"type": "6"}
    group = entry.get("group")
    if not isinstance(group, list):
        return route | {"nexthops": [entry]} if "dev" in entry else route
    members = [objects[int(member["id"])] | {"weight": member.get("weight", 1)} for member in group]
    if any("blackhole" in member for member in members):
        return route | {"type": "6"}
    return route | {"nexthops": members}


def _first_usable(
    routes: list[dict[str, object]], family: int, bits: int
) -> list[tuple[str, dict[str, object]]]:
    """The first route of each prefix by metric, then in the kernel's order."""
    best: dict[str, dict[str, object]] = {}
    for route in sorted(routes, key=lambda r: int(str(r.get("metric", 0)))):
        if str(route.get("tos", "0")) not in ("0", "0x00", "default"):
            continue
        prefix = str(route["dst"])
        if prefix == "default":
            prefix = "0.0.0.0/0" if family == 4 else "::/0"
        elif "/" not in prefix:
            prefix = f"{prefix}/{bits}"
        if prefix not in best and _usable(route):
            best[prefix] = route
    return list(best.items())


def _is_unicast(route: dict[str, object]) -> bool:
    return str(route.get("type", "1")) in ("1", "unicast")


def _usable(route: dict[str, object]) -> bool:
    return not _is_unicast(route) or any(not _dead(hop) for hop in _hops(route))


def _hops(route: dict[str, object]) -> list[dict[str, object]]:
    hops = route.get("nexthops", [route])
    assert isinstance(hops, list)
    return hops


def _dead(hop: dict[str, object]) -> bool:
    flags = hop.get("flags", [])
    assert isinstance(flags, list)
    return "dead" in flags


_TYPES = {"6": "blackhole", "7": "unreachable", "8": "prohibit"}


def _meaning(route: dict[str, object]) -> object:
    if not _is_unicast(route):
        kind = str(route["type"])
        return _TYPES.get(kind, kind)
    if "blackhole" in route.get("flags", []):  # type: ignore[operator]
        return "blackhole"
    weights: dict[tuple[str, str], int] = {}
    for hop in _hops(route):
        if not _dead(hop):
            leg = (_gateway(hop), str(hop["dev"]))
            # Legs that are equal but for their weight are one path in VPP.
            weights[leg] = weights.get(leg, 0) + int(str(hop.get("weight", 1)))
    if len(weights) == 1:
        # The only leg takes everything, whatever its weight.
        weights = dict.fromkeys(weights, 1)
    return sorted((gateway, device, weight) for (gateway, device), weight in weights.items())


def _gateway(hop: dict[str, object]) -> str:
    via = hop.get("via")
    if isinstance(via, dict):
        return str(via["host"])
    return str(hop.get("gateway", ""))
