"""The end of a client of ``vpp_papi``, which leaves much of it to the garbage collector."""

from __future__ import annotations

import logging
from contextlib import suppress
from multiprocessing.queues import Queue
from socket import SHUT_RDWR
from typing import Any

_log = logging.getLogger(__name__)


def end_client(client: Any, *, goodbye: bool) -> None:
    """Disconnect, and give back the threads, descriptors and memory that the client has.

    Without ``goodbye`` there is no farewell that VPP would have to answer.
    """
    transport = client.transport
    if not goodbye:
        # There may be no socket yet, or none any more.
        with suppress(OSError, AttributeError):
            transport.socket.shutdown(SHUT_RDWR)
    try:
        client.disconnect()
    except Exception as error:  # noqa: BLE001 - whatever it is, the connection is over
        _log.debug("A connection of vpp_papi was left to the garbage collector: %s", error)
        return
    if client.event_thread is not None:
        client.event_thread.join()
    for queue in (transport.q, transport.sque):
        _end_queue(queue)
    # Its functions and its transport refer to the client, which would keep itself alive.
    transport.parent = None
    vars(client).pop("_api", None)


def _end_queue(queue: Queue[Any]) -> None:
    """End its thread, which waits until what it writes into its pipe is read."""
    for _ in range(queue.qsize()):
        queue.get()
    queue.close()
    queue.join_thread()
