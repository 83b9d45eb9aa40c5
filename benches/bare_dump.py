"""The kernel's dump of its routes, received and thrown away: what no reader can be faster than."""

from __future__ import annotations

import socket
import struct
import time

from kernel.rtnetlink import (
    GET_STRICT_CHK,
    GETROUTE,
    NLM_F_DUMP,
    NLM_F_REQUEST,
    NLMSG_DONE,
    SOL_NETLINK,
    route_dump,
)
from lab import Namespace
from lab.kernel import MAIN
from lab.prefixes import Family

BUFFER = 64 << 10
"""Bytes of a read, as the daemon's: the kernel fills at most half of it."""

DONE = struct.Struct("=IHHIIi")
"""``NLMSG_DONE`` with its error number."""

FAMILIES: tuple[Family, ...] = (4, 6)


def bare_dump(namespace: Namespace) -> float:
    """Dumps the main table's routes of both families; the seconds that it took."""
    with _open(namespace) as opened:
        buffer = bytearray(BUFFER)
        began = time.perf_counter()
        for family in FAMILIES:
            _ask(opened, family)
            while not _ended(buffer, opened.recv_into(buffer)):
                pass
        return time.perf_counter() - began


def dumped(namespace: Namespace, family: Family) -> list[bytes]:
    """The datagrams of a dump."""
    with _open(namespace) as opened:
        _ask(opened, family)
        datagrams = []
        while True:
            datagram = opened.recv(BUFFER)
            datagrams.append(datagram)
            if _ended(bytearray(datagram), len(datagram)):
                return datagrams


def _open(namespace: Namespace) -> socket.socket:
    def make() -> socket.socket:
        opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        opened.bind((0, 0))
        opened.setsockopt(SOL_NETLINK, GET_STRICT_CHK, 1)
        return opened

    return namespace.call(make)


def _ask(opened: socket.socket, family: Family) -> None:
    body = route_dump(family, table=MAIN)
    flags = NLM_F_REQUEST | NLM_F_DUMP
    opened.send(struct.pack("=IHHII", 16 + len(body), GETROUTE, flags, 1, 0) + body)


def _ended(buffer: bytearray, length: int) -> bool:
    """Whether the last message is ``NLMSG_DONE``. Raises ``OSError`` where it tells of an error."""
    size, kind, _, _, _, error = DONE.unpack_from(buffer, length - DONE.size)
    if (size, kind) != (DONE.size, NLMSG_DONE):
        return False
    if error:
        raise OSError(-error, "the kernel broke the dump off")
    return True
