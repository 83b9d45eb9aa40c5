"""Routes through ``vpp_papi``: works with every VPP, a hundred times slower than the encoder.

Used for a VPP whose route messages have a layout that the encoder does not know.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from bgpreflector.fib_types import INDEX_INVALID

from .session import VppSession

if TYPE_CHECKING:
    from bgpreflector._core import _PathTuple

_log = logging.getLogger(__name__)

NO_LABEL = {"is_uniform": 0, "label": 0, "ttl": 0, "exp": 0}
LABELS = 16
"""Length of ``fib_path.label_stack``."""

LABEL_TTL = 64


class PapiRoutes:
    """Adds, deletes and dumps routes, one call a route."""

    def __init__(self, session: VppSession) -> None:
        self._session = session
        self._v2 = session.has("ip_route_add_del_v2")
        if not self._v2:
            _log.warning(
                "this VPP has no ip_route_add_del_v2: routes go in under the API's own FIB "
                "source and cannot be distinguished from other clients'"
            )

    @property
    def tells_sources_apart(self) -> bool:
        """Whether our routes have a FIB source of their own."""
        return self._v2

    def send(self, table: int, prefix: str, paths: Sequence[_PathTuple] | None, source: int) -> int:
        """Set all ``paths`` of a prefix, or delete it; return VPP's ``retval``."""
        message, fields = self.message(table, prefix, paths, source)
        return int(self._session.call(message, **fields).retval)

    def message(
        self, table: int, prefix: str, paths: Sequence[_PathTuple] | None, source: int
    ) -> tuple[str, dict[str, object]]:
        """Return the message's name and fields."""
        next_hops = [_path(path) for path in paths or ()]
        route: dict[str, object] = {
            "table_id": table,
            "stats_index": 0,
            "prefix": prefix,
            "n_paths": len(next_hops),
            "paths": next_hops,
        }
        message = "ip_route_add_del"
        if self._v2:
            message, route["src"] = "ip_route_add_del_v2", source
        return message, {"is_add": paths is not None, "is_multipath": False, "route": route}

    def dump(
        self, tables: Sequence[tuple[int, bool]], source: int
    ) -> Iterator[tuple[int, str, list[_PathTuple]]]:
        """Dump VPP's routes of a source; none if VPP cannot dump by source."""
        if not self._v2:
            return
        for table_id, is_ip6 in tables:
            table = {"table_id": table_id, "is_ip6": is_ip6}
            for details in self._session.call("ip_route_v2_dump", table=table, src=source):
                route = details.route
                yield table_id, str(route.prefix), [path_tuple(path) for path in route.paths]


def _path(path: _PathTuple) -> dict[str, object]:
    path_type, proto, next_hop, sw_if_index, table, weight, preference, labels = path
    stack = [NO_LABEL | {"label": label, "ttl": LABEL_TTL} for label in labels]
    address = {} if next_hop is None else {"ip6" if proto else "ip4": next_hop.packed}
    return {
        "sw_if_index": sw_if_index,
        "table_id": table,
        "rpf_id": INDEX_INVALID,
        "weight": weight,
        "preference": preference,
        "type": path_type,
        "flags": 0,
        "proto": proto,
        "nh": {"address": address},
        "n_labels": len(labels),
        "label_stack": stack + [NO_LABEL] * (LABELS - len(stack)),
    }


def path_tuple(path: Any) -> _PathTuple:
    """Convert a path to the engine's form."""
    proto = int(path.proto)
    address = ip_address(str(path.nh.address.ip6 if proto else path.nh.address.ip4))
    labels = [int(label.label) for label in path.label_stack[: path.n_labels]]
    return (
        int(path.type),
        proto,
        None if address.is_unspecified else address,
        int(path.sw_if_index),
        int(path.table_id),
        int(path.weight),
        int(path.preference),
        labels,
    )
