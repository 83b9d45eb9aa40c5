"""What a service manager is told (``sd_notify(3)``), where there is one that listens."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)

MICRO = 1_000_000

UNASKED = 10.0
"""Seconds between two looks at the state where no manager waits for word of it."""


def notify(*lines: str) -> None:
    """Send lines such as ``READY=1`` to ``$NOTIFY_SOCKET``; nothing where it is not set."""
    place = os.environ.get("NOTIFY_SOCKET")
    if not place:
        return
    # An abstract socket is written with @ and named by a zero byte.
    address = "\0" + place[1:] if place.startswith("@") else place
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto("\n".join(lines).encode(), address)
    except OSError as error:
        _log.warning("The service manager cannot be told of the state: %s", error)


def reloading() -> None:
    """A reload begins; ``READY=1`` ends it."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


class Watchdog:
    """Looks at the state now and then, and tells a service manager that all is well.

    One that wants to hear it (``$WATCHDOG_USEC``) acts where it hears nothing.
    """

    def __init__(self, state: Callable[[], str | None]) -> None:
        """``state`` says how things are in a line, or ``None`` where the manager shall act.

        An error of its own, which it may raise, is no reason to act.
        """
        self._state = state
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin. Where no manager wants to hear it, somebody looks all the same."""
        interval = wanted_interval() or UNASKED
        self._thread = threading.Thread(
            target=self._run, args=(interval,), name="watchdog", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """End; twice is fine."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, interval: float) -> None:
        while True:
            try:
                state = self._state()
            except Exception:  # noqa: BLE001 - what cannot be looked at may do its work well
                _log.exception("The state cannot be told")
                notify("WATCHDOG=1")
            else:
                if state is not None:
                    notify("WATCHDOG=1", f"STATUS={state}")
            if self._ended.wait(interval):
                return


def wanted_interval() -> float | None:
    """Half of what the manager waits for, in seconds, as ``sd_watchdog_enabled(3)`` advises."""
    micros, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID")
    if not micros.isdecimal() or int(micros) == 0 or pid not in (None, str(os.getpid())):
        return None
    return int(micros) / MICRO / 2
