"""The kernel's interfaces and the VPP interfaces mapped to them, as rows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bgpreflector.vpp import InterfaceMap

from .lines import Row
from .routes import RouteSelection, route_groups, vpp_interface_names

if TYPE_CHECKING:
    from bgpreflector.daemon.daemon import Daemon


def interface_rows(daemon: Daemon) -> list[Row]:
    """All kernel interfaces, and configured ones that do not exist."""
    mapping = daemon.sink.vpp_state.interface_map
    vpp_names = vpp_interface_names(daemon)
    routes = _routes_through(daemon)
    links = sorted(daemon.engine.links())
    mapped = daemon.engine.mapped_interfaces()
    explicit = daemon.config.vpp.interfaces.map
    vrfs = _vrfs(daemon)
    rows: list[Row] = [
        _row(name, mapped.get(name), mapping, vpp_names)
        | {
            "mapped_by": _mapped_by(name, mapped.get(name), mapping),
            "index": index,
            "up": up,
            "routes": routes.get(index, 0),
            "vrf": vrfs.get(index),
        }
        # Packets to a VRF are looked up again, unless a VPP interface is mapped to it.
        | (
            {"mapped_by": "vrf", "sw_if_index": None, "vpp_interface": None}
            if index in vrfs and name not in mapped
            else {}
        )
        for index, name, up in links
    ]
    known = {name for _, name, _ in links}
    rows += [
        _row(name, mapping.map.get(name), mapping, vpp_names)
        | {"mapped_by": "map", "index": None, "up": False, "routes": 0, "vrf": None}
        for name in explicit
        if name not in known
    ]
    return rows


def vpp_interface_rows(daemon: Daemon) -> list[Row]:
    """All of VPP's interfaces, as they were when it was looked at last."""
    names = sorted(vpp_interface_names(daemon).items())
    return [{"sw_if_index": index, "name": name} for index, name in names]


def _vrfs(daemon: Daemon) -> dict[int, dict[str, int | None]]:
    """The routing table of each VRF device by index, and the VPP table of that."""
    tables = {kernel: vpp for kernel, vpp, *_ in daemon.engine.mirrored_tables()}
    return {
        index: {"table": table, "vpp_table": tables.get(table)}
        for index, table in daemon.engine.vrfs()
    }


def _row(
    name: str, mapped: int | None, mapping: InterfaceMap, vpp_names: dict[int, str]
) -> dict[str, object]:
    sw_if_index = mapping.unmapped if mapped is None else mapped
    return {
        "interface": name,
        "sw_if_index": sw_if_index,
        "vpp_interface": None if sw_if_index is None else vpp_names.get(sw_if_index),
    }


def _mapped_by(name: str, mapped: int | None, mapping: InterfaceMap) -> str:
    """The strategy that found it (``vpp.interfaces.strategies``), or ``none``."""
    if mapped is not None:
        return mapping.found_by.get(name, "name")
    if mapping.unmapped is not None:
        return "main"
    return "recursive" if mapping.recursive else "none"


def _routes_through(daemon: Daemon) -> Counter[int]:
    """Mirrored routes by the interface that they go through."""
    counts: Counter[int] = Counter()
    for *_, hops, count in route_groups(daemon, RouteSelection()):
        counts.update(dict.fromkeys({hop.interface for hop in hops}, count))
    return counts
