"""Routes of more next hops than `ip` takes."""

from __future__ import annotations

import itertools
import struct
from socket import AF_INET, AF_INET6, if_nametoindex, inet_pton

from lab import Namespace
from lab.netlink import attribute


def large_route(
    namespace: Namespace, family: int, prefix: str, next_hops: int = 2100, protocol: int = 4
) -> bytes:
    """``RTM_NEWROUTE`` with more next hops than ``ip`` takes."""
    af = AF_INET if family == 4 else AF_INET6
    index = namespace.call(lambda: if_nametoindex("o0"))
    gateway = {4: "10.7.0.{}", 6: "fd07::{:x}"}[family]
    hosts = itertools.cycle(range(2, 250)) if family == 4 else range(2, next_hops + 2)
    hops = b"".join(
        struct.pack("=HBBi", 8 + len(via), 0, number // 248 if family == 4 else 0, index) + via
        for number, host in zip(range(next_hops), hosts, strict=False)
        for via in [attribute(5, inet_pton(af, gateway.format(host)))]
    )
    address, _, length = prefix.partition("/")
    rtmsg = struct.pack("=BBBBBBBBI", int(af), int(length), 0, 0, 254, protocol, 0, 1, 0)
    body = rtmsg + attribute(1, inet_pton(af, address)) + attribute(9, hops)
    return struct.pack("=IHHII", 16 + len(body), 24, 0x405, 1, 0) + body
