"""The kernel's interfaces and the VPP interfaces mapped to them, as rows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bgpreflector.vpp import InterfaceMap, VppInterfaces

from .protocol import Row
from .routes import Wanted, listing_of, vpp_interface_names

if TYPE_CHECKING:
    from bgpreflector.daemon.daemon import Daemon


def interface_rows(daemon: Daemon) -> list[Row]:
    """All kernel interfaces, and configured ones that do not exist."""
    seen = daemon.sink.seen
    mapping, vpp = seen.interface_map, seen.interfaces
    vpp_names = vpp_interface_names(daemon)
    routes = _routes_through(daemon)
    links = sorted(daemon.engine.links())
    stands_for = daemon.engine.stands_for()
    explicit = daemon.config.vpp.interfaces.map
    rows: list[Row] = [
        _row(name, stands_for.get(name), mapping, vpp_names)
        | {
            "found": _found(daemon, name, stands_for.get(name), mapping, vpp),
            "index": index,
            "up": up,
            "routes": routes.get(index, 0),
        }
        for index, name, up in links
    ]
    known = {name for _, name, _ in links}
    rows += [
        _row(name, mapping.map.get(name), mapping, vpp_names)
        | {"found": "map", "index": None, "up": False, "routes": 0}
        for name in explicit
        if name not in known
    ]
    return rows


def _row(
    name: str, mapped: int | None, mapping: InterfaceMap, vpp_names: dict[int, str]
) -> dict[str, object]:
    sw_if_index = mapping.unmapped if mapped is None else mapped
    return {
        "interface": name,
        "sw_if_index": sw_if_index,
        "vpp_interface": None if sw_if_index is None else vpp_names.get(sw_if_index),
    }


def _found(
    daemon: Daemon, name: str, mapped: int | None, mapping: InterfaceMap, vpp: VppInterfaces
) -> str:
    """The strategy that found it (``vpp.interfaces.strategies``), or ``none``."""
    if mapped is None:
        if mapping.unmapped is not None:
            return "main"
        return "recursive" if mapping.recursive else "none"
    if name not in mapping.map:
        return "name"
    for strategy in daemon.config.vpp.interfaces.strategies:
        if strategy == "map" and name in daemon.config.vpp.interfaces.map:
            return "map"
        if strategy == "linux-cp" and vpp.pairs.get(name) == mapped:
            return "linux-cp"
    return "map"


def _routes_through(daemon: Daemon) -> Counter[int]:
    """Mirrored routes by the interface that they go through."""
    counts: Counter[int] = Counter()
    listing = listing_of(daemon, Wanted())
    cursor: int | None = 0
    while cursor is not None:
        alike, cursor = listing.tally(cursor)
        for *_, hops, count in alike:
            counts.update(dict.fromkeys({hop.interface for hop in hops}, count))
    return counts
