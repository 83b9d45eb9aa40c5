"""Blocking updates that find the loop idle are processed by the thread that pushes them."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from bgpreflector.controller import (
    ControllerClosedError,
    Event,
    EventLoopAbortingError,
    FatalError,
    FullResync,
    ResyncOperations,
    UpdateEvent,
)
from controller.controller_support import TIMEOUT, Change, Harness
from lab import wait_until

LOOP = "event-loop"


class Workers:
    """Takes note of the threads that call a handler."""

    def __init__(self, harness: Harness) -> None:
        self.harness = harness
        self.names: list[str] = []
        harness.a.work = self._note

    def _note(self, event: Event, txn: ResyncOperations) -> None:
        self.names.append(threading.current_thread().name)
        txn.put("last", event.name)

    def push(self, event: UpdateEvent) -> str:
        """Push the event on another thread; returns the name of the one that processed it."""
        assert self.harness.push_apart(event) is None
        return self.names[-1]


def run_inline(harness: Harness, work: Callable[[Event], None]) -> BaseException | None:
    """Have ``work`` done by a handler in place of the loop; returns the push's error.

    The loop is idle a moment after its last event only: until then it takes the event itself.
    """
    done: list[BaseException | None] = []

    def once(event: Event, txn: ResyncOperations) -> None:
        if threading.current_thread().name != LOOP and not done:
            done.append(None)
            work(event)

    def ran_inline() -> bool:
        harness.a.work = once
        error = harness.push_apart(Change())
        if done:
            done[0] = error
        return bool(done)

    wait_until(ran_inline, TIMEOUT, "a thread runs it in place of the loop")
    harness.a.work = None
    return done[0]


def test_the_thread_that_would_wait_does_the_work(harness: Harness) -> None:
    harness.started()
    workers = Workers(harness)
    wait_until(
        lambda: workers.push(Change()) != LOOP, TIMEOUT, "a thread runs it in place of the loop"
    )
    assert workers.push(Change("another")) != LOOP
    assert harness.sink.values == {"last": "another"}


def test_not_the_main_thread_which_signals_interrupt(harness: Harness) -> None:
    harness.started()
    workers = Workers(harness)
    for _ in range(50):
        harness.controller.push_event(Change())
    assert set(workers.names) == {LOOP}


def test_not_for_what_nobody_waits_for_nor_for_resyncs(harness: Harness) -> None:
    harness.started()
    workers = Workers(harness)
    for _ in range(20):
        harness.push_apart(Change(blocking=False))
        harness.push_apart(FullResync("again", blocking=True))
    assert set(workers.names) == {LOOP}


def test_a_busy_loop_takes_the_event_itself_and_in_order(harness: Harness) -> None:
    harness.started()
    begun, go_on = threading.Event(), threading.Event()

    def wait(event: Event, txn: ResyncOperations) -> None:
        begun.set()
        assert go_on.wait(TIMEOUT)

    harness.a.work = wait
    harness.controller.push_event(Change("first", blocking=False))
    assert begun.wait(TIMEOUT)
    second = threading.Thread(target=harness.push, args=(Change("second"),))
    second.start()
    wait_until(lambda: harness.controller.queued == 1, TIMEOUT, "the second event waits")
    go_on.set()
    second.join(TIMEOUT)
    assert [line for line in harness.journal if line.startswith("a.")] == [
        "a.update first",
        "a.update second",
    ]


def test_the_loop_takes_nothing_meanwhile_and_goes_on_afterwards(harness: Harness) -> None:
    harness.started()

    def push_more(event: Event) -> None:
        harness.journal.clear()
        outside = threading.Thread(
            target=harness.controller.push_event, args=(Change("queued", blocking=False),)
        )
        outside.start()
        outside.join(TIMEOUT)
        harness.controller.push_event(Change("follow-up", blocking=False))
        assert harness.controller.queued == 2

    assert run_inline(harness, push_more) is None
    harness.settle()
    assert [line for line in harness.journal if line.startswith("c.")] == [
        "c.update change",
        "c.update follow-up",
        "c.update queued",
    ]


def test_a_handler_can_neither_wait_for_itself_nor_close(harness: Harness) -> None:
    harness.started()
    refused: list[str] = []

    def ask(event: Event) -> None:
        wishes: list[Callable[[], None]] = [
            lambda: harness.controller.push_event(Change()),
            harness.controller.close,
        ]
        for wish in wishes:
            with pytest.raises(RuntimeError) as error:
                wish()
            refused.append(str(error.value))

    assert run_inline(harness, ask) is None
    waits, closes = refused
    assert "would wait for itself" in waits
    assert "cannot close the controller" in closes


def test_timers_that_are_set_there_are_waited_for(harness: Harness) -> None:
    harness.started()
    harness.sink.refuse.add("key")

    def refused(event: Event, txn: ResyncOperations) -> None:
        txn.put("key", 1)

    harness.b.work = refused
    assert run_inline(harness, lambda event: None) is not None
    harness.b.work = None
    assert "sink.retry" not in harness.advance(0.5)
    assert "sink.retry" in harness.advance(1.0)


def test_a_fatal_error_there_ends_the_loop(harness: Harness) -> None:
    harness.started()

    def fail(event: Event) -> None:
        raise FatalError("the end")

    error = run_inline(harness, fail)
    assert isinstance(error, FatalError)
    with pytest.raises(FatalError, match="the end"):
        harness.controller.wait(TIMEOUT)
    with pytest.raises(EventLoopAbortingError):
        harness.controller.push_event(Change())


class Broken(BaseException):
    """What no handler should raise."""


def test_whatever_breaks_there_is_raised_and_ends_the_loop(harness: Harness) -> None:
    harness.started()

    def fail(event: Event) -> None:
        raise Broken

    with pytest.raises(Broken):
        run_inline(harness, fail)
    with pytest.raises(FatalError):
        harness.controller.wait(TIMEOUT)


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
    assert isinstance(harness.push_apart(Change()), ControllerClosedError)
