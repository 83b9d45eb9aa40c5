"""Handlers that are started and closed with the event loop."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from bgpreflector import Handler
from bgpreflector.controller import Controller, ControllerClosedError, FatalError, FullResync
from controller.controller_support import TIMEOUT, Change, Delays, MemorySink

if TYPE_CHECKING:
    from bgpreflector.controller import (
        Event,
        EventLoop,
        UpdateEvent,
        UpdateOperations,
    )


class RecordingHandler(Handler):
    """Records its calls; one of them may fail."""

    def __init__(self, name: str, journal: list[str]) -> None:
        self._name = name
        self.journal = journal
        self.fails_in = ""

    @property
    def name(self) -> str:
        return self._name

    def _record(self, call: str) -> None:
        self.journal.append(f"{self.name}.{call}")
        if call == self.fails_in:
            raise ValueError("no")

    def start(self, event_loop: EventLoop) -> None:
        self._record("start")
        event_loop.push_event(Change(f"first of {self.name}", is_blocking=False))

    def handles_event(self, event: Event) -> bool:
        return isinstance(event, Change)

    def update(self, event: UpdateEvent, txn: UpdateOperations) -> str:
        self._record(event.name)
        return ""

    def close(self) -> None:
        self._record("close")


@pytest.fixture
def journal() -> list[str]:
    return []


def controller_of(*handlers: Handler) -> Controller:
    return Controller(handlers, MemorySink([]), Delays())


def test_handlers_start_before_the_first_event_and_close_after_the_last(journal: list[str]) -> None:
    controller = controller_of(RecordingHandler("a", journal), RecordingHandler("b", journal))
    assert journal == []
    controller.start()
    assert journal == ["a.start", "b.start"]
    controller.push_event(FullResync("startup", blocking=True))
    controller.close()
    controller.close()
    events = [f"{name}.first of {pusher}" for pusher in "ab" for name in "ab"]
    assert journal == ["a.start", "b.start", *events, "b.close", "a.close"]


def test_a_handler_that_cannot_start_ends_the_start(journal: list[str]) -> None:
    one, two, three = (RecordingHandler(name, journal) for name in "abc")
    two.fails_in = "start"
    controller = controller_of(one, two, three)
    with pytest.raises(FatalError, match="handler b could not start: no"):
        controller.start()
    controller.close()
    assert journal == ["a.start", "b.start", "a.close"]


def test_a_controller_that_is_closed_while_it_starts(journal: list[str]) -> None:
    """By another thread, which does not wait for a handler; no handler stays open."""

    class Slow(RecordingHandler):
        def start(self, event_loop: EventLoop) -> None:
            closing = threading.Thread(target=controller.close)
            closing.start()
            closing.join(TIMEOUT)
            assert not closing.is_alive()
            self._record("start")

    controller = controller_of(RecordingHandler("a", journal), Slow("b", journal))
    with pytest.raises(ControllerClosedError):
        controller.start()
    assert journal == ["a.start", "a.close", "b.start", "b.close"]
    assert controller.wait(TIMEOUT)


def test_what_close_raises_is_logged_and_counted(
    journal: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    one, two = RecordingHandler("a", journal), RecordingHandler("b", journal)
    two.fails_in = "close"
    controller = controller_of(one, two)
    controller.start()
    controller.close()
    assert journal[-2:] == ["b.close", "a.close"]
    assert "handler b could not be closed: no" in caplog.text
    assert controller.handler_errors == {"a": 0, "b": 1}


def test_handlers_are_closed_after_a_fatal_error(journal: list[str]) -> None:
    class Fatal(RecordingHandler):
        def update(self, event: UpdateEvent, txn: UpdateOperations) -> str:
            raise FatalError("broken")

    controller = controller_of(Fatal("a", journal))
    controller.start()
    controller.push_event(FullResync("startup"))
    with pytest.raises(FatalError, match="broken"):
        controller.wait(TIMEOUT)
    controller.close()
    assert journal == ["a.start", "a.close"]


def test_a_controller_that_was_never_started_closes_no_handler(journal: list[str]) -> None:
    controller_of(RecordingHandler("a", journal)).close()
    assert journal == []


def test_a_handler_handles_nothing_by_itself() -> None:
    class Idle(Handler):
        pass

    controller = controller_of(Idle())
    controller.start()
    controller.push_event(FullResync("startup", blocking=True))
    controller.push_event(Change())
    controller.close()
    assert controller.handler_errors == {"Idle": 0}
