"""What becomes of the batches of events and transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bgpreflector.controller import (
    AbortEventError,
    BatchNotConsumedError,
    FullResync,
)
from controller.controller_support import Change, Harness, MemoryBatch, put_batch_of, raising

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_batch_that_the_sink_has_not_taken_is_said_once(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.started().a.work = put_batch_of
    harness.b.work = raising(ValueError("no"))
    harness.sink.looks_away = True
    for _ in range(2):
        batch = MemoryBatch("10.0.0.0/8", "10.1.0.0/16")
        error = harness.push(Change(batch=batch))
        assert isinstance(error, BatchNotConsumedError)
        assert batch.released == 1
    shown = "commit() of the sink MemorySink has not taken 2 route changes"
    assert len([record for record in caplog.records if shown in record.message]) == 1
    assert harness.advance(600) == []


def test_a_batch_that_no_handler_has_put_is_an_error(harness: Harness) -> None:
    harness.started()
    error = harness.push(Change(batch=MemoryBatch("10.0.0.0/8")))
    assert isinstance(error, BatchNotConsumedError)
    assert "no handler has put the event's 1 route changes" in str(error)


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
