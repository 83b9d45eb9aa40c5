"""The end of the thread that watches the connection, at any moment."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bgpreflector.config import VppConfig
from bgpreflector.controller import EventMethod, EventQueueFullError, Transaction
from bgpreflector.errors import ReflectorError, VppConnectError, VppLostError
from bgpreflector.vpp import Comparisons, FibProgrammer, FibQuery, VppLookup, VppMonitor, monitor
from bgpreflector.vpp.audit import VppAuditRequested
from bgpreflector.vpp.session import VppSession
from lab import wait_until


class LostVpp:
    """An engine whose connection has ended, a sink that says so, and a session that probes."""

    has_bulk = True
    lost = True
    guard = SimpleNamespace(armed=False, waiting=None)

    def __init__(self) -> None:
        self.closed = threading.Event()
        self.monitor = VppMonitor(self, cast("FibProgrammer", self), self._push)
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

    @property
    def api_socket(self) -> str:
        """Of no VPP."""
        return "/run/none.sock"

    def probe(self) -> None:
        """VPP answers just as the end has come."""
        self.closing.start()
        assert self.closed.wait(30)

    def close(self) -> None:
        """The monitor has asked its thread to end."""
        self.closed.set()

    def _push(self, event: object) -> None:
        """Nobody processes it."""


def test_it_ends_while_vpp_is_probed() -> None:
    """The end is not forgotten when the connection is waited for anew."""
    vpp = LostVpp()
    vpp.monitor.start()
    assert vpp.closed.wait(30)
    vpp.closing.join(30)
    assert not vpp.closing.is_alive()


class BrokenSink(LostVpp):
    """It fails where nobody foresaw it, or as VPP goes."""

    error: Exception = KeyError("no such interface")

    def refresh_interfaces(self) -> None:
        """Halfway."""
        raise self.error


@pytest.mark.parametrize("error", [KeyError("no such interface"), VppLostError("gone")])
def test_an_update_that_fails_asks_for_a_resync(error: Exception) -> None:
    """VPP may have been told half of it."""
    vpp = BrokenSink()
    vpp.error = error
    with pytest.raises(ReflectorError, match=str(error)) as caught:
        vpp.monitor.update(monitor.VppInterfacesChanged(), Transaction(EventMethod.UPDATE))
    assert caught.value.needs_resync


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

    def probe(self) -> None:
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
    """The thread that watches VPP goes on, and loses no event."""
    vpp = BusyLoop()
    vpp.monitor.start()
    assert vpp.refused.wait(30)
    vpp.room.set()
    assert vpp.pushed.wait(30)
    vpp.monitor.close()


class HungAgain(BusyLoop):
    """It hangs again while it is being connected to, three times."""

    lost = True

    def __init__(self) -> None:
        super().__init__()
        self.probes = self.resyncs = 0

    def probe(self) -> None:
        """VPP answers."""
        self.probes += 1

    def _push(self, event: Any) -> None:
        self.resyncs += 1
        if self.resyncs <= 3:
            raise VppConnectError("mute")
        self.pushed.set()


def test_a_vpp_that_hangs_while_it_is_connected_to_is_probed_again() -> None:
    """Nobody waits for a healing resync, whose pauses grow."""
    vpp = HungAgain()
    vpp.monitor.start()
    assert vpp.pushed.wait(30)
    vpp.monitor.close()
    assert vpp.probes >= vpp.resyncs >= 4


@pytest.mark.parametrize("answer", [b"", b"220 mail.example ESMTP ready\r\n"])
def test_who_does_not_answer_as_vpp_does_is_not_there(tmp_path: Path, answer: bytes) -> None:
    """The kernel takes the connection; VPP may hang all the same."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "api.sock"))
        listener.listen()
        session = VppSession(VppConfig(api_socket=str(tmp_path / "api.sock"), connect_timeout=1.0))
        if answer:
            thread = threading.Thread(target=lambda: listener.accept()[0].sendall(answer))
            thread.start()
        with pytest.raises(ConnectionError if answer else TimeoutError):
            session.probe()


class Audited(LostVpp):
    """Events are gathered, and not processed."""

    lost = False

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []
        self.monitor = VppMonitor(
            self, cast("FibProgrammer", self), self.events.append, audit_interval=0.001
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


def test_looks_at_what_waits_do_not_queue_behind_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However long the event loop is at something else."""
    monkeypatch.setattr(monitor, "GUARD_INTERVAL", 0.001)
    vpp = Audited()
    vpp.monitor = VppMonitor(vpp, cast("FibProgrammer", vpp), vpp.events.append)
    vpp.guard = SimpleNamespace(armed=True, waiting=object())
    vpp.monitor.start()
    for count in range(1, 4):
        wait_until(lambda: len(vpp.events), 30, "a look", accept=count.__eq__)
        assert not vpp.done.wait(0.05)
        assert len(vpp.events) == count
        vpp.events[-1].done(None)
    vpp.monitor.close()


class Gathering:
    """An event loop that does nothing yet, or has no room."""

    def __init__(self) -> None:
        self.events: list[VppAuditRequested] = []
        self.full = False

    def push(self, event: Any) -> None:
        if self.full:
            raise EventQueueFullError("full")
        self.events.append(event)


def test_those_who_ask_for_a_comparison_share_it_until_it_begins() -> None:
    """Each reads all that VPP has; one that has begun may have missed what changed since."""
    loop = Gathering()
    comparisons = Comparisons(loop.push)
    with ThreadPoolExecutor(4) as clients:
        asked = [clients.submit(comparisons.ask, 30) for _ in range(2)]

        def waiting() -> list[int]:
            return [event.waiting for event in loop.events]

        wait_until(waiting, 30, "both wait", accept=[2].__eq__)
        assert loop.events[0].answer.set_running_or_notify_cancel()
        asked.append(clients.submit(comparisons.ask, 30))
        wait_until(waiting, 30, "the third waits for another", accept=[2, 1].__eq__)
        for event in loop.events:
            event.answer.set_result(None)
        assert [answer.result(30) for answer in asked] == [None] * 3
    assert waiting() == [0, 0]


def test_a_comparison_that_nobody_waits_for_any_more_is_not_made() -> None:
    """The event in the queue is left out, and who asks next has another."""
    loop = Gathering()
    comparisons = Comparisons(loop.push)
    for count in range(1, 3):
        with pytest.raises(TimeoutError):
            comparisons.ask(0.001)
        assert len(loop.events) == count
        assert not loop.events[-1].is_wanted
        # The sink has no audit(): asking it would be an error.
        Audited().monitor.update(loop.events[-1], cast("Any", None))
    loop.full = True
    with pytest.raises(EventQueueFullError):
        comparisons.ask(30)


def test_nobody_is_asked_for_whom_nobody_waits() -> None:
    """A lookup whose asker has gone is skipped."""
    vpp = Audited()
    event = VppLookup([FibQuery(0, "192.0.2.0/24", exact=True)])
    assert event.answer.cancel()
    # The sink has no look_up(): asking it would be an error.
    vpp.monitor.update(event, cast("Any", None))
