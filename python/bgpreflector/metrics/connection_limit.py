"""A bounded set of connections, from which silent ones are evicted."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

MAX_CLIENTS = 16
"""The most connections at a time."""


class ConnectionLimit:
    """The open connections; from any thread."""

    def __init__(self, most: int = MAX_CLIENTS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._silent: dict[object, bool] = {}

    def take(self, connection: object) -> bool:
        """Add a connection; false if all others have sent a request.

        At the limit the connection that has been silent longest is closed: otherwise a few
        connections without a request would block all probes.
        """
        with self._lock:
            silent = None
            if len(self._silent) >= self._most:
                silent = next((one for one, is_silent in self._silent.items() if is_silent), None)
                if silent is None:
                    return False
                del self._silent[silent]
            self._silent[connection] = True
        if isinstance(silent, socket.socket):
            with suppress(OSError):
                silent.shutdown(socket.SHUT_RDWR)
        return True

    def has_asked(self, connection: object) -> None:
        """Its request has arrived: it is answered."""
        with self._lock:
            if connection in self._silent:
                self._silent[connection] = False

    def give_back(self, connection: object) -> None:
        """Remove it. Idempotent."""
        with self._lock:
            self._silent.pop(connection, None)
