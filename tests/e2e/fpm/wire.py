"""What zebra writes and reads: FPM frames of rtnetlink messages, written from FRR's sources."""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from lab.netlink import attribute, parse_attributes

RTM_NEWROUTE, RTM_DELROUTE, RTM_NEWNEXTHOP = 24, 25, 104
NLMSG_DONE = 3
REQUEST, REPLACE, CREATE = 0x1, 0x100, 0x400
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_MULTIPATH, RTA_TABLE, RTA_NH_ID = (
    1, 4, 5, 6, 9, 15, 30,
)  # fmt: skip
RTA_VIA, RTA_NEWDST = 18, 19
AF_MPLS = 28
NHA_ID, NHA_GROUP, NHA_OIF, NHA_GATEWAY = 1, 2, 5, 6
OFFLOAD, OFFLOAD_FAILED = 0x4000, 0x20000000
METRIC = 20
"""``ROUTE_INSTALLATION_METRIC``: of all routes."""


@dataclass(frozen=True)
class Hop:
    """A next hop."""

    gateway: str
    interface: int
    weight: int = 1


def frame(*messages: bytes) -> bytes:
    """Messages behind one header."""
    payload = b"".join(messages)
    return struct.pack("!BBH", 1, 1, len(payload) + 4) + payload


def message(kind: int, flags: int, body: bytes) -> bytes:
    """``struct nlmsghdr`` and what follows."""
    return struct.pack("=IHHII", len(body) + 16, kind, REQUEST | flags, 0, 4242) + body


def _number(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("=I", value))


def _packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


def route(
    prefix: str,
    *,
    protocol: int,
    table: int = 254,
    kind: int = 1,
    hops: Sequence[Hop] = (),
    group: int | None = None,
    replace: bool = False,
) -> bytes:
    """``RTM_NEWROUTE`` with its next hops, or by a next-hop group."""
    network = ipaddress.ip_network(prefix)
    body = _rtmsg(network, table, protocol, kind)
    if kind != 1:
        hops, group = (), None
    if group is not None:
        body += _number(RTA_NH_ID, group)
    elif len(hops) == 1:
        body += attribute(RTA_GATEWAY, _packed(hops[0].gateway))
        body += _number(RTA_OIF, hops[0].interface)
    elif hops:
        body += attribute(RTA_MULTIPATH, b"".join(map(_next_hop, hops)))
    return message(RTM_NEWROUTE, CREATE | (REPLACE if replace else 0), body)


def label_route(
    label: int, *, protocol: int, hop: Hop | None = None, labels: Sequence[int] = ()
) -> bytes:
    """``RTM_NEWROUTE`` of ``AF_MPLS`` (``netlink_lsp_msg_encoder``), without next hop
    ``RTM_DELROUTE``: what is done with a label."""
    body = struct.pack("=8BI", AF_MPLS, 20, 0, 0, 254, protocol, 0, 1 if hop else 0, 0)
    body += attribute(RTA_DST, _stack([label]))
    if hop is None:
        return message(RTM_DELROUTE, CREATE, body)
    if labels:
        body += attribute(RTA_NEWDST, _stack(labels))
    via = struct.pack("=H", socket.AF_INET) + _packed(hop.gateway)
    body += attribute(RTA_VIA, via) + _number(RTA_OIF, hop.interface)
    return message(RTM_NEWROUTE, CREATE | REPLACE, body)


def _stack(labels: Sequence[int]) -> bytes:
    """The last one has the bottom mark."""
    marks = [*(0 for _ in labels[1:]), 1 << 8]
    return b"".join(
        struct.pack("!I", label << 12 | mark) for label, mark in zip(labels, marks, strict=True)
    )


def withdrawal(prefix: str, *, protocol: int, table: int = 254) -> bytes:
    """``RTM_DELROUTE``, which names no type and no next hop."""
    body = _rtmsg(ipaddress.ip_network(prefix), table, protocol, 0)
    return message(RTM_DELROUTE, CREATE, body)


def _rtmsg(
    network: ipaddress.IPv4Network | ipaddress.IPv6Network, table: int, protocol: int, kind: int
) -> bytes:
    family = socket.AF_INET if network.version == 4 else socket.AF_INET6
    small = table if table < 256 else 0
    body = struct.pack("=8BI", family, network.prefixlen, 0, 0, small, protocol, 0, kind, 0)
    body += attribute(RTA_DST, network.network_address.packed) + _number(RTA_PRIORITY, METRIC)
    return body if small else body + _number(RTA_TABLE, table)


def _next_hop(hop: Hop) -> bytes:
    gateway = attribute(RTA_GATEWAY, _packed(hop.gateway))
    return struct.pack("=HBBI", len(gateway) + 8, 0, hop.weight - 1, hop.interface) + gateway


def next_hop(number: int, hop: Hop) -> bytes:
    """``RTM_NEWNEXTHOP`` of one."""
    family = socket.AF_INET6 if ":" in hop.gateway else socket.AF_INET
    body = struct.pack("=4BI", family, 0, 11, 0, 0) + _number(NHA_ID, number)
    body += attribute(NHA_GATEWAY, _packed(hop.gateway)) + _number(NHA_OIF, hop.interface)
    return message(RTM_NEWNEXTHOP, CREATE | REPLACE, body)


def group(number: int, members: Sequence[tuple[int, int]]) -> bytes:
    """``RTM_NEWNEXTHOP`` of several, by id and weight."""
    entries = b"".join(struct.pack("=IBBH", member, weight - 1, 0, 0) for member, weight in members)
    body = struct.pack("=4BI", 0, 0, 11, 0, 0) + _number(NHA_ID, number)
    return message(RTM_NEWNEXTHOP, CREATE | REPLACE, body + attribute(NHA_GROUP, entries))


def end() -> bytes:
    """``NLMSG_DONE``: the end of what there is to show."""
    return message(NLMSG_DONE, 0, struct.pack("=i", 0))


@dataclass(frozen=True)
class Result:
    """A result that zebra gets for a route."""

    table: int
    prefix: str
    protocol: int
    installed: bool
    group: int | None


def results(stream: bytes) -> tuple[list[Result], bytes]:
    """The results, read as ``fpm_read`` does, and what is not whole yet."""
    found = []
    while len(stream) >= 4:
        version, kind, length = struct.unpack_from("!BBH", stream)
        assert (version, kind) == (1, 1)
        if length > len(stream):
            break
        found.append(_result(stream[4:length]))
        stream = stream[length:]
    return found, stream


def _result(data: bytes) -> Result:
    length, kind, flags, _, _ = struct.unpack_from("=IHHII", data)
    assert (length, kind) == (len(data), RTM_NEWROUTE)
    assert flags & REQUEST, "zebra passes over what is no request"
    _, bits, _, _, table, protocol, _, route_type, route_flags = struct.unpack_from(
        "=8BI", data, 16
    )
    assert route_type in (1, 6, 7, 8), "zebra passes over other types"
    assert route_flags in (OFFLOAD, OFFLOAD_FAILED)
    values = dict(parse_attributes(data[28:]))
    address = ipaddress.ip_address(values[RTA_DST])
    if RTA_TABLE in values:
        (table,) = struct.unpack("=I", values[RTA_TABLE])
    named = struct.unpack("=I", values[RTA_NH_ID])[0] if RTA_NH_ID in values else None
    return Result(table, f"{address}/{bits}", protocol, route_flags == OFFLOAD, named)
