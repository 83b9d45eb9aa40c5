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
    for family, bits in ((4, 32), (6, 128)):
        for table in TABLES:
            for prefix, route in _first_usable(_show(namespace, family, table), family, bits):
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
    return sorted((gateway, device, weight) for (gateway, device), weight in weights.items())


def _gateway(hop: dict[str, object]) -> str:
    via = hop.get("via")
    if isinstance(via, dict):
        return str(via["host"])
    return str(hop.get("gateway", ""))
