"""Healing resyncs and retries, by a clock that the test moves."""

from __future__ import annotations

import pytest

from bgpreflector.controller import (
    CommitResult,
    DownstreamResync,
    Event,
    EventMethod,
    FatalError,
    FullResync,
    HealingResync,
    HealingResyncType,
    OperationsFailedError,
    ResyncNeededError,
    ResyncOperations,
    Transaction,
    TransactionType,
)
from controller.controller_support import (
    TIMEOUT,
    Change,
    Delays,
    Harness,
    MakeHarness,
    putting,
    raising,
)

HEALING = "a.resync Healing Resync (After error: no)"
SOUTHBOUND = ["sink.resync", "sink.commit"]
"""The sink alone is resynchronised; no handler is called."""

IGNORE = TransactionType.BEST_EFFORT_IGNORE_ERRORS


def fail_updates(event: Event, txn: ResyncOperations) -> None:
    if not event.method.is_resync:
        raise ResyncNeededError("no")


def test_an_error_that_asks_for_it_is_healed_after_five_seconds(harness: Harness) -> None:
    harness.started().a.work = fail_updates
    harness.push(Change())
    assert harness.advance(4.75) == []
    healing = harness.advance(0.25)
    assert healing[0] == "sink.resync"
    assert healing[1] == HEALING
    assert healing[-1] == "sink.commit"
    assert harness.advance(600) == []


def test_many_errors_are_healed_once(harness: Harness) -> None:
    harness.started().a.work = fail_updates
    harness.push(Change())
    harness.clock.advance(2)
    harness.push(Change())
    harness.push(Change())
    assert harness.advance(3).count(HEALING) == 1
    assert harness.advance(600) == []


def test_ignored_errors_are_not_healed(harness: Harness) -> None:
    harness.started().a.work = fail_updates
    harness.push(Change(transaction_type=IGNORE))
    assert harness.advance(600) == []


def test_a_southbound_that_is_down_is_healed(harness: Harness) -> None:
    harness.started().a.work = putting(k=1)
    harness.sink.down = ConnectionError("no")
    harness.push(Change())
    harness.sink.down = None
    assert HEALING in harness.advance(5)
    assert harness.sink.values == {"k": 1}


def test_healing_that_fails_is_repeated_at_growing_delays(harness: Harness) -> None:
    harness.started().a.work = raising(ResyncNeededError("no"))
    harness.push(Change())
    for delay in (5, 10, 20, 40, 60, 60):
        assert harness.advance(delay - 0.25) == []
        assert HEALING in harness.advance(0.25)
    harness.a.work = None
    assert HEALING in harness.advance(60)
    assert harness.advance(600) == []


def test_after_a_successful_healing_the_delay_is_short_again(harness: Harness) -> None:
    harness.started().a.work = fail_updates
    for _ in range(2):
        harness.push(Change())
        assert HEALING in harness.advance(5)


def test_a_full_resync_of_the_operator_replaces_the_healing(harness: Harness) -> None:
    harness.started().a.work = fail_updates
    harness.push(Change())
    harness.push(FullResync("operator", blocking=True))
    assert harness.advance(600) == []


def test_a_failed_startup_resync_is_healed(harness: Harness) -> None:
    harness.sink.down = ConnectionError("no")
    harness.controller.start()
    harness.push(FullResync("startup", blocking=True))
    harness.sink.down = None
    assert HEALING in harness.advance(5)
    assert harness.a.resync_counts == [1, 2]


def push_refused(
    harness: Harness, transaction_type: TransactionType = TransactionType.BEST_EFFORT
) -> None:
    """Pushes an update that the sink refuses."""
    harness.sink.refuse = {"bad"}
    harness.a.work = putting(bad=1)
    error = harness.push(Change(transaction_type=transaction_type))
    assert isinstance(error, OperationsFailedError)
    harness.a.work = None


def expect_retries(harness: Harness) -> None:
    """Moves the clock to each of the three retries."""
    assert [harness.advance(delay) for delay in (1, 2, 4)] == [["sink.retry"]] * 3


def test_failed_operations_are_tried_three_times_then_healed(harness: Harness) -> None:
    push_refused(harness.started())
    for delay in (1, 2, 4):
        assert harness.advance(delay - 0.25) == []
        assert harness.advance(0.25) == ["sink.retry"]
    assert harness.advance(4.75) == []
    assert harness.advance(0.25) == SOUTHBOUND
    expect_retries(harness)
    assert harness.advance(600) == []


def test_healing_after_refusals_that_does_not_help_becomes_rare(harness: Harness) -> None:
    """However many are refused meanwhile; and the handlers are left alone."""
    harness.started()
    for delay in (5, 10, 20, 40, 60, 60):
        push_refused(harness)
        expect_retries(harness)
        assert harness.advance(delay - 0.25) == []
        assert harness.advance(0.25) == SOUTHBOUND
    harness.sink.refuse.clear()
    harness.push(DownstreamResync("operator", blocking=True))
    push_refused(harness)
    expect_retries(harness)
    assert harness.advance(5) == SOUTHBOUND


def test_refusals_of_what_a_healing_found_lengthen_the_pause_too(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the route watcher does while the event loop still reads VPP."""
    commit = harness.sink.commit

    def overtaken(txn: Transaction) -> CommitResult:
        if txn.method is not EventMethod.DOWNSTREAM_RESYNC:
            return commit(txn)
        harness.journal.append("sink.commit")
        harness.a.work = putting(bad=1)
        harness.push(Change(is_blocking=False))
        return CommitResult()

    push_refused(harness.started())
    monkeypatch.setattr(harness.sink, "commit", overtaken)
    for delay in (5, 10, 20):
        expect_retries(harness)
        assert harness.advance(delay - 0.25) == []
        assert harness.advance(0.25)[: len(SOUTHBOUND)] == SOUTHBOUND
        expect_retries(harness)
        assert harness.advance(600) == []
        push_refused(harness)


@pytest.mark.parametrize("error_first", [True, False])
def test_an_error_beside_refusals_is_healed_from_the_sources_on(
    harness: Harness, error_first: bool
) -> None:
    """One resync serves both."""
    harness.started()

    def fail() -> None:
        harness.a.work = fail_updates
        harness.push(Change())
        harness.a.work = None

    push_refused(harness)
    harness.advance(1 + 2 + (0 if error_first else 4))
    if error_first:
        fail()
        harness.advance(4)
        assert HEALING in harness.advance(1)
    else:
        fail()
        assert HEALING in harness.advance(5)


def test_a_retry_that_succeeds_ends_the_series(harness: Harness) -> None:
    push_refused(harness.started())
    assert harness.advance(1) == ["sink.retry"]
    harness.sink.refuse.clear()
    assert harness.advance(2) == ["sink.retry"]
    assert harness.sink.values == {"bad": 1}
    assert harness.advance(600) == []


def test_ignored_failures_are_tried_again_but_not_healed(harness: Harness) -> None:
    push_refused(harness.started(), IGNORE)
    expect_retries(harness)
    assert harness.advance(600) == []


def test_permanent_failures_are_healed_without_a_retry(harness: Harness) -> None:
    harness.started().sink.refuse_permanently = {"bad"}
    harness.a.work = putting(bad=1)
    harness.push(Change())
    harness.a.work = None
    assert harness.advance(4.75) == []
    assert harness.advance(0.25) == SOUTHBOUND


def test_other_events_proceed_between_retries(harness: Harness) -> None:
    push_refused(harness.started())
    harness.a.work = putting(good=2)
    assert harness.push(Change()) is None
    assert harness.sink.values == {"good": 2}
    assert "sink.retry" not in harness.journal


def test_new_failures_join_the_series_that_is_running(harness: Harness) -> None:
    push_refused(harness.started())
    harness.clock.advance(0.5)
    push_refused(harness)
    assert harness.advance(0.5) == ["sink.retry"]
    assert harness.advance(1.75) == []


def test_a_full_resync_replaces_the_retries(harness: Harness) -> None:
    push_refused(harness.started())
    harness.sink.refuse.clear()
    harness.push(FullResync("operator", blocking=True))
    assert harness.advance(600) == []


def test_a_retry_that_cannot_reach_the_southbound_is_healed(harness: Harness) -> None:
    push_refused(harness.started())
    harness.sink.down = ConnectionError("no")
    assert harness.advance(1) == ["sink.retry"]
    harness.sink.down = None
    assert HEALING in harness.advance(5)


def test_a_fatal_error_in_a_retry_stops_the_loop(harness: Harness) -> None:
    push_refused(harness.started())
    harness.sink.down = FatalError("wrong VPP")
    harness.clock.advance(1)
    with pytest.raises(FatalError, match="wrong VPP"):
        harness.controller.wait(TIMEOUT)


def test_retries_can_be_switched_off(make_harness: MakeHarness) -> None:
    harness = make_harness(Delays(retry_attempts=0))
    push_refused(harness.started())
    assert "sink.retry" not in harness.advance(4.75)
    assert harness.advance(0.25) == SOUTHBOUND


def test_periodic_healing_corrects_the_southbound_at_its_interval(
    make_harness: MakeHarness,
) -> None:
    harness = make_harness(Delays(periodic_resync=60))
    harness.controller.start()
    harness.clock.advance(120)
    harness.push(FullResync("startup", blocking=True))
    for _ in range(3):
        assert harness.advance(59.75) == []
        assert harness.advance(0.25) == SOUTHBOUND


def test_updates_do_not_put_off_periodic_healing(make_harness: MakeHarness) -> None:
    harness = make_harness(Delays(periodic_resync=60)).started()
    harness.clock.advance(59)
    harness.push(Change())
    assert harness.advance(1) == SOUTHBOUND


def test_healing_events_describe_themselves() -> None:
    after = HealingResync(HealingResyncType.AFTER_ERROR, ValueError("no"))
    refusals = HealingResync(HealingResyncType.AFTER_REFUSALS, ValueError("no"))
    periodic = HealingResync(HealingResyncType.PERIODIC)
    assert (str(after), str(after.method)) == ("Healing Resync (After error: no)", "FullResync")
    assert (str(refusals), str(refusals.method)) == (
        "Healing Resync (After refusals: no)",
        "DownstreamResync",
    )
    assert (str(periodic), str(periodic.method)) == (
        "Healing Resync (Periodic)",
        "DownstreamResync",
    )
