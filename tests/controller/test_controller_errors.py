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
from controller.controller_support import TIMEOUT, Bench, Change, MakeBench, MemoryBatch, Work

if TYPE_CHECKING:
    from collections.abc import Callable

REVERT = TransactionType.REVERT_ON_FAILURE


def raising(error: Exception) -> Work:
    def work(event: Event, txn: ResyncOperations) -> None:
        raise error

    return work


def putting(key: str, value: object) -> Work:
    return lambda event, txn: txn.put(key, value)


def test_best_effort_goes_on_after_an_error_and_commits_the_rest(bench: Bench) -> None:
    bench.started()
    bench.a.work = putting("k", 1)
    bench.b.work = raising(ValueError("no"))
    bench.c.work = putting("l", 2)
    assert str(bench.push(Change())) == "no"
    assert bench.sink.values == {"k": 1, "l": 2}


@pytest.mark.parametrize(
    ("error", "shows_code"), [(VppLostError("VPP has gone"), False), (ValueError("no"), True)]
)
def test_only_what_nobody_foresaw_is_logged_with_the_code_it_came_from(
    bench: Bench, caplog: pytest.LogCaptureFixture, error: Exception, shows_code: bool
) -> None:
    bench.started()
    bench.a.work = raising(error)
    bench.push(Change())
    (record,) = [record for record in caplog.records if "handler a failed" in record.message]
    assert str(error) in record.message
    assert bool(record.exc_info) is shows_code


class _Asks(Exception):  # noqa: N818 - somebody else's
    needs_resync = True


def test_an_exception_is_logged_and_counted_and_causes_no_resync(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.started()
    bench.a.work, bench.b.work = raising(ValueError("no")), putting("k", 1)
    for _ in range(2):
        assert isinstance(bench.push(Change()), ValueError)
    said = [record for record in caplog.records if "handler a failed: no" in record.message]
    assert [record.levelname for record in said] == ["ERROR", "ERROR"]
    assert bench.controller.handler_errors == {"a": 2, "b": 0, "c": 0}
    assert bench.advance(600) == []
    assert bench.sink.values == {"k": 1}


@pytest.mark.parametrize(
    "error",
    [ResyncNeededError("no"), VppLostError("no"), _Asks("no")],
    ids=lambda e: type(e).__name__,
)
def test_an_exception_that_asks_for_a_resync_gets_one(bench: Bench, error: Exception) -> None:
    bench.started()
    bench.a.work, bench.b.work = raising(error), putting("k", 1)
    assert bench.push(Change()) is error
    assert bench.sink.values == {"k": 1}
    bench.a.work = None
    assert "b.resync Healing Resync (After error: no)" in bench.advance(5)


def test_a_handler_that_fails_in_a_resync_keeps_what_it_had(bench: Bench) -> None:
    bench.started()

    def put(event: Event, txn: ResyncOperations) -> None:
        txn.put("a/1", 1)
        txn.put("a/2", 1)

    bench.a.work, bench.b.work = put, putting("b", 1)
    bench.push(FullResync("x", blocking=True))

    def fail(event: Event, txn: ResyncOperations) -> None:
        txn.put("a/1", 2)
        raise ValueError("no")

    bench.a.work, bench.b.work = fail, None
    for _ in range(2):
        assert isinstance(bench.push(FullResync("x", blocking=True)), ValueError)
        assert bench.sink.values == {"a/1": 2, "a/2": 1}
    bench.a.work = putting("a/2", 3)
    bench.push(FullResync("x", blocking=True))
    assert bench.sink.values == {"a/2": 3}


def test_what_the_southbound_refuses_says_more_than_a_handler_that_failed(bench: Bench) -> None:
    bench.started()
    bench.a.work, bench.b.work = raising(ValueError("no")), putting("bad", 1)
    bench.sink.refuse = {"bad"}
    assert isinstance(bench.push(Change()), OperationsFailedError)


def test_a_batch_that_the_sink_has_not_taken_is_said_once(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.started().a.work = put_batch_of
    bench.b.work = raising(ValueError("no"))
    bench.sink.looks_away = True
    for _ in range(2):
        batch = MemoryBatch("10.0.0.0/8", "10.1.0.0/16")
        error = bench.push(Change(batch=batch))
        assert isinstance(error, BatchNotTakenError)
        assert batch.released == 1
    shown = "commit() of the sink MemorySink has not taken 2 route changes"
    assert len([record for record in caplog.records if shown in record.message]) == 1
    assert bench.advance(600) == []


def test_a_batch_that_no_handler_has_put_is_an_error(bench: Bench) -> None:
    bench.started()
    error = bench.push(Change(batch=MemoryBatch("10.0.0.0/8")))
    assert isinstance(error, BatchNotTakenError)
    assert "no handler has put the event's 1 route changes" in str(error)


def test_revert_on_failure_discards_the_transaction(bench: Bench) -> None:
    bench.started()
    bench.a.work = putting("k", 1)
    bench.b.work = raising(ValueError("no"))
    bench.push(Change(kind=REVERT))
    assert bench.sink.values == {}
    assert "sink.commit" not in bench.journal
    assert "c.update change" not in bench.journal


def test_revert_on_failure_undoes_a_commit_that_failed_in_part(bench: Bench) -> None:
    bench.started()
    bench.a.work = putting("old", "before")
    bench.push(Change())

    def replace(event: Event, txn: ResyncOperations) -> None:
        txn.put("old", "after")
        txn.put("new", 1)
        txn.put("bad", 1)

    bench.a.work = replace
    bench.sink.refuse = {"bad"}
    error = bench.push(Change(kind=REVERT))
    assert isinstance(error, OperationsFailedError)
    assert bench.sink.values == {"old": "before"}
    assert bench.journal[-3:] == ["c.revert change", "b.revert change", "a.revert change"]
    assert bench.advance(60) == []


def test_revert_on_failure_undoes_a_commit_that_raised(bench: Bench) -> None:
    bench.started()
    bench.a.work = putting("k", 1)
    bench.sink.down = ConnectionError("gone")
    bench.push(Change(kind=REVERT))
    assert bench.journal.count("sink.commit") == 2
    assert bench.journal[-1] == "a.revert change"


def test_an_undo_does_not_bring_back_what_a_resync_removed(bench: Bench) -> None:
    bench.started()
    bench.a.work = putting("k", "before")
    bench.push(Change())
    bench.a.work = None
    bench.push(FullResync("operator", blocking=True))
    bench.a.work = putting("k", "after")
    bench.c.work = putting("bad", 1)
    bench.sink.refuse = {"bad"}
    bench.push(Change(kind=REVERT))
    assert bench.sink.values == {}


def test_a_revert_that_fails_is_noted_and_healed(bench: Bench) -> None:
    bench.started()
    bench.c.work = raising(ValueError("no"))
    bench.b.revert_error = ValueError("stuck")
    error = bench.push(Change(kind=REVERT))
    assert str(error) == "no"
    assert error is not None
    assert error.__notes__ == ["change: revert of b failed: stuck"]
    assert "a.revert change" in bench.journal
    assert "a.resync Healing Resync (After error: no)" in bench.advance(5)


def test_a_reverted_event_needs_no_healing(bench: Bench) -> None:
    bench.started()
    bench.c.work = raising(ValueError("no"))
    bench.push(Change(kind=REVERT))
    assert bench.advance(60) == []


def test_abort_stops_the_event_commits_nothing_and_heals(bench: Bench) -> None:
    bench.started()
    bench.a.work = putting("k", 1)
    bench.b.work = raising(AbortEventError(ValueError("inconsistent")))
    error = bench.push(Change())
    assert isinstance(error, AbortEventError)
    assert str(error) == "inconsistent"
    assert bench.journal == ["a.update change", "b.update change"]
    assert bench.sink.values == {}
    bench.b.work = None
    assert "b.resync Healing Resync (After error: inconsistent)" in bench.advance(5)


def test_abort_reverts_an_event_that_reverts_on_failure(bench: Bench) -> None:
    bench.started()
    bench.b.work = raising(AbortEventError("inconsistent"))
    bench.push(Change(kind=REVERT))
    assert bench.journal == ["a.update change", "b.update change", "a.revert change"]


def test_a_fatal_error_stops_the_loop_and_is_reported(bench: Bench) -> None:
    bench.started()
    cause = OSError("netlink is gone")
    bench.b.work = raising(FatalError(cause))
    error = bench.push(Change())
    assert isinstance(error, FatalError)
    assert error.original is cause
    assert bench.journal == ["a.update change", "b.update change"]
    with pytest.raises(FatalError, match="netlink is gone"):
        bench.controller.wait(TIMEOUT)
    assert bench.controller.fatal_error is error


def test_events_after_a_fatal_error_are_refused_with_it(bench: Bench) -> None:
    bench.started()
    bench.a.work = raising(FatalError("broken"))
    bench.push(Change())
    with pytest.raises(FatalError):
        bench.controller.wait(TIMEOUT)
    error = bench.push(Change())
    assert isinstance(error, EventLoopAbortingError)
    assert error.__cause__ is bench.controller.fatal_error


def test_events_that_waited_when_a_fatal_error_came_are_answered(bench: Bench) -> None:
    waiting, batch = Change("waiting", blocking=False), MemoryBatch("10.0.0.0/8")
    waiting.batch = batch
    bench.controller.push_event(waiting)
    bench.controller.push_event(FullResync("startup"))
    bench.a.work = raising(FatalError("broken"))
    bench.controller.start()
    with pytest.raises(FatalError):
        bench.controller.wait(TIMEOUT)
    assert isinstance(waiting.finished[0], EventLoopAbortingError)
    assert batch.released == 1


def test_a_fatal_error_of_the_southbound_stops_the_loop_too(bench: Bench) -> None:
    bench.started()
    bench.a.work = putting("k", 1)
    bench.sink.down = FatalError("wrong VPP")
    bench.push(Change())
    with pytest.raises(FatalError, match="wrong VPP"):
        bench.controller.wait(TIMEOUT)


def test_an_error_in_done_or_handles_event_does_not_stop_the_loop(bench: Bench) -> None:
    class Clumsy(Change):
        def done(self, error: BaseException | None) -> None:
            raise ValueError("done failed")

    def refuse_to_say(event: Event) -> bool:
        raise ValueError("do not know")

    bench.started()
    bench.push(Clumsy())
    bench.a.handles = refuse_to_say
    assert str(bench.push(Change())) == "do not know"
    assert bench.journal[-1] == "c.update change"


def test_shutdown_is_the_last_event_after_all_queued_ones(bench: Bench) -> None:
    bench.controller.push_event(FullResync("startup"))
    bench.controller.push_event(Change("last", blocking=False))
    bench.controller.start()
    bench.controller.close()
    assert bench.journal[-6:] == [
        *(f"{name}.update last" for name in "abc"),
        *(f"{name}.update Shutdown" for name in "abc"),
    ]
    assert bench.controller.wait(TIMEOUT)
    assert isinstance(bench.push(Change()), ControllerClosedError)


def test_what_handlers_push_during_shutdown_is_refused(bench: Bench) -> None:
    late = Change("late", blocking=False)

    def push_late(event: Event, txn: ResyncOperations) -> None:
        if isinstance(event, Shutdown):
            bench.controller.push_event(late)

    bench.started().a.work = push_late
    bench.controller.close()
    assert isinstance(late.finished[0], ControllerClosedError)
    assert "a.update late" not in bench.journal


def test_shutdown_before_the_first_resync_ends_the_loop(bench: Bench) -> None:
    delayed = Change(blocking=False)
    bench.controller.push_event(delayed)
    bench.controller.start()
    bench.controller.close()
    assert isinstance(delayed.finished[0], ControllerClosedError)
    assert bench.journal == [f"{name}.update Shutdown" for name in "abc"]


def test_shutdown_passes_a_full_queue(make_bench: MakeBench) -> None:
    bench = make_bench(queue_size=2)
    reached, proceed = threading.Event(), threading.Event()

    def hold(event: Event, txn: ResyncOperations) -> None:
        reached.set()
        assert proceed.wait(TIMEOUT)

    bench.a.work = hold
    bench.controller.push_event(FullResync("startup"))
    bench.controller.start()
    assert reached.wait(TIMEOUT)
    for _ in range(2):
        bench.controller.push_event(Change(blocking=False))
    threading.Timer(0, proceed.set).start()
    bench.controller.close()
    assert bench.journal[-1] == "c.update Shutdown"


def test_close_twice_and_without_start_is_fine(bench: Bench) -> None:
    queued = Change(blocking=False)
    bench.controller.push_event(queued)
    bench.controller.close()
    bench.controller.close()
    assert isinstance(queued.finished[0], ControllerClosedError)
    with pytest.raises(ControllerClosedError):
        bench.controller.start()


def test_a_handler_that_fails_to_shut_down_is_heard(bench: Bench) -> None:
    bench.started().b.work = raising(ValueError("still busy"))
    with pytest.raises(ValueError, match="still busy"):
        bench.controller.close()
    assert bench.controller.wait(TIMEOUT)


def put_batch_of(event: Event, txn: ResyncOperations) -> None:
    for batch in event.batches:
        txn.put_batch(batch)


def test_a_committed_batch_is_not_released(bench: Bench) -> None:
    bench.started().a.work = put_batch_of
    batch = MemoryBatch("10.0.0.0/8")
    bench.push(Change(batch=batch))
    assert "10.0.0.0/8" in bench.sink.values
    assert batch.released == 0


def lose_nothing_because_the_sink_is_down(bench: Bench) -> None:
    bench.a.work = put_batch_of
    bench.sink.down = ConnectionError("gone")


def lose_nothing_because_nobody_took_it(bench: Bench) -> None:
    bench.a.handles = bench.b.handles = bench.c.handles = lambda event: False


def lose_nothing_because_it_was_aborted(bench: Bench) -> None:
    bench.a.work = put_batch_of
    bench.b.work = raising(AbortEventError("no"))


@pytest.mark.parametrize(
    "arrange",
    [
        lose_nothing_because_the_sink_is_down,
        lose_nothing_because_nobody_took_it,
        lose_nothing_because_it_was_aborted,
    ],
)
def test_a_batch_that_is_not_committed_is_released(
    bench: Bench, arrange: Callable[[Bench], None]
) -> None:
    bench.started()
    arrange(bench)
    batch = MemoryBatch("10.0.0.0/8")
    bench.push(Change(batch=batch))
    assert batch.released >= 1


def test_a_resync_whose_reread_fails_commits_nothing_and_releases(bench: Bench) -> None:
    batch = MemoryBatch("10.0.0.0/8")
    bench.started().a.work = lambda event, txn: txn.put_batch(batch)
    bench.sink.down = ConnectionError("gone")
    assert isinstance(bench.push(FullResync("x", blocking=True)), ConnectionError)
    assert "sink.commit" not in bench.journal
    assert batch.released == 1
