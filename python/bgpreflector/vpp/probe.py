"""The handshake of VPP's socket API, to probe whether VPP answers."""

from __future__ import annotations

import struct
from socket import socket

FRAME_HEADER = struct.Struct(">QII")
"""Before each message (``msgbuf_t`` of ``vlibmemory/memory_shared.h``): 0, its length, 0."""

SOCKCLNT_CREATE = struct.Struct(">HI64s")
"""``sockclnt_create`` of ``memclnt.api``: number, context, name."""

CREATE_NUMBER, REPLY_NUMBER = 15, 16
"""Message ids of it and of its reply, the only ids that every VPP shares."""

CLIENT_NAME = b"bgpreflector-probe"


def probe(connection: socket) -> None:
    """Send ``sockclnt_create`` and read the reply. Raises ``OSError``, also for another peer."""
    connection.sendall(
        FRAME_HEADER.pack(0, SOCKCLNT_CREATE.size, 0)
        + SOCKCLNT_CREATE.pack(CREATE_NUMBER, 0, CLIENT_NAME)
    )
    answer = b""
    while len(answer) < FRAME_HEADER.size + 2:
        more = connection.recv(FRAME_HEADER.size + 2 - len(answer))
        if not more:
            raise ConnectionResetError("the process at VPP's API socket closed the connection")
        answer += more
    if int.from_bytes(answer[FRAME_HEADER.size :]) != REPLY_NUMBER:
        raise ConnectionError("the process at VPP's API socket does not speak VPP's API")
