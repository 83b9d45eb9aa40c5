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
from bgpreflector.vpp import FibProgrammer, FibQuery, SharedAudits, VppLookup, VppMonitor, monitor
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
        """VPP answers just as the monitor is closed."""
        self.closing.start()
        assert self.closed.wait(30)

    def close(self) -> None:
        """The monitor ends its thread."""
        self.closed.set()

    def _push(self, event: object) -> None:
        """It is not processed."""


def test_it_ends_while_vpp_is_probed() -> None:
    """The end is not forgotten when it waits for the connection again."""
    vpp = LostVpp()
    vpp.monitor.start()
    assert vpp.closed.wait(30)
    vpp.closing.join(30)
    assert not vpp.closing.is_alive()


class FailingSink(LostVpp):
    """It fails unexpectedly, or as VPP ends."""

    error: Exception = KeyError("no such interface")

    def refresh_interfaces(self) -> None:
        """Halfway."""
        raise self.error


@pytest.mark.parametrize("error", [KeyError("no such interface"), VppLostError("gone")])
def test_an_update_that_fails_asks_for_a_resync(error: Exception) -> None:
    """VPP may have half of the changes."""
    vpp = FailingSink()
    vpp.error = error
    with pytest.raises(ReflectorError, match=str(error)) as caught:
        vpp.monitor.update(monitor.VppInterfacesChanged(), Transaction(EventMethod.UPDATE))
    assert caught.value.needs_resync


class FullEventLoop(LostVpp):
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
    vpp = FullEventLoop()
    vpp.monitor.start()
    assert vpp.refused.wait(30)
    vpp.room.set()
    assert vpp.pushed.wait(30)
    vpp.monitor.close()


class HangsAgain(FullEventLoop):
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
    vpp = HangsAgain()
    vpp.monitor.start()
    assert vpp.pushed.wait(30)
    vpp.monitor.close()
    assert vpp.probes >= vpp.resyncs >= 4


@pytest.mark.parametrize("answer", [b"", b"220 mail.example ESMTP ready\r\n"])
def test_a_server_that_does_not_answer_as_vpp_does_is_no_vpp(tmp_path: Path, answer: bytes) -> None:
    """The kernel accepts the connection even if VPP hangs."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "api.sock"))
        listener.listen()
        session = VppSession(VppConfig(api_socket=str(tmp_path / "api.sock"), connect_timeout=1.0))

        def serve() -> None:
            with listener.accept()[0] as connection:
                connection.sendall(answer)

        if answer:
            threading.Thread(target=serve).start()
        with pytest.raises(ConnectionError if answer else TimeoutError):
            session.probe()


class IdleVpp(LostVpp):
    """Its connection lasts until the end; events are kept, and not processed."""

    lost = False

    def __init__(self, audit_interval: float = 0.0) -> None:
        super().__init__()
        self.events: list[Any] = []
        self.monitor = VppMonitor(
            self, cast("FibProgrammer", self), self.events.append, audit_interval=audit_interval
        )
        self.done = threading.Event()

    def wait_vpp_lost(self) -> str:
        """Never, before the end."""
        self.done.wait(30)
        return "closed"

    def close(self) -> None:
        """The end."""
        self.done.set()


def expect_one_event_at_a_time(vpp: IdleVpp) -> None:
    """The next event is pushed once the one before is done, however long that takes."""
    vpp.monitor.start()
    for count in range(1, 4):
        wait_until(lambda: len(vpp.events), 30, "an event", accept=count.__eq__)
        assert not vpp.done.wait(0.05)
        assert len(vpp.events) == count
        vpp.events[-1].done(None)
    vpp.monitor.close()


def test_audits_do_not_queue_behind_each_other() -> None:
    expect_one_event_at_a_time(IdleVpp(audit_interval=0.001))


def test_checks_of_the_guard_do_not_queue_behind_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(monitor, "GUARD_INTERVAL", 0.001)
    vpp = IdleVpp()
    vpp.guard = SimpleNamespace(armed=True, waiting=object())
    expect_one_event_at_a_time(vpp)


class UnprocessedEvents:
    """An event loop that does nothing yet, or has no room."""

    def __init__(self) -> None:
        self.events: list[VppAuditRequested] = []
        self.full = False

    def push(self, event: Any) -> None:
        if self.full:
            raise EventQueueFullError("full")
        self.events.append(event)


def test_callers_share_an_audit_until_it_begins() -> None:
    """Each reads all that VPP has; one that has begun may have missed what changed since."""
    loop = UnprocessedEvents()
    audits = SharedAudits(loop.push)
    with ThreadPoolExecutor(4) as clients:
        asked = [clients.submit(audits.ask, 30) for _ in range(2)]

        def waiting() -> list[int]:
            return [event.waiting for event in loop.events]

        wait_until(waiting, 30, "both wait", accept=[2].__eq__)
        assert loop.events[0].answer.set_running_or_notify_cancel()
        asked.append(clients.submit(audits.ask, 30))
        wait_until(waiting, 30, "the third waits for another", accept=[2, 1].__eq__)
        for event in loop.events:
            event.answer.set_result(None)
        assert [answer.result(30) for answer in asked] == [None] * 3
    assert waiting() == [0, 0]


def test_an_audit_that_nobody_waits_for_any_more_is_not_made() -> None:
    """The queued event is dropped; the next caller has another."""
    loop = UnprocessedEvents()
    audits = SharedAudits(loop.push)
    for count in range(1, 3):
        with pytest.raises(TimeoutError):
            audits.ask(0.001)
        assert len(loop.events) == count
        assert not loop.events[-1].is_wanted
        # The sink has no audit(): asking it would be an error.
        IdleVpp().monitor.update(loop.events[-1], cast("Any", None))
    loop.full = True
    with pytest.raises(EventQueueFullError):
        audits.ask(30)


def test_a_lookup_that_nobody_waits_for_any_more_is_skipped() -> None:
    vpp = IdleVpp()
    event = VppLookup([FibQuery(0, "192.0.2.0/24", exact=True)])
    assert event.answer.cancel()
    # The sink has no FIB reader: asking it would be an error.
    vpp.monitor.update(event, cast("Any", None))
