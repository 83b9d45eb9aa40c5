"""What VPP forwards addresses by, many asked at once: ``vpp_papi`` waits for each answer, which
costs more than all the rest of a comparison.

Over a connection of its own to the API socket: a frame is ``msgbuf_t`` of VPP's ``socket_api.h``.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from lab.vpp.api import Vpp

from .addresses import network
from .expected import Meaning
from .lookups import FibQuery

Found = tuple[str, Meaning | None]
"""A prefix, and where our route of it leads; None if it is another source's."""

LOOKUP = "ip_route_lookup_v2"
CONNECT = 15
"""Id of ``sockclnt_create``, in all releases."""

FRAME = struct.Struct(">QII")
REQUEST = struct.Struct(">HII")
"""Message id, client index and context, before a request's own fields."""

BEFORE_A_REPLY = 6
"""Octets of message id and context."""

NAME = struct.Struct(">H64s")
AT_ONCE = 100
"""Questions under way: their answers fit into the socket's buffer."""
TIMEOUT = 10.0


class FibLookups:
    """Asks for the longest prefix; ``understand`` reads a route in ``vpp_papi``'s form, once for
    all equal ones."""

    def __init__(self, user: Vpp, understand: Callable[[Any], Found]) -> None:
        self._describe = user.message
        self._socket = _connected(user.socket)
        self._client, ids = self._sign_in()
        description = self._describe(LOOKUP)
        self._id = ids[f"{LOOKUP}_{description.crc[2:]}"]
        self._understand = understand
        self._understood: dict[bytes, Found] = {}

    def close(self) -> None:
        """Ends the connection."""
        self._socket.close()

    def ask(self, queries: Sequence[FibQuery]) -> Iterator[tuple[FibQuery, Found]]:
        """What was understood of the answers."""
        for start in range(0, len(queries), AT_ONCE):
            asked = queries[start : start + AT_ONCE]
            frames = (
                _frame(REQUEST.pack(self._id, self._client, number) + _fields(*query))
                for number, query in enumerate(asked)
            )
            self._socket.sendall(b"".join(frames))
            for query in asked:
                yield query, self._reply()

    def _reply(self) -> Found:
        reply_data = self._message()[BEFORE_A_REPLY:]
        if reply_data not in self._understood:
            reply, _ = self._describe(f"{LOOKUP}_reply").unpack(bytes(BEFORE_A_REPLY) + reply_data)
            assert reply.retval == 0, reply
            self._understood[reply_data] = self._understand(reply.route)
        return self._understood[reply_data]

    def _sign_in(self) -> tuple[int, dict[str, int]]:
        """Our index, and the ids of messages by their names with checksums."""
        self._socket.sendall(_frame(struct.pack(">HI64s", CONNECT, 0, b"oracle")))
        reply = self._message()
        response, index, count = struct.unpack_from(">iIH", reply, 10)
        assert response == 0, response
        names = NAME.iter_unpack(reply[20 : 20 + count * NAME.size])
        return index, {name.rstrip(b"\0").decode(): number for number, name in names}

    def _message(self) -> bytes:
        _, length, _ = FRAME.unpack(self._octets(FRAME.size))
        return self._octets(length)

    def _octets(self, count: int) -> bytes:
        # A socket with a timeout does not block, so MSG_WAITALL returns what is there.
        found = bytearray()
        while len(found) < count:
            some = self._socket.recv(count - len(found))
            assert some, "VPP closed the connection"
            found += some
        return bytes(found)


def _connected(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(TIMEOUT)
    made.connect(str(path))
    return made


def _frame(message: bytes) -> bytes:
    return FRAME.pack(0, len(message), 0) + message


@cache
def _fields(table: int, address: str) -> bytes:
    host = network(address)
    packed = host.network_address.packed.ljust(16, b"\0")
    is_ip6 = host.version == 6
    return struct.pack(">IBB16sB", table, False, is_ip6, packed, host.prefixlen)
