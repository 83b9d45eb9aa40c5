"""Waiting for the signal to end."""

from __future__ import annotations

import signal
import socket
from contextlib import suppress
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class End:
    """Waits for SIGTERM, SIGINT, others, or :meth:`set`. To be made by the main thread.

    The kernel may hand a signal to any thread. Python runs its handler in the main thread, but
    wakes that only where it was the one; so the main thread waits for the byte that Python's own
    part of the handler writes wherever it runs.
    """

    def __init__(self, *others: signal.Signals) -> None:
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in (*SIGNALS, *others):
            signal.signal(number, _heard)

    def set(self) -> None:
        """End the wait, from any thread."""
        # A full buffer means that it has ended already.
        with suppress(BlockingIOError):
            self._writer.send(b"\0")

    def wait(self) -> int:
        """Return at the next signal, or :meth:`set`, since this was made: its number, or 0."""
        return self._reader.recv(1)[0]


def _heard(_number: int, _frame: FrameType | None) -> None:
    """Only so that the signal does not end the process."""
