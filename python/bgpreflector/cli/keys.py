"""Keys that are pressed while a view is shown."""

from __future__ import annotations

import os
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager

QUIT = b"qQ"


class Keys:
    """Waits for a time or for the key that ends the view."""

    def __init__(self, terminal: int | None) -> None:
        """``terminal``: the descriptor that keys are read from; ``None`` for none."""
        self._terminal = terminal

    @property
    def available(self) -> bool:
        """Whether any can be pressed."""
        return self._terminal is not None

    def quit_within(self, seconds: float) -> bool:
        """Wait so long, or until ``q`` is pressed; whether it was."""
        end = time.monotonic() + seconds
        while self._terminal is not None:
            left = max(0.0, end - time.monotonic())
            if not select.select([self._terminal], [], [], left)[0]:
                return False
            pressed = os.read(self._terminal, 64)
            if any(key in QUIT for key in pressed):
                return True
            if not pressed:
                # The terminal has gone.
                self._terminal = None
        time.sleep(max(0.0, end - time.monotonic()))
        return False


@contextmanager
def keys(*, wanted: bool) -> Iterator[Keys]:
    """The keys of standard input, one by one and unseen, where it is a terminal that is ours.

    Not ``wanted``: another program reads them, such as a pager of our output.
    """
    terminal = _terminal() if wanted else None
    if terminal is None:
        yield Keys(None)
        return
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)
    try:
        yield Keys(terminal)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _terminal() -> int | None:
    try:
        number = sys.stdin.fileno()
        # In the background, a change of the terminal would stop the process.
        return number if os.tcgetpgrp(number) == os.getpgrp() else None
    except (OSError, ValueError, AttributeError):
        return None
