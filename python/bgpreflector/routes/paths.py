"""VPP's paths as objects for JSON and as text for people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bgpreflector.fib_types import INDEX_INVALID, PathType, path_type_name

if TYPE_CHECKING:
    from bgpreflector._core import _PathTuple

NORMAL = path_type_name(PathType.NORMAL)

DROP_PATH_TYPES = (PathType.DROP, PathType.ICMP_UNREACH, PathType.ICMP_PROHIBIT)

_WITHOUT_NEXT_HOP = (PathType.LOCAL, *DROP_PATH_TYPES)
"""VPP's dump has a next hop for these, too, which means nothing."""

_BY_INDEX = re.compile(r"\bsw_if_index (\d+)")


def path_row(path: _PathTuple, vpp_names: Mapping[int, str]) -> dict[str, object]:
    """A path; ``vpp_names`` are those of VPP's interfaces by ``sw_if_index``."""
    number, _, next_hop, sw_if_index, table, weight, _, labels = path
    leads = number not in _WITHOUT_NEXT_HOP
    again = number == PathType.NORMAL and next_hop is None and sw_if_index == INDEX_INVALID
    through = sw_if_index if leads and sw_if_index != INDEX_INVALID else None
    return {
        "type": path_type_name(number),
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
    """A path as text."""
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
