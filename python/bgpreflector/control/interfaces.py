"""The kernel's interfaces and the VPP interfaces mapped to them, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bgpreflector.vpp import InterfaceMap

from .protocol import Row
from .routes import PAGE

if TYPE_CHECKING:
    from bgpreflector.daemon.daemon import Daemon


def interface_rows(daemon: Daemon) -> list[Row]:
    """All kernel interfaces, and configured ones that do not exist."""
    seen = daemon.sink.seen
    vpp_names = {index: name for name, index in seen.interfaces.by_name.items()}
    sets = _sets_through(daemon)
    links = sorted(daemon.engine.links())
    found = daemon.engine.stands_for()
    rows: list[Row] = [
        _row(name, found.get(name), seen.interface_map, vpp_names)
        | {"index": index, "up": up, "next_hop_sets": sets.get(index, 0)}
        for index, name, up in links
    ]
    known = {name for _, name, _ in links}
    absent = [name for name in daemon.config.vpp.interfaces.map if name not in known]
    rows += [
        _row(name, seen.interface_map.map.get(name), seen.interface_map, vpp_names)
        | {"index": None, "up": False, "next_hop_sets": 0}
        for name in absent
    ]
    return rows


def _row(
    name: str, mapped: int | None, mapping: InterfaceMap, vpp_names: dict[int, str]
) -> dict[str, object]:
    sw_if_index = mapping.unmapped if mapped is None else mapped
    if mapped is not None:
        found = "mapped"
    elif sw_if_index is not None:
        found = "main"
    else:
        found = "recursive" if mapping.recursive else "none"
    return {
        "interface": name,
        "sw_if_index": sw_if_index,
        "vpp_interface": None if sw_if_index is None else vpp_names.get(sw_if_index),
        "found": found,
    }


def _sets_through(daemon: Daemon) -> dict[int, int]:
    """Next-hop sets by interface."""
    counts: dict[int, int] = {}
    cursor: int | None = 0
    while cursor is not None:
        views, cursor = daemon.engine.next_hop_sets(cursor, PAGE)
        for view in views:
            for index in {hop.interface for hop in view.next_hops}:
                counts[index] = counts.get(index, 0) + 1
    return counts
