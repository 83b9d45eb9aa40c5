"""The end of the thread that watches the connection, at any moment."""

from __future__ import annotations

import threading
from typing import Any, cast

from bgpreflector.controller import EventQueueFullError
from bgpreflector.vpp import Question, VppLookup, VppMonitor, VppSink
from lab import wait_until


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


class BusyLoop(LostVpp):
    """Its event loop has no room, at first."""

    def __init__(self) -> None:
        super().__init__()
        self.refused = threading.Event()
        self.room = threading.Event()
        self.pushed = threading.Event()
        self.waits = threading.Event()

    def wait_vpp_lost(self) -> str:
        """Once."""
        if self.pushed.is_set():
            self.waits.wait(30)
        return "lost"

    def knock(self) -> None:
        """VPP answers."""

    def close(self) -> None:
        """Nothing is waited for any more."""
        self.waits.set()

    def _push(self, event: object) -> None:
        if not self.room.is_set():
            self.refused.set()
            raise EventQueueFullError("full")
        self.pushed.set()


def test_an_event_loop_without_room_is_waited_for() -> None:
    """Whoever watches VPP goes on, and what it has to say is not lost."""
    vpp = BusyLoop()
    vpp.monitor.start()
    assert vpp.refused.wait(30)
    vpp.room.set()
    assert vpp.pushed.wait(30)
    vpp.monitor.close()


class Audited(LostVpp):
    """Events are gathered, and not processed."""

    lost = False

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []
        self.monitor = VppMonitor(
            self, cast("VppSink", self), self.events.append, audit_interval=0.001
        )
        self.done = threading.Event()

    def wait_vpp_lost(self) -> str:
        """Never, before the end."""
        self.done.wait(30)
        return "closed"

    def close(self) -> None:
        """The end."""
        self.done.set()


def test_audits_do_not_queue_behind_each_other() -> None:
    """The next one is due once the one before is over, however long that takes."""
    vpp = Audited()
    vpp.monitor.start()
    for count in range(1, 4):
        wait_until(lambda: len(vpp.events), 30, "an audit", accept=count.__eq__)
        assert not vpp.done.wait(0.05)
        assert len(vpp.events) == count
        vpp.events[-1].done(None)
    vpp.monitor.close()


def test_nobody_is_asked_for_whom_nobody_waits() -> None:
    """A lookup whose asker has gone is skipped."""
    vpp = Audited()
    event = VppLookup([Question(0, "192.0.2.0/24", exact=True)])
    assert event.answer.cancel()
    # The sink has no look_up(): asking it would be an error.
    vpp.monitor.update(event, cast("Any", None))
