"""What errors do to an event and its transaction."""

from __future__ import annotations

import pytest

from bgpreflector.controller import (
    AbortEventError,
    Event,
    FullResync,
    OperationsFailedError,
    ResyncNeededError,
    ResyncOperations,
    TransactionType,
)
from bgpreflector.errors import VppLostError
from controller.controller_support import Change, Harness, putting, raising

REVERT = TransactionType.REVERT_ON_FAILURE


def test_best_effort_goes_on_after_an_error_and_commits_the_rest(harness: Harness) -> None:
    harness.started()
    harness.a.work = putting(k=1)
    harness.b.work = raising(ValueError("no"))
    harness.c.work = putting(l=2)
    assert str(harness.push(Change())) == "no"
    assert harness.sink.values == {"k": 1, "l": 2}


@pytest.mark.parametrize(
    ("error", "has_traceback"), [(VppLostError("VPP has gone"), False), (ValueError("no"), True)]
)
def test_only_unexpected_errors_are_logged_with_a_traceback(
    harness: Harness, caplog: pytest.LogCaptureFixture, error: Exception, has_traceback: bool
) -> None:
    harness.started()
    harness.a.work = raising(error)
    harness.push(Change())
    (record,) = [record for record in caplog.records if "handler a failed" in record.message]
    assert str(error) in record.message
    assert bool(record.exc_info) is has_traceback


class _ResyncError(Exception):
    """A handler's own error that asks for a resync."""

    needs_resync = True


def test_an_exception_is_logged_and_counted_and_causes_no_resync(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.started()
    harness.a.work, harness.b.work = raising(ValueError("no")), putting(k=1)
    for _ in range(2):
        assert isinstance(harness.push(Change()), ValueError)
    logged = [record for record in caplog.records if "handler a failed: no" in record.message]
    assert [record.levelname for record in logged] == ["ERROR", "ERROR"]
    assert harness.controller.handler_errors == {"a": 2, "b": 0, "c": 0}
    assert harness.advance(600) == []
    assert harness.sink.values == {"k": 1}


@pytest.mark.parametrize(
    "error",
    [ResyncNeededError("no"), VppLostError("no"), _ResyncError("no")],
    ids=lambda e: type(e).__name__,
)
def test_an_exception_that_asks_for_a_resync_gets_one(harness: Harness, error: Exception) -> None:
    harness.started()
    harness.a.work, harness.b.work = raising(error), putting(k=1)
    assert harness.push(Change()) is error
    assert harness.sink.values == {"k": 1}
    harness.a.work = None
    assert "b.resync Healing Resync (After error: no)" in harness.advance(5)


def test_a_handler_that_fails_in_a_resync_keeps_what_it_had(harness: Harness) -> None:
    harness.started()
    harness.a.work, harness.b.work = putting(**{"a/1": 1, "a/2": 1}), putting(b=1)
    harness.push(FullResync("x", blocking=True))

    def fail(event: Event, txn: ResyncOperations) -> None:
        txn.put("a/1", 2)
        raise ValueError("no")

    harness.a.work, harness.b.work = fail, None
    for _ in range(2):
        assert isinstance(harness.push(FullResync("x", blocking=True)), ValueError)
        assert harness.sink.values == {"a/1": 2, "a/2": 1}
    harness.a.work = putting(**{"a/2": 3})
    harness.push(FullResync("x", blocking=True))
    assert harness.sink.values == {"a/2": 3}


def test_the_result_is_what_the_sink_refused_rather_than_the_error_of_a_handler(
    harness: Harness,
) -> None:
    harness.started()
    harness.a.work, harness.b.work = raising(ValueError("no")), putting(bad=1)
    harness.sink.refuse = {"bad"}
    assert isinstance(harness.push(Change()), OperationsFailedError)


def test_revert_on_failure_discards_the_transaction(harness: Harness) -> None:
    harness.started()
    harness.a.work = putting(k=1)
    harness.b.work = raising(ValueError("no"))
    harness.push(Change(transaction_type=REVERT))
    assert harness.sink.values == {}
    assert "sink.commit" not in harness.journal
    assert "c.update change" not in harness.journal


def test_revert_on_failure_undoes_a_commit_that_failed_in_part(harness: Harness) -> None:
    harness.started()
    harness.a.work = putting(old="before")
    harness.push(Change())
    harness.a.work = putting(old="after", new=1, bad=1)
    harness.sink.refuse = {"bad"}
    error = harness.push(Change(transaction_type=REVERT))
    assert isinstance(error, OperationsFailedError)
    assert harness.sink.values == {"old": "before"}
    assert harness.journal[-3:] == ["c.revert change", "b.revert change", "a.revert change"]
    assert harness.advance(60) == []


def test_revert_on_failure_undoes_a_commit_that_raised(harness: Harness) -> None:
    harness.started()
    harness.a.work = putting(k=1)
    harness.sink.down = ConnectionError("gone")
    harness.push(Change(transaction_type=REVERT))
    assert harness.journal.count("sink.commit") == 2
    assert harness.journal[-1] == "a.revert change"


def test_an_undo_does_not_bring_back_what_a_resync_removed(harness: Harness) -> None:
    harness.started()
    harness.a.work = putting(k="before")
    harness.push(Change())
    harness.a.work = None
    harness.push(FullResync("operator", blocking=True))
    harness.a.work = putting(k="after")
    harness.c.work = putting(bad=1)
    harness.sink.refuse = {"bad"}
    harness.push(Change(transaction_type=REVERT))
    assert harness.sink.values == {}


def test_a_revert_that_fails_is_noted_and_healed(harness: Harness) -> None:
    harness.started()
    harness.c.work = raising(ValueError("no"))
    harness.b.revert_error = ValueError("stuck")
    error = harness.push(Change(transaction_type=REVERT))
    assert str(error) == "no"
    assert error is not None
    assert error.__notes__ == ["change: revert of b failed: stuck"]
    assert "a.revert change" in harness.journal
    assert "a.resync Healing Resync (After error: no)" in harness.advance(5)


def test_a_reverted_event_needs_no_healing(harness: Harness) -> None:
    harness.started()
    harness.c.work = raising(ValueError("no"))
    harness.push(Change(transaction_type=REVERT))
    assert harness.advance(60) == []


def test_abort_stops_the_event_commits_nothing_and_heals(harness: Harness) -> None:
    harness.started()
    harness.a.work = putting(k=1)
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
    harness.push(Change(transaction_type=REVERT))
    assert harness.journal == ["a.update change", "b.update change", "a.revert change"]
