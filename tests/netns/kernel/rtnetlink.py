"""Raw rtnetlink, to see what the kernel sends and what it does not.

Constants are those of ``linux/netlink.h``, ``linux/rtnetlink.h`` and ``linux/nexthop.h``.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lab import Namespace
from lab.netlink import parse_attributes, route_socket

NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_DUMP, NLM_F_DUMP_INTR = 0x1, 0x300, 0x10
NLM_F_REPLACE, NLM_F_APPEND = 0x100, 0x800
NEWROUTE, DELROUTE, GETROUTE = 24, 25, 26
NEWNEXTHOP, DELNEXTHOP, GETNEXTHOP = 104, 105, 106
GROUPS = (7, 11, 32)
"""RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_NEXTHOP."""
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_MULTIPATH, RTA_TABLE, RTA_NH_ID = 1, 4, 5, 9, 15, 30
NHA_ID = 1
RTPROT_KERNEL = 2
SOL_NETLINK, ADD_MEMBERSHIP, GET_STRICT_CHK = 270, 1, 12
SOCK_BUFFER = 1 << 20
"""Bytes of a read: more than the kernel ever fills."""


@dataclass(frozen=True)
class Message:
    """One message, whole."""

    kind: int
    flags: int
    body: bytes

    @property
    def family(self) -> int:
        """``rtm_family``, as ``AF_INET`` or ``AF_INET6``."""
        return self.body[0]

    @property
    def table(self) -> int:
        """``rtm_table``, which has room for numbers up to 255 only."""
        return self.body[4]

    @property
    def protocol(self) -> int:
        """``rtm_protocol``."""
        return self.body[5]

    @property
    def attributes(self) -> dict[int, bytes]:
        """What follows ``struct rtmsg``, by type."""
        return dict(parse_attributes(self.body[12:]))

    @property
    def number(self) -> int:
        """The number in ``NLMSG_DONE``."""
        return int(struct.unpack_from("=i", self.body)[0])

    @property
    def object_id(self) -> int:
        """``NHA_ID`` of a message about a next-hop object."""
        return int(struct.unpack("=I", dict(parse_attributes(self.body[8:]))[NHA_ID])[0])

    @property
    def gateways(self) -> list[str]:
        """The gateways of a route's next hops, in order."""
        attributes = self.attributes
        next_hops = attributes.get(RTA_MULTIPATH)
        if next_hops is None:
            return [self._address(attributes[RTA_GATEWAY])] if RTA_GATEWAY in attributes else []
        return [
            self._address(dict(parse_attributes(next_hop))[RTA_GATEWAY])
            for next_hop in _next_hops(next_hops)
        ]

    def _address(self, value: bytes) -> str:
        return socket.inet_ntop(self.family, value)


def _next_hops(data: bytes) -> Iterator[bytes]:
    while len(data) >= 8:
        (length,) = struct.unpack_from("=H", data)
        yield data[8:length]
        data = data[(length + 3) & ~3 :]


def messages(datagram: bytes) -> Iterator[Message]:
    """The messages of a datagram."""
    while len(datagram) >= 16:
        length, kind, flags, _, _ = struct.unpack_from("=IHHII", datagram)
        yield Message(kind, flags, datagram[16:length])
        datagram = datagram[(length + 3) & ~3 :]


def _open() -> socket.socket:
    opened = route_socket()
    opened.bind((0, 0))
    return opened


class Listener:
    """Hears what the kernel says of routes and next-hop objects.

    It says it before it acknowledges the change, so nothing has to be waited for.
    """

    def __init__(self, opened: socket.socket) -> None:
        self.socket = opened
        opened.setblocking(False)
        for group in GROUPS:
            opened.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, group)

    def datagrams(self) -> Iterator[bytes]:
        """What has come since the last call."""
        while True:
            try:
                yield self.socket.recv(SOCK_BUFFER)
            except BlockingIOError:
                return

    def heard(self) -> list[Message]:
        """The messages that have come since the last call."""
        return [message for datagram in self.datagrams() for message in messages(datagram)]

    def routes(self, family: int) -> list[Message]:
        """Of these, those about routes of a family, 4 or 6, that are not the kernel's own."""
        number = {4: socket.AF_INET, 6: socket.AF_INET6}[family]
        return [
            message
            for message in self.heard()
            if message.kind in (NEWROUTE, DELROUTE)
            and message.family == number
            and message.protocol != RTPROT_KERNEL
        ]


@contextmanager
def listening(namespace: Namespace, receive_buffer: int | None = None) -> Iterator[Listener]:
    """A `Listener` in the namespace; ``receive_buffer`` is SO_RCVBUF in bytes."""
    with namespace.call(_open) as opened:
        if receive_buffer is not None:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        yield Listener(opened)


@contextmanager
def dumping(
    namespace: Namespace, kind: int, body: bytes, *, strict: bool = True
) -> Iterator[socket.socket]:
    """A socket on which a dump has been asked for and nothing has been read."""
    with namespace.call(_open) as opened:
        if strict:
            opened.setsockopt(SOL_NETLINK, GET_STRICT_CHK, 1)
        flags = NLM_F_REQUEST | NLM_F_DUMP
        opened.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body)
        yield opened


def rest_of(opened: socket.socket) -> Iterator[bytes]:
    """The datagrams of a dump to its end."""
    while True:
        datagram = opened.recv(SOCK_BUFFER)
        yield datagram
        if any(message.kind in (NLMSG_DONE, NLMSG_ERROR) for message in messages(datagram)):
            return


def route_dump(family: int, *, table: int = 0, protocol: int = 0) -> bytes:
    """``struct rtmsg`` of a request, with RTA_TABLE where a table is asked for."""
    number = {4: socket.AF_INET, 6: socket.AF_INET6}[family]
    header = struct.pack("=8BI", number, 0, 0, 0, 0, protocol, 0, 0, 0)
    return header + (struct.pack("=HHI", 8, RTA_TABLE, table) if table else b"")


def request(namespace: Namespace, message: bytes) -> None:
    """Sends the kernel a request with NLM_F_ACK. Raises ``OSError`` where it refuses."""
    with namespace.call(_open) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCK_BUFFER)
        opened.send(message)
        (answer,) = messages(opened.recv(SOCK_BUFFER))
    if answer.number:
        raise OSError(-answer.number, os.strerror(-answer.number))
