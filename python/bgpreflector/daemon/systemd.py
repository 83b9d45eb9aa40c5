"""Notify the service manager, if there is one (``sd_notify(3)``)."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)

MICROSECONDS = 1_000_000

CHECK_INTERVAL = 10.0
"""Seconds between two checks of the state without a watchdog."""


def notify(*lines: str) -> None:
    """Send lines such as ``READY=1`` to ``$NOTIFY_SOCKET``, if it is set."""
    path = os.environ.get("NOTIFY_SOCKET")
    if not path:
        return
    # An abstract socket is written with @ and named by a zero byte.
    address = "\0" + path[1:] if path.startswith("@") else path
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto("\n".join(lines).encode(), address)
    except OSError as error:
        _log.warning("Cannot notify the service manager: %s", error)


def reloading() -> None:
    """A reload begins; ``READY=1`` ends it."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


class Watchdog:
    """Checks the state periodically and pings the service manager's watchdog.

    With ``$WATCHDOG_USEC`` the manager acts if the ping is missing.
    """

    def __init__(self, state: Callable[[], str | None]) -> None:
        """``state`` returns the state in a line, or ``None`` if the manager must act.

        An exception that it raises is no reason to act.
        """
        self._state = state
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start. Without a watchdog the state is checked all the same."""
        interval = wanted_interval() or CHECK_INTERVAL
        self._thread = threading.Thread(
            target=self._run, args=(interval,), name="watchdog", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop. Idempotent."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, interval: float) -> None:
        while True:
            try:
                state = self._state()
            except Exception:  # noqa: BLE001 - a failed check is no failure of the daemon
                _log.exception("Cannot determine the state")
                notify("WATCHDOG=1")
            else:
                if state is not None:
                    notify("WATCHDOG=1", f"STATUS={state}")
            if self._ended.wait(interval):
                return


def wanted_interval() -> float | None:
    """Half of the watchdog's timeout in seconds, as ``sd_watchdog_enabled(3)`` advises."""
    micros, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID")
    if not micros.isdecimal() or int(micros) == 0 or pid not in (None, str(os.getpid())):
        return None
    return int(micros) / MICROSECONDS / 2
