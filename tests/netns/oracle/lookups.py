"""What the kernel itself answers: ``RTM_GETROUTE`` with ``RTM_F_FIB_MATCH``, many in one message.

Written without a look at our own decoder; constants are those of ``linux/rtnetlink.h``.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from lab import Namespace
from lab.netlink import parse_attributes, route_socket

from .iproute import Entry
from .operations import TABLES

NLMSG_ERROR = 2
NEWROUTE, GETROUTE = 24, 26
NLM_F_REQUEST = 1
RTM_F_LOOKUP_TABLE, RTM_F_FIB_MATCH = 0x1000, 0x2000
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_MULTIPATH = 1, 4, 5, 6, 9
RTA_TABLE, RTA_MARK, RTA_VIA, RTA_ENCAP_TYPE, RTA_NH_ID = 15, 16, 18, 21, 30
RTNH_F_DEAD = 1
AT_ONCE = 64
"""Questions in one message: their answers fit into the receive buffer."""
ANSWER = 1 << 16
TIMEOUT = 10.0

SPECIAL = {errno.EINVAL: "6", errno.EHOSTUNREACH: "7", errno.EACCES: "8"}
"""Route types by the error with which a lookup ends at such a route (``fib_props``,
``ip6_rt_type_to_error``)."""

RULES = tuple(
    f"-{family} rule add pref {pref + table} fwmark {table} {action}"
    for family in (4, 6)
    for table in TABLES
    for pref, action in ((10000, f"lookup {table}"), (20000, "unreachable"))
)
"""A mark asks one table, and no other after it."""

FibQuery = tuple[int, str]
"""Table and address."""


@dataclass(frozen=True)
class Answer:
    """What the kernel forwards an address by."""

    route: Entry | None
    """As `ip -json` writes one, its device by index; None where there is none to show."""

    kind: str | None
    """Type of a route that drops: the kernel says its error and not the route."""


class Lookups:
    """Asks over one socket in the namespace."""

    def __init__(self, namespace: Namespace) -> None:
        self._socket = namespace.call(route_socket)
        self._socket.settimeout(TIMEOUT)

    def close(self) -> None:
        """Lets go of the namespace."""
        self._socket.close()

    def ask(self, queries: Sequence[FibQuery]) -> dict[FibQuery, Answer | None]:
        """The answers; None where a table of addresses, and not the one asked, has the answer."""
        found: dict[FibQuery, Answer | None] = {}
        for start in range(0, len(queries), AT_ONCE):
            asked = queries[start : start + AT_ONCE]
            self._socket.send(b"".join(_request(n, *q) for n, q in enumerate(asked)))
            left = set(range(len(asked)))
            while left:
                for kind, number, body in _messages(self._socket.recv(ANSWER)):
                    left.discard(number)
                    found[asked[number]] = _answer(kind, body, asked[number])
        return found


def _request(number: int, table: int, address: str) -> bytes:
    packed = ip_address(address).packed
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    # Without the first of them, IPv4 says that any answer is the main table's.
    flags = RTM_F_LOOKUP_TABLE | RTM_F_FIB_MATCH
    body = struct.pack("=8BI", family, 8 * len(packed), 0, 0, 0, 0, 0, 0, flags)
    body += struct.pack("=HH", 4 + len(packed), RTA_DST) + packed
    body += struct.pack("=HHI", 8, RTA_MARK, table)
    return struct.pack("=IHHII", 16 + len(body), GETROUTE, NLM_F_REQUEST, number, 0) + body


def _messages(datagram: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Type, sequence number and body."""
    while len(datagram) >= 16:
        length, kind, _, number, _ = struct.unpack_from("=IHHII", datagram)
        yield kind, number, datagram[16:length]
        datagram = datagram[(length + 3) & ~3 :]


def _answer(kind: int, body: bytes, query: FibQuery) -> Answer | None:
    if kind == NLMSG_ERROR:
        error = -int(struct.unpack_from("=i", body)[0])
        if error == errno.ENETUNREACH:
            return Answer(None, None)
        if error not in SPECIAL:
            raise OSError(error, errno.errorcode.get(error, "?"), str(query))
        return Answer(None, SPECIAL[error])
    assert kind == NEWROUTE, (kind, query)
    family, length, _, _, table, protocol, _, route_type, flags = struct.unpack_from("=8BI", body)
    attributes = dict(parse_attributes(body[12:]))
    if RTA_TABLE in attributes:
        table = _number(attributes[RTA_TABLE])
    if table != query[0]:
        return None
    any_address = bytes(4 if family == socket.AF_INET else 16)
    destination = ip_address(attributes.get(RTA_DST, any_address))
    route: Entry = {
        "dst": f"{destination}/{length}",
        "table": table,
        "protocol": str(protocol),
        "type": str(route_type),
        "metric": _number(attributes.get(RTA_PRIORITY, bytes(4))),
    } | _hop(family, flags & 0xFF, 0, attributes)
    if RTA_NH_ID in attributes:
        route["nhid"] = _number(attributes[RTA_NH_ID])
    if RTA_MULTIPATH in attributes:
        route["nexthops"] = list(_next_hops(family, attributes[RTA_MULTIPATH]))
    return Answer(route, None)


def _next_hops(family: int, data: bytes) -> Iterator[Entry]:
    """``struct rtnexthop`` and what belongs to each."""
    while len(data) >= 8:
        length, flags, hops, index = struct.unpack_from("=HBBi", data)
        attributes = dict(parse_attributes(data[8:length]))
        yield _hop(family, flags, hops, attributes) | {"dev": index}
        data = data[(length + 3) & ~3 :]


def _hop(family: int, flags: int, hops: int, attributes: dict[int, bytes]) -> Entry:
    hop: Entry = {"weight": hops + 1, "flags": ["dead"] if flags & RTNH_F_DEAD else []}
    if RTA_OIF in attributes:
        hop["dev"] = _number(attributes[RTA_OIF])
    if RTA_ENCAP_TYPE in attributes:
        hop["encap"] = attributes[RTA_ENCAP_TYPE]
    if RTA_GATEWAY in attributes:
        hop["gateway"] = socket.inet_ntop(family, attributes[RTA_GATEWAY])
    if RTA_VIA in attributes:
        (via,) = struct.unpack_from("=H", attributes[RTA_VIA])
        hop["via"] = {"host": socket.inet_ntop(via, attributes[RTA_VIA][2:])}
    return hop


def _number(value: bytes) -> int:
    return int(struct.unpack("=I", value)[0])
