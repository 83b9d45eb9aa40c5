"""Values of VPP's ``fib_types.api`` and ``interface_types.api``."""

from __future__ import annotations

from enum import IntEnum

INDEX_INVALID = 0xFFFFFFFF
"""``~0``: no interface (``sw_if_index``), no RPF id; in a dump request, all."""


class PathType(IntEnum):
    """``fib_path_type``."""

    NORMAL = 0
    LOCAL = 1
    DROP = 2
    UDP_ENCAP = 3
    BIER_IMP = 4
    ICMP_UNREACH = 5
    ICMP_PROHIBIT = 6
    SOURCE_LOOKUP = 7
    DVR = 8
    INTERFACE_RX = 9
    CLASSIFY = 10


def path_type_name(number: int) -> str:
    """A path type as people read it.

    Examples:
        >>> path_type_name(5), path_type_name(99)
        ('icmp-unreach', 'type 99')
    """
    try:
        return PathType(number).name.lower().replace("_", "-")
    except ValueError:
        return f"type {number}"
