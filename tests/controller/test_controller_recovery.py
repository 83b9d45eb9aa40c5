"""Healing resyncs and retries, by a clock that the test moves."""

from __future__ import annotations

import pytest

from bgpreflector.controller import (
    DownstreamResync,
    Event,
    FatalError,
    FullResync,
    HealingResync,
    HealingResyncType,
    OperationsFailedError,
    ResyncNeededError,
    ResyncOperations,
    TransactionType,
)
from controller.controller_support import TIMEOUT, Bench, Change, Delays, MakeBench

HEALING = "a.resync Healing Resync (After error: no)"
SOUTHBOUND = ["sink.resync", "sink.commit"]
"""It is read again and corrected, and no handler is asked."""

IGNORE = TransactionType.BEST_EFFORT_IGNORE_ERRORS


def fail_updates(event: Event, txn: ResyncOperations) -> None:
    if not event.method.is_resync:
        raise ResyncNeededError("no")


def fail_always(event: Event, txn: ResyncOperations) -> None:
    raise ResyncNeededError("no")


def test_an_error_that_asks_for_it_is_healed_after_five_seconds(bench: Bench) -> None:
    bench.started().a.work = fail_updates
    bench.push(Change())
    assert bench.advance(4.75) == []
    healing = bench.advance(0.25)
    assert healing[0] == "sink.resync"
    assert healing[1] == HEALING
    assert healing[-1] == "sink.commit"
    assert bench.advance(600) == []


def test_many_errors_are_healed_once(bench: Bench) -> None:
    bench.started().a.work = fail_updates
    bench.push(Change())
    bench.clock.advance(2)
    bench.push(Change())
    bench.push(Change())
    assert bench.advance(3).count(HEALING) == 1
    assert bench.advance(600) == []


def test_ignored_errors_are_not_healed(bench: Bench) -> None:
    bench.started().a.work = fail_updates
    bench.push(Change(kind=IGNORE))
    assert bench.advance(600) == []


def test_a_southbound_that_is_down_is_healed(bench: Bench) -> None:
    bench.started().a.work = lambda event, txn: txn.put("k", 1)
    bench.sink.down = ConnectionError("no")
    bench.push(Change())
    bench.sink.down = None
    assert HEALING in bench.advance(5)
    assert bench.sink.values == {"k": 1}


def test_healing_that_fails_is_repeated_at_growing_delays(bench: Bench) -> None:
    bench.started().a.work = fail_always
    bench.push(Change())
    for delay in (5, 10, 20, 40, 60, 60):
        assert bench.advance(delay - 0.25) == []
        assert HEALING in bench.advance(0.25)
    bench.a.work = None
    assert HEALING in bench.advance(60)
    assert bench.advance(600) == []


def test_after_a_successful_healing_the_delay_is_short_again(bench: Bench) -> None:
    bench.started().a.work = fail_updates
    for _ in range(2):
        bench.push(Change())
        assert HEALING in bench.advance(5)


def test_a_full_resync_of_the_operator_replaces_the_healing(bench: Bench) -> None:
    bench.started().a.work = fail_updates
    bench.push(Change())
    bench.push(FullResync("operator", blocking=True))
    assert bench.advance(600) == []


def test_a_failed_startup_resync_is_healed(bench: Bench) -> None:
    bench.sink.down = ConnectionError("no")
    bench.controller.start()
    bench.push(FullResync("startup", blocking=True))
    bench.sink.down = None
    assert HEALING in bench.advance(5)
    assert bench.a.resync_counts == [1, 2]


def refused(bench: Bench, kind: TransactionType = TransactionType.BEST_EFFORT) -> None:
    bench.sink.refuse = {"bad"}
    bench.a.work = lambda event, txn: txn.put("bad", 1)
    assert isinstance(bench.push(Change(kind=kind)), OperationsFailedError)
    bench.a.work = None


def test_failed_operations_are_tried_three_times_then_healed(bench: Bench) -> None:
    refused(bench.started())
    for delay in (1, 2, 4):
        assert bench.advance(delay - 0.25) == []
        assert bench.advance(0.25) == ["sink.retry"]
    assert bench.advance(4.75) == []
    assert bench.advance(0.25) == SOUTHBOUND
    assert [bench.advance(delay) for delay in (1, 2, 4)] == [["sink.retry"]] * 3
    assert bench.advance(600) == []


def test_healing_after_refusals_that_does_not_help_becomes_rare(bench: Bench) -> None:
    """However many are refused meanwhile; and the handlers are left alone."""
    bench.started()
    for delay in (5, 10, 20, 40, 60, 60):
        refused(bench)
        assert [bench.advance(delay) for delay in (1, 2, 4)] == [["sink.retry"]] * 3
        assert bench.advance(delay - 0.25) == []
        assert bench.advance(0.25) == SOUTHBOUND
    bench.sink.refuse.clear()
    bench.push(DownstreamResync("operator", blocking=True))
    refused(bench)
    assert [bench.advance(delay) for delay in (1, 2, 4)] == [["sink.retry"]] * 3
    assert bench.advance(5) == SOUTHBOUND


@pytest.mark.parametrize("error_first", [True, False])
def test_an_error_beside_refusals_is_healed_from_the_sources_on(
    bench: Bench, error_first: bool
) -> None:
    """One resync serves both."""
    bench.started()

    def fail() -> None:
        bench.a.work = fail_updates
        bench.push(Change())
        bench.a.work = None

    refused(bench)
    bench.advance(1 + 2 + (0 if error_first else 4))
    if error_first:
        fail()
        bench.advance(4)
        assert HEALING in bench.advance(1)
    else:
        fail()
        assert HEALING in bench.advance(5)


def test_a_retry_that_succeeds_ends_the_series(bench: Bench) -> None:
    refused(bench.started())
    assert bench.advance(1) == ["sink.retry"]
    bench.sink.refuse.clear()
    assert bench.advance(2) == ["sink.retry"]
    assert bench.sink.values == {"bad": 1}
    assert bench.advance(600) == []


def test_ignored_failures_are_tried_again_but_not_healed(bench: Bench) -> None:
    refused(bench.started(), IGNORE)
    assert [bench.advance(delay) for delay in (1, 2, 4)] == [["sink.retry"]] * 3
    assert bench.advance(600) == []


def test_failures_that_no_retry_can_help_go_straight_to_healing(bench: Bench) -> None:
    bench.started().sink.hopeless = {"bad"}
    bench.a.work = lambda event, txn: txn.put("bad", 1)
    bench.push(Change())
    bench.a.work = None
    assert bench.advance(4.75) == []
    assert bench.advance(0.25) == SOUTHBOUND


def test_operations_that_fail_in_a_healing_resync_do_not_heal_for_ever(bench: Bench) -> None:
    bench.started().sink.refuse = {"bad"}
    bench.a.work = lambda event, txn: txn.put("bad", 1)
    bench.push(Change())
    assert [bench.advance(delay) for delay in (1, 2, 4)] == [["sink.retry"]] * 3
    assert "sink.resync" in bench.advance(5)
    assert [bench.advance(delay) for delay in (1, 2, 4)] == [["sink.retry"]] * 3
    assert bench.advance(600) == []


def test_other_events_proceed_between_retries(bench: Bench) -> None:
    refused(bench.started())
    bench.a.work = lambda event, txn: txn.put("good", 2)
    assert bench.push(Change()) is None
    assert bench.sink.values == {"good": 2}
    assert "sink.retry" not in bench.journal


def test_new_failures_join_the_series_that_is_running(bench: Bench) -> None:
    refused(bench.started())
    bench.clock.advance(0.5)
    refused(bench)
    assert bench.advance(0.5) == ["sink.retry"]
    assert bench.advance(1.75) == []


def test_a_full_resync_replaces_the_retries(bench: Bench) -> None:
    refused(bench.started())
    bench.sink.refuse.clear()
    bench.push(FullResync("operator", blocking=True))
    assert bench.advance(600) == []


def test_a_retry_that_cannot_reach_the_southbound_is_healed(bench: Bench) -> None:
    refused(bench.started())
    bench.sink.down = ConnectionError("no")
    assert bench.advance(1) == ["sink.retry"]
    bench.sink.down = None
    assert HEALING in bench.advance(5)


def test_a_fatal_error_in_a_retry_stops_the_loop(bench: Bench) -> None:
    refused(bench.started())
    bench.sink.down = FatalError("wrong VPP")
    bench.clock.advance(1)
    with pytest.raises(FatalError, match="wrong VPP"):
        bench.controller.wait(TIMEOUT)


def test_retries_can_be_switched_off(make_bench: MakeBench) -> None:
    bench = make_bench(Delays(retry_attempts=0))
    refused(bench.started())
    assert "sink.retry" not in bench.advance(4.75)
    assert bench.advance(0.25) == SOUTHBOUND


def test_periodic_healing_corrects_the_southbound_at_its_interval(
    make_bench: MakeBench,
) -> None:
    bench = make_bench(Delays(periodic_resync=60))
    bench.controller.start()
    bench.clock.advance(120)
    bench.push(FullResync("startup", blocking=True))
    for _ in range(3):
        assert bench.advance(59.75) == []
        assert bench.advance(0.25) == ["sink.resync", "sink.commit"]


def test_updates_do_not_put_off_periodic_healing(make_bench: MakeBench) -> None:
    bench = make_bench(Delays(periodic_resync=60)).started()
    bench.clock.advance(59)
    bench.push(Change())
    assert bench.advance(1) == ["sink.resync", "sink.commit"]


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
