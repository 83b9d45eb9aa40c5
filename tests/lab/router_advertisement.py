"""Router advertisements (RFC 4861), as a router at the other end of a link sends them."""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Mapping

from .netns import Namespace

ETHERTYPE_IPV6 = 0x86DD
ICMPV6 = 58
ROUTER_ADVERTISEMENT = 134
ROUTE_INFORMATION = 24
ALL_NODES = "ff02::1"
PREFERENCES = {"low": 3, "medium": 0, "high": 1}


def advertise(
    namespace: Namespace,
    device: str,
    source: str = "fe80::99",
    lifetime: int = 1800,
    preference: str = "medium",
    *,
    routes: Mapping[str, str] | None = None,
) -> None:
    """Sends one out of ``device``: default router ``source`` for ``lifetime`` seconds, 0 to
    withdraw it.

    ``routes`` are prefixes that it leads to as long, with the preference of each (RFC 4191).
    """
    flags = PREFERENCES[preference] << 3
    body = struct.pack(">BBHBBHII", ROUTER_ADVERTISEMENT, 0, 0, 64, flags, lifetime, 0, 0)
    for prefix, preferred in (routes or {}).items():
        body += _route_information(prefix, PREFERENCES[preferred] << 3, lifetime)
    addresses = b"".join(ipaddress.IPv6Address(a).packed for a in (source, ALL_NODES))
    pseudo = addresses + struct.pack(">I3xB", len(body), ICMPV6)
    body = body[:2] + struct.pack(">H", _checksum(pseudo + body)) + body[4:]
    packet = struct.pack(">IHBB", 6 << 28, len(body), ICMPV6, 255) + addresses + body
    frame = bytes.fromhex("333300000001 020000000099") + struct.pack(">H", ETHERTYPE_IPV6) + packet

    def send() -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
            sender.bind((device, 0))
            sender.send(frame)

    namespace.call(send)


def _route_information(prefix: str, flags: int, lifetime: int) -> bytes:
    """The option (RFC 4191, 2.3), with the whole prefix."""
    network = ipaddress.IPv6Network(prefix)
    header = struct.pack(">BBBBI", ROUTE_INFORMATION, 3, network.prefixlen, flags, lifetime)
    return header + network.network_address.packed


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
