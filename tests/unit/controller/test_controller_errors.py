"""What errors do to an event, its transaction and the loop."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from bgpreflector.controller import (
    AbortEventError,
    BatchNotTakenError,
    ControllerClosedError,
    Event,
    EventLoopAbortingError,
    FatalError,
    FullResync,
    OperationsFailedError,
    ResyncNeededError,
    ResyncOperations,
    Shutdown,
    TransactionType,
)
from bgpreflector.errors import VppLostError
from controller.controller_support import TIMEOUT, Change, Harness, MakeHarness, MemoryBatch, Work

if TYPE_CHECKING:
    from collections.abc import Callable

REVERT = TransactionType.REVERT_ON_FAILURE


def raising(error: Exception) -> Work:
    def work(event: Event, txn: ResyncOperations) -> None:
        raise error

    return work


def putting(key: str, value: object) -> Work:
    return lambda event, txn: txn.put(key, value)


def test_best_effort_goes_on_after_an_error_and_commits_the_rest(harness: Harness) -> None:
    harness.started()
    harness.a.work = putting("k", 1)
    harness.b.work = raising(ValueError("no"))
    harness.c.work = putting("l", 2)
    assert str(harness.push(Change())) == "no"
    assert harness.sink.values == {"k": 1, "l": 2}


@pytest.mark.parametrize(
    ("error", "shows_code"), [(VppLostError("VPP has gone"), False), (ValueError("no"), True)]
)
def test_only_what_nobody_foresaw_is_logged_with_the_code_it_came_from(
    harness: Harness, caplog: pytest.LogCaptureFixture, error: Exception, shows_code: bool
) -> None:
    harness.started()
    harness.a.work = raising(error)
    harness.push(Change())
    (record,) = [record for record in caplog.records if "handler a failed" in record.message]
    assert str(error) in record.message
    assert bool(record.exc_info) is shows_code


class _Asks(Exception):  # noqa: N818 - somebody else's
    needs_resync = True


def test_an_exception_is_logged_and_counted_and_causes_no_resync(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.started()
    harness.a.work, harness.b.work = raising(ValueError("no")), putting("k", 1)
    for _ in range(2):
        assert isinstance(harness.push(Change()), ValueError)
    said = [record for record in caplog.records if "handler a failed: no" in record.message]
    assert [record.levelname for record in said] == ["ERROR", "ERROR"]
    assert harness.controller.handler_errors == {"a": 2, "b": 0, "c": 0}
    assert harness.advance(600) == []
    assert harness.sink.values == {"k": 1}


@pytest.mark.parametrize(
    "error",
    [ResyncNeededError("no"), VppLostError("no"), _Asks("no")],
    ids=lambda e: type(e).__name__,
)
def test_an_exception_that_asks_for_a_resync_gets_one(harness: Harness, error: Exception) -> None:
    harness.started()
    harness.a.work, harness.b.work = raising(error), putting("k", 1)
    assert harness.push(Change()) is error
    assert harness.sink.values == {"k": 1}
    harness.a.work = None
    assert "b.resync Healing Resync (After error: no)" in harness.advance(5)


def test_a_handler_that_fails_in_a_resync_keeps_what_it_had(harness: Harness) -> None:
    harness.started()

    def put(event: Event, txn: ResyncOperations) -> None:
        txn.put("a/1", 1)
        txn.put("a/2", 1)

    harness.a.work, harness.b.work = put, putting("b", 1)
    harness.push(FullResync("x", blocking=True))

    def fail(event: Event, txn: ResyncOperations) -> None:
        txn.put("a/1", 2)
        raise ValueError("no")

    harness.a.work, harness.b.work = fail, None
    for _ in range(2):
        assert isinstance(harness.push(FullResync("x", blocking=True)), ValueError)
        assert harness.sink.values == {"a/1": 2, "a/2": 1}
    harness.a.work = putting("a/2", 3)
    harness.push(FullResync("x", blocking=True))
    assert harness.sink.values == {"a/2": 3}


def test_what_the_southbound_refuses_says_more_than_a_handler_that_failed(harness: Harness) -> None:
    harness.started()
    harness.a.work, harness.b.work = raising(ValueError("no")), putting("bad", 1)
    harness.sink.refuse = {"bad"}
    assert isinstance(harness.push(Change()), OperationsFailedError)


def test_a_batch_that_the_sink_has_not_taken_is_said_once(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.started().a.work = put_batch_of
    harness.b.work = raising(ValueError("no"))
    harness.sink.looks_away = True
    for _ in range(2):
        batch = MemoryBatch("10.0.0.0/8", "10.1.0.0/16")
        error = harness.push(Change(batch=batch))
        assert isinstance(error, BatchNotTakenError)
        assert batch.released == 1
    shown = "commit() of the sink MemorySink has not taken 2 route changes"
    assert len([record for record in caplog.records if shown in record.message]) == 1
    assert harness.advance(600) == []


def test_a_batch_that_no_handler_has_put_is_an_error(harness: Harness) -> None:
    harness.started()
    error = harness.push(Change(batch=MemoryBatch("10.0.0.0/8")))
    assert isinstance(error, BatchNotTakenError)
    assert "no handler has put the event's 1 route changes" in str(error)


def test_revert_on_failure_discards_the_transaction(harness: Harness) -> None:
    harness.started()
    harness.a.work = putting("k", 1)
    harness.b.work = raising(ValueError("no"))
    harness.push(Change(kind=REVERT))
    assert harness.sink.values == {}
    assert "sink.commit" not in harness.journal
    assert "c.update change" not in harness.journal


def test_revert_on_failure_undoes_a_commit_that_failed_in_part(harness: Harness) -> None:
    harness.started()
    harness.a.work = putting("old", "before")
    harness.push(Change())

    def replace(event: Event, txn: ResyncOperations) -> None:
        txn.put("old", "after")
        txn.put("new", 1)
        txn.put("bad", 1)

    harness.a.work = replace
    harness.sink.refuse = {"bad"}
    error = harness.push(Change(kind=REVERT))
    assert isinstance(error, OperationsFailedError)
    assert harness.sink.values == {"old": "before"}
    assert harness.journal[-3:] == ["c.revert change", "b.revert change", "a.revert change"]
    assert harness.advance(60) == []


def test_revert_on_failure_undoes_a_commit_that_raised(harness: Harness) -> None:
    harness.started()
    harness.a.work = putting("k", 1)
    harness.sink.down = ConnectionError("gone")
    harness.push(Change(kind=REVERT))
    assert harness.journal.count("sink.commit") == 2
    assert harness.journal[-1] == "a.revert change"


def test_an_undo_does_not_bring_back_what_a_resync_removed(harness: Harness) -> None:
    harness.started()
    harness.a.work = putting("k", "before")
    harness.push(Change())
    harness.a.work = None
    harness.push(FullResync("operator", blocking=True))
    harness.a.work = putting("k", "after")
    harness.c.work = putting("bad", 1)
    harness.sink.refuse = {"bad"}
    harness.push(Change(kind=REVERT))
    assert harness.sink.values == {}


def test_a_revert_that_fails_is_noted_and_healed(harness: Harness) -> None:
    harness.started()
    harness.c.work = raising(ValueError("no"))
    harness.b.revert_error = ValueError("stuck")
    error = harness.push(Change(kind=REVERT))
    assert str(error) == "no"
    assert error is not None
    assert error.__notes__ == ["change: revert of b failed: stuck"]
    assert "a.revert change" in harness.journal
    assert "a.resync Healing Resync (After error: no)" in harness.advance(5)


def test_a_reverted_event_needs_no_healing(harness: Harness) -> None:
    harness.started()
    harness.c.work = raising(ValueError("no"))
    harness.push(Change(kind=REVERT))
    assert harness.advance(60) == []


def test_abort_stops_the_event_commits_nothing_and_heals(harness: Harness) -> None:
    harness.started()
    harness.a.work = putting("k", 1)
    harness.b.work = raising(AbortEventError(ValueError("inconsistent")))
    error = harness.push(Change())
    assert isinstance(error, AbortEventError)
    assert str(error) == "inconsistent"
    assert harness.journal == ["a.update change", "b.update change"]
    assert harness.sink.values == {}
    harness.b.work = None
    assert "b.resync Healing Resync (After error: inconsistent)" in harness.advance(5)


def test_abort_reverts_an_event_that_reverts_on_failure(harness: Harness) -> None:
    harness.started()
    harness.b.work = raising(AbortEventError("inconsistent"))
    harness.push(Change(kind=REVERT))
    assert harness.journal == ["a.update change", "b.update change", "a.revert change"]


def test_a_fatal_error_stops_the_loop_and_is_reported(harness: Harness) -> None:
    harness.started()
    cause = OSError("netlink is gone")
    harness.b.work = raising(FatalError(cause))
    error = harness.push(Change())
    assert isinstance(error, FatalError)
    assert error.original is cause
    assert harness.journal == ["a.update change", "b.update change"]
    with pytest.raises(FatalError, match="netlink is gone"):
        harness.controller.wait(TIMEOUT)
    assert harness.controller.fatal_error is error


def test_events_after_a_fatal_error_are_refused_with_it(harness: Harness) -> None:
    harness.started()
    harness.a.work = raising(FatalError("broken"))
    harness.push(Change())
    with pytest.raises(FatalError):
        harness.controller.wait(TIMEOUT)
    error = harness.push(Change())
    assert isinstance(error, EventLoopAbortingError)
    assert error.__cause__ is harness.controller.fatal_error


def test_events_that_waited_when_a_fatal_error_came_are_answered(harness: Harness) -> None:
    waiting, batch = Change("waiting", blocking=False), MemoryBatch("10.0.0.0/8")
    waiting.batch = batch
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
    harness.a.work = putting("k", 1)
    harness.sink.down = FatalError("wrong VPP")
    harness.push(Change())
    with pytest.raises(FatalError, match="wrong VPP"):
        harness.controller.wait(TIMEOUT)


def test_an_error_in_done_or_handles_event_does_not_stop_the_loop(harness: Harness) -> None:
    class Clumsy(Change):
        def done(self, error: BaseException | None) -> None:
            raise ValueError("done failed")

    def refuse_to_say(event: Event) -> bool:
        raise ValueError("do not know")

    harness.started()
    harness.push(Clumsy())
    harness.a.handles = refuse_to_say
    assert str(harness.push(Change())) == "do not know"
    assert harness.journal[-1] == "c.update change"


def test_shutdown_is_the_last_event_after_all_queued_ones(harness: Harness) -> None:
    harness.controller.push_event(FullResync("startup"))
    harness.controller.push_event(Change("last", blocking=False))
    harness.controller.start()
    harness.controller.close()
    assert harness.journal[-6:] == [
        *(f"{name}.update last" for name in "abc"),
        *(f"{name}.update Shutdown" for name in "abc"),
    ]
    assert harness.controller.wait(TIMEOUT)
    assert isinstance(harness.push(Change()), ControllerClosedError)


def test_what_handlers_push_during_shutdown_is_refused(harness: Harness) -> None:
    late = Change("late", blocking=False)

    def push_late(event: Event, txn: ResyncOperations) -> None:
        if isinstance(event, Shutdown):
            harness.controller.push_event(late)

    harness.started().a.work = push_late
    harness.controller.close()
    assert isinstance(late.finished[0], ControllerClosedError)
    assert "a.update late" not in harness.journal


def test_shutdown_before_the_first_resync_ends_the_loop(harness: Harness) -> None:
    delayed = Change(blocking=False)
    harness.controller.push_event(delayed)
    harness.controller.start()
    harness.controller.close()
    assert isinstance(delayed.finished[0], ControllerClosedError)
    assert harness.journal == [f"{name}.update Shutdown" for name in "abc"]


def test_shutdown_passes_a_full_queue(make_harness: MakeHarness) -> None:
    harness = make_harness(queue_size=2)
    reached, proceed = threading.Event(), threading.Event()

    def hold(event: Event, txn: ResyncOperations) -> None:
        reached.set()
        assert proceed.wait(TIMEOUT)

    harness.a.work = hold
    harness.controller.push_event(FullResync("startup"))
    harness.controller.start()
    assert reached.wait(TIMEOUT)
    for _ in range(2):
        harness.controller.push_event(Change(blocking=False))
    threading.Timer(0, proceed.set).start()
    harness.controller.close()
    assert harness.journal[-1] == "c.update Shutdown"


def test_close_twice_and_without_start_is_fine(harness: Harness) -> None:
    queued = Change(blocking=False)
    harness.controller.push_event(queued)
    harness.controller.close()
    harness.controller.close()
    assert isinstance(queued.finished[0], ControllerClosedError)
    with pytest.raises(ControllerClosedError):
        harness.controller.start()


def test_a_handler_that_fails_to_shut_down_is_heard(harness: Harness) -> None:
    harness.started().b.work = raising(ValueError("still busy"))
    with pytest.raises(ValueError, match="still busy"):
        harness.controller.close()
    assert harness.controller.wait(TIMEOUT)


def put_batch_of(event: Event, txn: ResyncOperations) -> None:
    for batch in event.batches:
        txn.put_batch(batch)


def test_a_committed_batch_is_not_released(harness: Harness) -> None:
    harness.started().a.work = put_batch_of
    batch = MemoryBatch("10.0.0.0/8")
    harness.push(Change(batch=batch))
    assert "10.0.0.0/8" in harness.sink.values
    assert batch.released == 0


def lose_nothing_because_the_sink_is_down(harness: Harness) -> None:
    harness.a.work = put_batch_of
    harness.sink.down = ConnectionError("gone")


def lose_nothing_because_nobody_took_it(harness: Harness) -> None:
    harness.a.handles = harness.b.handles = harness.c.handles = lambda event: False


def lose_nothing_because_it_was_aborted(harness: Harness) -> None:
    harness.a.work = put_batch_of
    harness.b.work = raising(AbortEventError("no"))


@pytest.mark.parametrize(
    "arrange",
    [
        lose_nothing_because_the_sink_is_down,
        lose_nothing_because_nobody_took_it,
        lose_nothing_because_it_was_aborted,
    ],
)
def test_a_batch_that_is_not_committed_is_released(
    harness: Harness, arrange: Callable[[Harness], None]
) -> None:
    harness.started()
    arrange(harness)
    batch = MemoryBatch("10.0.0.0/8")
    harness.push(Change(batch=batch))
    assert batch.released >= 1


def test_a_resync_whose_reread_fails_commits_nothing_and_releases(harness: Harness) -> None:
    batch = MemoryBatch("10.0.0.0/8")
    harness.started().a.work = lambda event, txn: txn.put_batch(batch)
    harness.sink.down = ConnectionError("gone")
    assert isinstance(harness.push(FullResync("x", blocking=True)), ConnectionError)
    assert "sink.commit" not in harness.journal
    assert batch.released == 1
