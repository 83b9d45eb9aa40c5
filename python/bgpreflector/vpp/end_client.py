"""Shut down a ``vpp_papi`` client, which by itself leaves much to the garbage collector."""

from __future__ import annotations

import logging
from contextlib import suppress
from multiprocessing.queues import Queue
from socket import SHUT_RDWR
from typing import Any

_log = logging.getLogger(__name__)


def end_client(client: Any, *, graceful: bool) -> None:
    """Disconnect and release the client's threads, descriptors and memory.

    Without ``graceful`` no ``sockclnt_delete`` is sent, so VPP need not answer.
    """
    transport = client.transport
    if not graceful:
        # The socket may not exist yet, or may be closed.
        with suppress(OSError, AttributeError):
            transport.socket.shutdown(SHUT_RDWR)
    try:
        client.disconnect()
    except Exception as error:  # noqa: BLE001 - the connection is closed in any case
        _log.debug("A connection of vpp_papi was left to the garbage collector: %s", error)
        return
    if client.event_thread is not None:
        client.event_thread.join()
    for queue in (transport.q, transport.sque):
        _end_queue(queue)
    # Its functions and its transport refer to the client: a reference cycle.
    transport.parent = None
    vars(client).pop("_api", None)


def _end_queue(queue: Queue[Any]) -> None:
    """Stop its thread, which blocks until its pipe is read."""
    for _ in range(queue.qsize()):
        queue.get()
    queue.close()
    queue.join_thread()
