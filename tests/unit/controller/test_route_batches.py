"""Batches are committed, or released."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bgpreflector.controller import (
    AbortEventError,
    BatchNotConsumedError,
    FullResync,
)
from controller.controller_support import Change, Harness, MemoryBatch, put_batches, raising

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_batch_that_the_sink_has_not_consumed_is_logged_once(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.started().a.work = put_batches
    harness.b.work = raising(ValueError("no"))
    harness.sink.ignores_batches = True
    for _ in range(2):
        batch = MemoryBatch("10.0.0.0/8", "10.1.0.0/16")
        error = harness.push(Change(batches=(batch,)))
        assert isinstance(error, BatchNotConsumedError)
        assert batch.released == 1
    message = "commit() of the sink MemorySink has not taken 2 route changes"
    assert len([record for record in caplog.records if message in record.message]) == 1
    assert harness.advance(600) == []


def test_a_batch_that_no_handler_has_put_is_an_error(harness: Harness) -> None:
    harness.started()
    error = harness.push(Change(batches=(MemoryBatch("10.0.0.0/8"),)))
    assert isinstance(error, BatchNotConsumedError)
    assert "no handler has put the event's 1 route changes" in str(error)


def test_a_committed_batch_is_not_released(harness: Harness) -> None:
    harness.started().a.work = put_batches
    batch = MemoryBatch("10.0.0.0/8")
    harness.push(Change(batches=(batch,)))
    assert "10.0.0.0/8" in harness.sink.values
    assert batch.released == 0


def sink_is_down(harness: Harness) -> None:
    harness.a.work = put_batches
    harness.sink.down = ConnectionError("gone")


def no_handler_takes_it(harness: Harness) -> None:
    harness.a.handles = harness.b.handles = harness.c.handles = lambda event: False


def event_is_aborted(harness: Harness) -> None:
    harness.a.work = put_batches
    harness.b.work = raising(AbortEventError("no"))


@pytest.mark.parametrize(
    "arrange",
    [
        sink_is_down,
        no_handler_takes_it,
        event_is_aborted,
    ],
)
def test_a_batch_that_is_not_committed_is_released(
    harness: Harness, arrange: Callable[[Harness], None]
) -> None:
    harness.started()
    arrange(harness)
    batch = MemoryBatch("10.0.0.0/8")
    harness.push(Change(batches=(batch,)))
    assert batch.released >= 1


def test_a_resync_whose_reread_fails_commits_nothing_and_releases(harness: Harness) -> None:
    batch = MemoryBatch("10.0.0.0/8")
    harness.started().a.work = lambda event, txn: txn.put_batch(batch)
    harness.sink.down = ConnectionError("gone")
    assert isinstance(harness.push(FullResync("x", blocking=True)), ConnectionError)
    assert "sink.commit" not in harness.journal
    assert batch.released == 1
