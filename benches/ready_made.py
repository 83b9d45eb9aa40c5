"""Route requests packed beforehand, as fast as VPP's socket takes them: the limit of any client.

Layouts: ``memclnt.api``, ``ip.api`` and ``fib_types.api``.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

from lab import TableRoute

from .world import SW_IF_INDEX, family_of, gateways

HEADER = struct.Struct(">QII")
CREATE = struct.Struct(">HI64s")
CREATE_ID = 15
CREATED = struct.Struct(">HIIiIH")
ENTRY = struct.Struct(">H64s")
ROUTE = struct.Struct(">HII??IIB16sBBB")
"""Message id, client index, context, ``is_add``, ``is_multipath``; table, ``stats_index``, prefix,
``n_paths``, source."""

PATH = struct.Struct(">IIIBBIII16sIIIB112s")
UNSET = 0xFFFFFFFF
MPLS_LABEL_INVALID = 1 << 20
REPLY = struct.Struct(">HIiI")
REPLY_FRAME = HEADER.size + REPLY.size
RECEIVE = 1 << 20
MESSAGE = b"ip_route_add_del_v2_"


class Requests:
    """Frames that add and delete the same prefixes, in the order of a dump."""

    def __init__(self, message: int, client: int, source: int) -> None:
        self._ids = (message, client)
        self._source = source
        self._paths: dict[tuple[str, ...], bytes] = {}

    def adds(self, routes: Iterable[TableRoute], next_hops: int = 1) -> bytes:
        """One ``ip_route_add_del_v2`` a route."""
        return b"".join(
            self._frame(number, route, gateways(route, next_hops))
            for number, route in enumerate(in_order(routes))
        )

    def deletes(self, routes: Iterable[TableRoute]) -> bytes:
        """Likewise; no paths are named."""
        return b"".join(
            self._frame(number, route, ()) for number, route in enumerate(in_order(routes))
        )

    def _frame(self, context: int, route: TableRoute, hops: Sequence[str]) -> bytes:
        text, _, length = route.prefix.partition("/")
        is_ip6 = family_of(text) == 6
        address = socket.inet_pton(socket.AF_INET6 if is_ip6 else socket.AF_INET, text)
        body = ROUTE.pack(
            *self._ids, context, bool(hops), False, 0, 0,
            is_ip6, address.ljust(16, b"\0"), int(length), len(hops), self._source,
        )  # fmt: skip
        paths = self._encoded(tuple(hops))
        return HEADER.pack(0, len(body) + len(paths), 0) + body + paths

    def _encoded(self, hops: tuple[str, ...]) -> bytes:
        if hops not in self._paths:
            ordered = sorted(hops, key=ip_address)
            self._paths[hops] = b"".join(map(_path, ordered))
        return self._paths[hops]


class Socket:
    """A connection to VPP's API socket, after the handshake."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        message = CREATE.pack(CREATE_ID, 1, b"ready-made")
        self._socket.sendall(HEADER.pack(0, len(message), 0) + message)
        _, length, _ = HEADER.unpack(self._read(HEADER.size))
        reply = self._read(length)
        _, _, _, response, self.client, count = CREATED.unpack_from(reply)
        if response < 0:
            raise ConnectionError(f"VPP refused the client: {response}")
        entries = (ENTRY.unpack_from(reply, CREATED.size + n * ENTRY.size) for n in range(count))
        self.message = next(number for number, name in entries if name.startswith(MESSAGE))

    def exchange(self, frames: bytes, count: int, *, write: int | None = None) -> float:
        """Sends frames, ``write`` bytes at a time, and reads ``count`` replies at the same time.

        Returns the seconds until the last reply. Raises ``RuntimeError`` for a refusal.
        """
        replies = bytearray(count * REPLY_FRAME)
        sender = threading.Thread(target=self._send, args=(frames, write or len(frames)))
        began = time.perf_counter()
        sender.start()
        self._read_into(memoryview(replies))
        taken = time.perf_counter() - began
        sender.join()
        for at in range(HEADER.size, len(replies), REPLY_FRAME):
            _, context, retval, _ = REPLY.unpack_from(replies, at)
            if retval != 0:
                raise RuntimeError(f"VPP refused request {context}: {retval}")
        return taken

    def close(self) -> None:
        """Close without ``sockclnt_delete``."""
        self._socket.close()

    def _send(self, frames: bytes, write: int) -> None:
        view = memoryview(frames)
        for at in range(0, len(frames), write):
            self._socket.sendall(view[at : at + write])

    def _read(self, length: int) -> bytes:
        data = bytearray(length)
        self._read_into(memoryview(data))
        return bytes(data)

    def _read_into(self, view: memoryview) -> None:
        while view:
            # In large pieces; the last one may not take what is not asked for yet.
            received = self._socket.recv_into(view[:RECEIVE])
            if received == 0:
                raise ConnectionError("VPP closed the connection")
            view = view[received:]


@contextmanager
def connected(path: Path) -> Iterator[Socket]:
    """A connection, closed at the end."""
    made = Socket(path)
    try:
        yield made
    finally:
        made.close()


def in_order(routes: Iterable[TableRoute]) -> list[TableRoute]:
    """As the kernel dumps them: by family, address and length."""

    def key(route: TableRoute) -> tuple[int, bytes, int]:
        text, _, length = route.prefix.partition("/")
        family = family_of(text)
        packed = socket.inet_pton(socket.AF_INET6 if family == 6 else socket.AF_INET, text)
        return family, packed, int(length)

    return sorted(routes, key=key)


def _path(hop: str) -> bytes:
    address = ip_address(hop)
    return PATH.pack(
        SW_IF_INDEX, 0, UNSET, 1, 0, 0, 0, address.version == 6, address.packed.ljust(16, b"\0"),
        MPLS_LABEL_INVALID, 0, UNSET, 0, b"",
    )  # fmt: skip
