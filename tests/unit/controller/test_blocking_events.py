"""Events whose producer waits for the result."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from bgpreflector.controller import ControllerClosedError, Event, FatalError, ResyncOperations
from controller.controller_support import TIMEOUT, Change, Harness
from lab import wait_until


def test_a_busy_loop_takes_the_event_itself_and_in_order(harness: Harness) -> None:
    harness.started()
    begun, resume = threading.Event(), threading.Event()

    def wait(event: Event, txn: ResyncOperations) -> None:
        begun.set()
        assert resume.wait(TIMEOUT)

    harness.a.work = wait
    harness.controller.push_event(Change("first", blocking=False))
    assert begun.wait(TIMEOUT)
    second = threading.Thread(target=harness.push, args=(Change("second"),))
    second.start()
    wait_until(lambda: harness.controller.queued == 1, TIMEOUT, "the second event waits")
    resume.set()
    second.join(TIMEOUT)
    assert [line for line in harness.journal if line.startswith("a.")] == [
        "a.update first",
        "a.update second",
    ]


def test_a_handler_can_neither_wait_for_itself_nor_close(harness: Harness) -> None:
    harness.started()
    refused: list[str] = []

    def ask(event: Event, txn: ResyncOperations) -> None:
        wishes: list[Callable[[], None]] = [
            lambda: harness.controller.push_event(Change()),
            harness.controller.close,
        ]
        for wish in wishes:
            with pytest.raises(RuntimeError) as error:
                wish()
            refused.append(str(error.value))

    harness.a.work = ask
    assert harness.push(Change()) is None
    waits, closes = refused
    assert "would wait for itself" in waits
    assert "cannot close the controller" in closes


class Broken(BaseException):
    """What no handler should raise."""


def test_whatever_breaks_on_the_loops_thread_is_raised_where_it_is_waited_for(
    harness: Harness,
) -> None:
    harness.started()

    def fail(event: Event, txn: ResyncOperations) -> None:
        raise Broken

    harness.a.work = fail
    with pytest.raises(Broken):
        harness.controller.push_event(Change())
    with pytest.raises(FatalError):
        harness.controller.wait(TIMEOUT)


def test_an_event_after_the_end_is_refused(harness: Harness) -> None:
    harness.started().controller.close()
    assert isinstance(harness.push(Change()), ControllerClosedError)
