"""One route at a time, straight to the kernel: no process to start, nothing to parse."""

from __future__ import annotations

import socket
import struct

from kernel.rtnetlink import DELROUTE, NEWROUTE, NLMSG_ERROR, RTA_DST, RTA_GATEWAY
from lab import Namespace
from lab.kernel import MAIN

from .world import METRIC, PROTOCOL

NLM_F_REQUEST, NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL = 0x1, 0x4, 0x400, 0x200
RTA_PRIORITY = 6
RTN_UNICAST = 1
RT_SCOPE_UNIVERSE = 0
BUFFER = 4096


class RouteSocket:
    """Adds and deletes IPv4 routes in a namespace."""

    def __init__(self, namespace: Namespace) -> None:
        self._socket = namespace.call(
            lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        )

    def change(self, request: bytes) -> None:
        """Sends a request and waits for the kernel's acknowledgement. Raises ``OSError``."""
        self._socket.send(request)

    def check(self) -> None:
        """Reads the answer to the last request. Raises ``OSError`` if it was refused."""
        answer = self._socket.recv(BUFFER)
        _, kind, _, _, _, error = struct.unpack_from("=IHHIIi", answer)
        if kind != NLMSG_ERROR or error != 0:
            raise OSError(-error, "the kernel refused the route")

    def close(self) -> None:
        """Ends it."""
        self._socket.close()


def request(prefix: str, gateway: str, *, add: bool) -> bytes:
    """A message that adds or deletes a route."""
    text, _, length = prefix.partition("/")
    body = struct.pack(
        "=8BI", socket.AF_INET, int(length), 0, 0, MAIN, PROTOCOL, RT_SCOPE_UNIVERSE,
        RTN_UNICAST, 0,
    )  # fmt: skip
    body += _attribute(RTA_DST, socket.inet_aton(text))
    body += _attribute(RTA_GATEWAY, socket.inet_aton(gateway))
    body += _attribute(RTA_PRIORITY, struct.pack("=I", METRIC))
    kind, more = (NEWROUTE, NLM_F_CREATE | NLM_F_EXCL) if add else (DELROUTE, 0)
    flags = NLM_F_REQUEST | NLM_F_ACK | more
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value
