"""What ends the event loop: a fatal error, and a shutdown."""

from __future__ import annotations

import threading

import pytest

from bgpreflector.controller import (
    ControllerClosedError,
    Event,
    EventLoopAbortingError,
    FatalError,
    FullResync,
    ResyncOperations,
    Shutdown,
)
from controller.controller_support import (
    TIMEOUT,
    Change,
    Harness,
    Hold,
    MakeHarness,
    MemoryBatch,
    putting,
    raising,
)


def test_a_fatal_error_stops_the_loop_and_is_reported(harness: Harness) -> None:
    harness.started()
    cause = OSError("netlink is gone")
    harness.b.work = raising(FatalError(cause))
    error = harness.push(Change())
    assert isinstance(error, FatalError)
    assert error.original is cause
    assert harness.journal == ["a.update change", "b.update change"]
    with pytest.raises(FatalError, match="netlink is gone") as ended:
        harness.controller.wait(TIMEOUT)
    assert ended.value is error


def test_events_after_a_fatal_error_are_refused_with_it(harness: Harness) -> None:
    harness.started()
    harness.a.work = raising(FatalError("broken"))
    harness.push(Change())
    with pytest.raises(FatalError) as ended:
        harness.controller.wait(TIMEOUT)
    error = harness.push(Change())
    assert isinstance(error, EventLoopAbortingError)
    assert error.__cause__ is ended.value


def test_events_that_are_queued_at_a_fatal_error_are_refused(harness: Harness) -> None:
    batch = MemoryBatch("10.0.0.0/8")
    waiting = Change("waiting", is_blocking=False, batches=(batch,))
    harness.controller.push_event(waiting)
    harness.controller.push_event(FullResync("startup"))
    harness.a.work = raising(FatalError("broken"))
    harness.controller.start()
    with pytest.raises(FatalError):
        harness.controller.wait(TIMEOUT)
    assert isinstance(waiting.finished[0], EventLoopAbortingError)
    assert batch.released == 1


def test_a_fatal_error_of_the_southbound_stops_the_loop_too(harness: Harness) -> None:
    harness.started()
    harness.a.work = putting(k=1)
    harness.sink.down = FatalError("wrong VPP")
    harness.push(Change())
    with pytest.raises(FatalError, match="wrong VPP"):
        harness.controller.wait(TIMEOUT)


def test_an_error_in_done_or_handles_event_does_not_stop_the_loop(harness: Harness) -> None:
    class FailingDone(Change):
        def done(self, error: BaseException | None) -> None:
            raise ValueError("done failed")

    def failing_handles(event: Event) -> bool:
        raise ValueError("handles_event failed")

    harness.started()
    harness.push(FailingDone())
    harness.a.handles = failing_handles
    assert str(harness.push(Change())) == "handles_event failed"
    assert harness.journal[-1] == "c.update change"


def test_shutdown_is_the_last_event_after_all_queued_ones(harness: Harness) -> None:
    harness.controller.push_event(FullResync("startup"))
    harness.controller.push_event(Change("last", is_blocking=False))
    harness.controller.start()
    harness.controller.close()
    assert harness.journal[-6:] == [
        *(f"{name}.update last" for name in "abc"),
        *(f"{name}.update Shutdown" for name in "abc"),
    ]
    assert harness.controller.wait(TIMEOUT)
    assert isinstance(harness.push(Change()), ControllerClosedError)


def test_what_handlers_push_during_shutdown_is_refused(harness: Harness) -> None:
    late = Change("late", is_blocking=False)

    def push_late(event: Event, txn: ResyncOperations) -> None:
        if isinstance(event, Shutdown):
            harness.controller.push_event(late)

    harness.started().a.work = push_late
    harness.controller.close()
    assert isinstance(late.finished[0], ControllerClosedError)
    assert "a.update late" not in harness.journal


def test_shutdown_before_the_first_resync_ends_the_loop(harness: Harness) -> None:
    delayed = Change(is_blocking=False)
    harness.controller.push_event(delayed)
    harness.controller.start()
    harness.controller.close()
    assert isinstance(delayed.finished[0], ControllerClosedError)
    assert harness.journal == [f"{name}.update Shutdown" for name in "abc"]


def test_shutdown_passes_a_full_queue(make_harness: MakeHarness) -> None:
    harness = make_harness(queue_size=2)
    harness.a.work = hold = Hold()
    harness.controller.push_event(FullResync("startup"))
    harness.controller.start()
    assert hold.reached.wait(TIMEOUT)
    for _ in range(2):
        harness.controller.push_event(Change(is_blocking=False))
    threading.Timer(0, hold.released.set).start()
    harness.controller.close()
    assert harness.journal[-1] == "c.update Shutdown"


def test_close_twice_and_without_start_is_fine(harness: Harness) -> None:
    queued = Change(is_blocking=False)
    harness.controller.push_event(queued)
    harness.controller.close()
    harness.controller.close()
    assert isinstance(queued.finished[0], ControllerClosedError)
    with pytest.raises(ControllerClosedError):
        harness.controller.start()


def test_what_a_handler_raises_at_shutdown_is_logged_and_counted(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.started().b.work = raising(ValueError("still busy"))
    harness.controller.close()
    assert harness.journal[-1] == "c.update Shutdown"
    assert "Shutdown: handler b failed: still busy" in caplog.text
    assert harness.controller.handler_errors["b"] == 1
    assert harness.controller.wait(TIMEOUT)
