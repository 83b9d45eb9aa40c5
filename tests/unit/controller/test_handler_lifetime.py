"""Handlers that are started and closed with the event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bgpreflector import Handler
from bgpreflector.controller import Controller, FatalError, FullResync
from controller.controller_support import TIMEOUT, Change, Delays, MemorySink

if TYPE_CHECKING:
    from bgpreflector.controller import (
        Event,
        EventLoop,
        UpdateEvent,
        UpdateOperations,
    )


class Noting(Handler):
    """Writes down what is called."""

    def __init__(self, label: str, journal: list[str]) -> None:
        self.label = label
        self.journal = journal
        self.fails_in = ""

    @property
    def name(self) -> str:
        return self.label

    def _note(self, what: str) -> None:
        self.journal.append(f"{self.label}.{what}")
        if what == self.fails_in:
            raise ValueError("no")

    def start(self, event_loop: EventLoop) -> None:
        self._note("start")
        event_loop.push_event(Change(f"first of {self.label}", blocking=False))

    def handles_event(self, event: Event) -> bool:
        return isinstance(event, Change)

    def update(self, event: UpdateEvent, txn: UpdateOperations) -> str:
        self._note(event.name)
        return ""

    def close(self) -> None:
        self._note("close")


@pytest.fixture
def journal() -> list[str]:
    return []


def made(*handlers: Handler) -> Controller:
    return Controller(handlers, MemorySink([]), Delays())


def test_handlers_start_before_the_first_event_and_close_after_the_last(journal: list[str]) -> None:
    controller = made(Noting("a", journal), Noting("b", journal))
    assert journal == []
    controller.start()
    assert journal == ["a.start", "b.start"]
    controller.push_event(FullResync("startup", blocking=True))
    controller.close()
    controller.close()
    events = [f"{name}.first of {pusher}" for pusher in "ab" for name in "ab"]
    assert journal == ["a.start", "b.start", *events, "b.close", "a.close"]


def test_a_handler_that_cannot_start_ends_the_start(journal: list[str]) -> None:
    one, two, three = (Noting(label, journal) for label in "abc")
    two.fails_in = "start"
    controller = made(one, two, three)
    with pytest.raises(FatalError, match="handler b could not start: no"):
        controller.start()
    controller.close()
    assert journal == ["a.start", "b.start", "a.close"]


def test_what_close_raises_is_logged_and_counted(
    journal: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    one, two = Noting("a", journal), Noting("b", journal)
    two.fails_in = "close"
    controller = made(one, two)
    controller.start()
    controller.close()
    assert journal[-2:] == ["b.close", "a.close"]
    assert "handler b could not be closed: no" in caplog.text
    assert controller.handler_errors == {"a": 0, "b": 1}


def test_handlers_are_closed_after_a_fatal_error(journal: list[str]) -> None:
    class Fatal(Noting):
        def update(self, event: UpdateEvent, txn: UpdateOperations) -> str:
            raise FatalError("broken")

    controller = made(Fatal("a", journal))
    controller.start()
    controller.push_event(FullResync("startup"))
    with pytest.raises(FatalError, match="broken"):
        controller.wait(TIMEOUT)
    controller.close()
    assert journal == ["a.start", "a.close"]


def test_a_controller_that_was_never_started_closes_no_handler(journal: list[str]) -> None:
    made(Noting("a", journal)).close()
    assert journal == []


def test_a_handler_handles_nothing_by_itself() -> None:
    class Idle(Handler):
        pass

    controller = made(Idle())
    controller.start()
    controller.push_event(FullResync("startup", blocking=True))
    controller.push_event(Change())
    controller.close()
    assert controller.handler_errors == {"Idle": 0}
