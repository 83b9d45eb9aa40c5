"""rtnetlink's attributes as bytes (``struct rtattr`` of linux/rtnetlink.h)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

TYPE_MASK = 0x3FFF
"""``NLA_TYPE_MASK``: without the flags for nesting and byte order."""


def route_socket() -> socket.socket:
    """A socket of ``NETLINK_ROUTE`` in the calling thread's namespace."""
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded to four bytes."""
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def parse_attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and value of each attribute."""
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        yield kind & TYPE_MASK, data[4:length]
        data = data[(length + 3) & ~3 :]
