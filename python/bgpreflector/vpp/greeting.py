"""The first words of VPP's socket API, by hand: to learn whether VPP answers, and no more."""

from __future__ import annotations

import struct
from socket import socket

FRAME = struct.Struct(">QII")
"""Before each message (``msgbuf_t`` of ``vlibmemory/memory_shared.h``): 0, its length, 0."""

CREATE = struct.Struct(">HI64s")
"""``sockclnt_create`` of ``memclnt.api``: number, context, name."""

CREATE_NUMBER, REPLY_NUMBER = 15, 16
"""The numbers of it and of its reply, the only ones that are the same in every VPP."""

NAME = b"bgpreflector-probe"


def greet(connection: socket) -> None:
    """Have VPP answer ``sockclnt_create``. Raises ``OSError``, for a stranger too."""
    connection.sendall(FRAME.pack(0, CREATE.size, 0) + CREATE.pack(CREATE_NUMBER, 0, NAME))
    answer = b""
    while len(answer) < FRAME.size + 2:
        more = connection.recv(FRAME.size + 2 - len(answer))
        if not more:
            raise ConnectionResetError("whoever listens at VPP's API socket hung up")
        answer += more
    if int.from_bytes(answer[FRAME.size :]) != REPLY_NUMBER:
        raise ConnectionError("whoever listens at VPP's API socket does not speak as VPP does")
