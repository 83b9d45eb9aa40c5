"""What a script does: one ``ip_route_add_del_v2`` a route through ``vpp_papi``."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from bgpreflector.fib_types import INDEX_INVALID
from lab import TableRoute
from lab.vpp import Vpp

from .timing import timed
from .world import SW_IF_INDEX, gateways

LABEL = {"is_uniform": 0, "label": 0, "ttl": 0, "exp": 0}


def add_by_papi(vpp: Vpp, routes: Sequence[TableRoute], source: int) -> float:
    """Adds the routes and takes them away again; adds a second."""

    def add(*, is_add: bool) -> None:
        for route in routes:
            reply = vpp.api.ip_route_add_del_v2(
                is_add=is_add, is_multipath=False, route=_route(route, source)
            )
            assert reply.retval == 0, (route, reply)

    seconds = timed(lambda: add(is_add=True))
    add(is_add=False)
    return len(routes) / seconds


def _route(route: TableRoute, source: int) -> dict[str, object]:
    paths = [_path(hop) for hop in gateways(route, 1)]
    return {
        "table_id": 0,
        "stats_index": 0,
        "prefix": route.prefix,
        "n_paths": len(paths),
        "src": source,
        "paths": paths,
    }


def _path(hop: str) -> dict[str, object]:
    address = ip_address(hop)
    return {
        "sw_if_index": SW_IF_INDEX,
        "table_id": 0,
        "rpf_id": INDEX_INVALID,
        "weight": 1,
        "preference": 0,
        "type": 0,
        "flags": 0,
        "proto": int(address.version == 6),
        "nh": {"address": {f"ip{address.version}": address.packed}},
        "n_labels": 0,
        "label_stack": [LABEL] * 16,
    }
