"""The end of the thread that watches the connection, at any moment."""

from __future__ import annotations

import threading
from typing import Any, cast

from bgpreflector.vpp import VppMonitor, VppSink


class LostVpp:
    """An engine whose connection has ended, a sink that says so, and a session that knocks."""

    has_bulk = True
    lost = True

    def __init__(self) -> None:
        self.closed = threading.Event()
        self.monitor = VppMonitor(self, cast("VppSink", self), self._push)
        self.closing = threading.Thread(target=self.monitor.close, daemon=True)

    @property
    def session(self) -> LostVpp:
        """Itself, too."""
        return self

    def on_interface_change(self, notify: Any) -> None:
        """Nothing changes."""

    def wait_vpp_lost(self) -> str:
        """At once."""
        return "lost"

    def knock(self) -> None:
        """VPP answers just as the end has come."""
        self.closing.start()
        assert self.closed.wait(30)

    def close(self) -> None:
        """The monitor has said to its thread that it shall end."""
        self.closed.set()

    def _push(self, event: object) -> None:
        """Nobody processes it."""


def test_it_ends_while_vpp_is_knocked_at() -> None:
    """The end is not forgotten when the connection is waited for anew."""
    vpp = LostVpp()
    vpp.monitor.start()
    assert vpp.closed.wait(30)
    vpp.closing.join(30)
    assert not vpp.closing.is_alive()
