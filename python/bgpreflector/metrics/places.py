"""A bounded number of connections, of which those that say nothing make room for others."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

CLIENTS = 16
"""Connections at a time."""


class Places:
    """Who is connected; from any thread."""

    def __init__(self, most: int = CLIENTS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._silent: dict[object, bool] = {}

    def take(self, connection: object) -> bool:
        """A place for a new connection; false where all are taken by requests.

        Where there is none left, who has been silent for longest is hung up on: otherwise a few
        connections without a request would keep every probe away.
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
        """Its request has come: it is answered."""
        with self._lock:
            if connection in self._silent:
                self._silent[connection] = False

    def give_back(self, connection: object) -> None:
        """It is over; twice is fine, and so is one that had to go."""
        with self._lock:
            self._silent.pop(connection, None)
