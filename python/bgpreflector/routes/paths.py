"""VPP's paths as objects for JSON and as text for people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bgpreflector._core import _PathTuple

NO_INTERFACE = 0xFFFFFFFF
"""``~0``: a path that names no interface."""

NORMAL = "normal"
_TYPES: Mapping[int, str] = {
    0: NORMAL,
    1: "local",
    2: "drop",
    3: "udp-encap",
    4: "bier-imp",
    5: "icmp-unreach",
    6: "icmp-prohibit",
    7: "source-lookup",
    8: "dvr",
    9: "interface-rx",
    10: "classify",
}
"""``fib_path_type`` of VPP's ``fib_types.api``."""

_ENDS = (1, 2, 5, 6)
"""Those that lead nowhere: what VPP says of their next hop means nothing."""

_BY_INDEX = re.compile(r"\bsw_if_index (\d+)")


def path_row(path: _PathTuple, vpp_names: Mapping[int, str]) -> dict[str, object]:
    """A path; ``vpp_names`` are those of VPP's interfaces by ``sw_if_index``."""
    number, _, next_hop, sw_if_index, table, weight, _, labels = path
    leads = number not in _ENDS
    again = number == 0 and next_hop is None and sw_if_index == NO_INTERFACE
    through = sw_if_index if leads and sw_if_index != NO_INTERFACE else None
    return {
        "type": _TYPES.get(number, f"type {number}"),
        "next_hop": str(next_hop) if leads and next_hop is not None else None,
        "interface": None if through is None else vpp_names.get(through),
        "sw_if_index": through,
        "lookup_table": table if again else None,
        "weight": weight,
        "labels": list(labels),
    }


def path_rows(paths: Iterable[_PathTuple], vpp_names: Mapping[int, str]) -> list[dict[str, object]]:
    """Several of them."""
    return [path_row(path, vpp_names) for path in paths]


def path_text(row: Mapping[str, Any]) -> str:
    """A path as a person reads it."""
    parts = []
    if row["next_hop"] is not None:
        parts.append(f"via {row['next_hop']}")
    elif row["lookup_table"] is not None:
        parts.append(f"lookup in table {row['lookup_table']}")
    elif row["type"] == NORMAL:
        parts.append("attached")
    if row["type"] != NORMAL:
        parts.insert(0, row["type"])
    if row["sw_if_index"] is not None:
        parts.append(row["interface"] or f"sw_if_index {row['sw_if_index']}")
    if row["weight"] > 1:
        parts.append(f"weight {row['weight']}")
    if row["labels"]:
        parts.append(f"labels {'/'.join(map(str, row['labels']))}")
    return " ".join(parts)


def with_names(text: str, vpp_names: Mapping[int, str]) -> str:
    """The core's text of a path with VPP's interface by its name."""
    return _BY_INDEX.sub(lambda found: vpp_names.get(int(found[1]), found[0]), text)
