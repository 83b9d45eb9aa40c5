"""Waiting for the signal to end."""

from __future__ import annotations

import signal
import socket
from contextlib import suppress
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)

READ_SIZE = 4096
"""Bytes to take at a time, one for each signal."""


class End:
    """Waits for SIGTERM, SIGINT, others, or :meth:`wake`. To be made by the main thread.

    The kernel may hand a signal to any thread. Python runs its handler in the main thread, but
    wakes that only where it was the one; so the main thread waits for the byte that Python's own
    part of the handler writes wherever it runs. The bytes only wake: a full buffer loses some.
    """

    def __init__(self, *others: signal.Signals) -> None:
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self._heard: set[int] = set()
        self._woken = False
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in (*SIGNALS, *others):
            signal.signal(number, self._hear)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        self._heard.add(number)

    def hear_again(self, number: int) -> None:
        """Let the next :meth:`wait` return a signal that was to come later."""
        self._heard.add(number)

    def wake(self) -> None:
        """End the wait once, from any thread."""
        self._woken = True
        # A full buffer wakes, too.
        with suppress(BlockingIOError):
            self._writer.send(b"\0")

    def wait(self) -> int:
        """Return at the next signal, or :meth:`wake`, since this was made: its number, or 0.

        Many of one kind are one, and the end comes before all others.
        """
        while True:
            for number in SIGNALS:
                if number in self._heard:
                    return number
            if self._woken:
                self._woken = False
                return 0
            if self._heard:
                return self._heard.pop()
            self._reader.recv(READ_SIZE)
