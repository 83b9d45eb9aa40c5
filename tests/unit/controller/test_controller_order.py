"""In which order events and handlers are taken."""

from __future__ import annotations

import pytest

from bgpreflector.controller import (
    CommitResult,
    Direction,
    DownstreamResync,
    Event,
    EventQueueFullError,
    FullResync,
    ResyncOperations,
    Transaction,
    TransactionType,
    UpstreamResync,
)
from controller.controller_support import (
    TIMEOUT,
    Change,
    Harness,
    Hold,
    MakeHarness,
    putting,
    raising,
)


def test_forward_events_pass_the_handlers_in_order(harness: Harness) -> None:
    harness.started().push(Change())
    assert harness.journal == ["a.update change", "b.update change", "c.update change"]


def test_reverse_events_pass_the_handlers_backwards(harness: Harness) -> None:
    harness.started().push(Change(direction=Direction.REVERSE))
    assert harness.journal == ["c.update change", "b.update change", "a.update change"]


def test_handlers_that_do_not_handle_the_event_are_left_out(harness: Harness) -> None:
    harness.started()
    harness.b.handles = lambda event: False
    harness.push(Change())
    assert harness.journal == ["a.update change", "c.update change"]


@pytest.mark.parametrize(
    ("direction", "executed"),
    [(Direction.FORWARD, ["a", "b", "c"]), (Direction.REVERSE, ["c", "b", "a"])],
)
def test_revert_goes_opposite_to_the_executed_order(
    harness: Harness, direction: Direction, executed: list[str]
) -> None:
    harness.started()
    {"a": harness.a, "c": harness.c}[executed[-1]].work = raising(ValueError("no"))
    revert = TransactionType.REVERT_ON_FAILURE
    error = harness.push(Change(transaction_type=revert, direction=direction))
    assert str(error) == "no"
    first, second, third = executed
    assert harness.journal == [
        f"{first}.update change",
        f"{second}.update change",
        f"{third}.update change",
        f"{second}.revert change",
        f"{first}.revert change",
    ]


def test_events_before_the_first_full_resync_wait_for_it(harness: Harness) -> None:
    harness.controller.push_event(Change("one", is_blocking=False))
    harness.controller.push_event(UpstreamResync("too early"))
    harness.controller.push_event(DownstreamResync("too early"))
    harness.controller.push_event(FullResync("startup"))
    harness.controller.push_event(Change("two", is_blocking=False))
    harness.controller.start()
    harness.settle()
    assert [line for line in harness.journal if line.startswith("a.")] == [
        "a.resync Full Resync (startup)",
        "a.update one",
        "a.resync Upstream Resync (too early)",
        "a.update two",
    ]


def test_follow_ups_go_before_queued_events(harness: Harness) -> None:
    hold = Hold()

    def push_follow_ups(event: Event, txn: ResyncOperations) -> None:
        if event.name == "first":
            hold(event, txn)
            harness.controller.push_event(Change("follow-up 1", is_blocking=False))
            harness.controller.push_event(Change("follow-up 2", is_blocking=False))

    harness.started().c.work = push_follow_ups
    harness.push(Change("first", is_blocking=False))
    harness.push(Change("queued", is_blocking=False))
    assert hold.reached.wait(TIMEOUT)
    hold.released.set()
    harness.settle()
    assert [line.split(maxsplit=1)[1] for line in harness.journal if line[0] == "a"] == [
        "first",
        "follow-up 1",
        "follow-up 2",
        "queued",
    ]


def test_a_full_queue_refuses_events_and_says_so(make_harness: MakeHarness) -> None:
    small = make_harness(queue_size=1)
    small.controller.push_event(Change("kept", is_blocking=False))
    with pytest.raises(EventQueueFullError, match="refused: the event queue is full with 1"):
        small.controller.push_event(Change("refused", is_blocking=False))


def test_unwanted_events_make_room(make_harness: MakeHarness) -> None:
    """The others keep their order, and all get their result."""
    small = make_harness(queue_size=4)
    first, given_up = Change("first", is_blocking=False), Change("x", is_blocking=False)
    small.controller.push_event(FullResync("startup"))
    for event in (first, given_up, Change("second", is_blocking=False)):
        small.controller.push_event(event)
    with pytest.raises(EventQueueFullError):
        small.controller.push_event(Change("refused", is_blocking=False))
    given_up.is_wanted = False
    small.controller.push_event(Change("third", is_blocking=False))
    assert given_up.finished == [None]
    small.controller.start()
    small.controller.close()
    assert [line for line in small.journal if line.startswith("a.update")] == [
        "a.update first",
        "a.update second",
        "a.update third",
        "a.update Shutdown",
    ]


def test_an_unwanted_event_is_dropped_at_its_turn(harness: Harness) -> None:
    event = Change("x", is_blocking=False)
    harness.controller.push_event(event)
    event.is_wanted = False
    harness.started()
    harness.push(Change())
    assert event.finished == [None]
    assert harness.journal == ["a.update change", "b.update change", "c.update change"]


def test_blocking_events_return_when_done(harness: Harness) -> None:
    event = Change()
    harness.started().controller.push_event(event)
    assert event.finished == [None]
    assert harness.journal[0] == "a.update change"


def test_blocking_events_raise_the_error_of_the_handler(harness: Harness) -> None:
    wrong = ValueError("wrong")
    harness.started().b.work = raising(wrong)
    event = Change()
    assert harness.push(event) is wrong
    assert event.finished == [wrong]


def test_events_that_do_not_block_are_only_queued(harness: Harness) -> None:
    event = Change(is_blocking=False)
    harness.controller.push_event(event)
    assert event.finished == []


def test_an_update_that_is_no_update_event_is_refused(harness: Harness) -> None:
    class NoUpdateEvent(FullResync):
        method = Change.method

    with pytest.raises(TypeError, match="UpdateEvent"):
        harness.controller.push_event(NoUpdateEvent("x"))


def test_resyncs_are_counted_from_one(harness: Harness) -> None:
    harness.started()
    harness.push(UpstreamResync("again", blocking=True))
    harness.push(FullResync("again", blocking=True))
    assert harness.a.resync_counts == [1, 2, 3]


def test_kubernetes_state_is_kept_for_later_resyncs(harness: Harness) -> None:
    harness.controller.start()
    state = {"pod": {"one": object()}}
    harness.push(FullResync("startup", blocking=True, kube_state_data=state))
    harness.push(UpstreamResync("again", blocking=True))
    assert harness.a.kube_state == [state, state]


def test_full_resync_rereads_the_southbound_before_the_handlers_run(harness: Harness) -> None:
    harness.started().push(FullResync("x", blocking=True))
    handlers = [f"{name}.resync Full Resync (x)" for name in "abc"]
    assert harness.journal == ["sink.resync", *handlers, "sink.commit"]


def test_upstream_resync_leaves_out_the_reread(harness: Harness) -> None:
    harness.started().push(UpstreamResync("x", blocking=True))
    handlers = [f"{name}.resync Upstream Resync (x)" for name in "abc"]
    assert harness.journal == [*handlers, "sink.commit"]


def test_downstream_resync_leaves_out_the_handlers(harness: Harness) -> None:
    harness.started().push(DownstreamResync("x", blocking=True))
    assert harness.journal == ["sink.resync", "sink.commit"]
    assert harness.sink.transactions[-1].is_resync
    assert harness.sink.transactions[-1].is_empty


def test_an_update_that_changes_nothing_is_not_committed(harness: Harness) -> None:
    harness.started().push(Change())
    assert "sink.commit" not in harness.journal


def test_what_the_handlers_put_arrives_in_one_transaction(harness: Harness) -> None:
    harness.started()
    harness.a.work = putting(k=1)
    harness.b.work = lambda event, txn: txn.put("l", txn.get("k"))
    harness.push(Change())
    assert dict(harness.sink.transactions[-1].values) == {"k": 1, "l": 1}
    assert harness.sink.values == {"k": 1, "l": 1}


def test_an_idle_loop_waits_without_a_deadline(harness: Harness) -> None:
    harness.started()
    harness.settle()
    waits = len(harness.clock.deadlines)
    assert set(harness.clock.deadlines) == {None}
    harness.clock.advance(3600)
    harness.settle()
    assert len(harness.clock.deadlines) <= waits + 4


def test_a_transaction_has_what_is_put_and_deleted() -> None:
    txn = Transaction(Change().method)
    txn.put("k", 1)
    txn.put("l", 2)
    txn.delete("l")
    assert (list(txn.puts()), list(txn.deletes())) == ([("k", 1)], ["l"])
    assert (txn.get("k"), txn.get("l"), txn.get("m")) == (1, None, None)
    with pytest.raises(ValueError, match="use delete"):
        txn.put("k", None)


def test_a_resync_transaction_refuses_deletes() -> None:
    txn = Transaction(FullResync("x").method)
    with pytest.raises(ValueError, match="leave the key out"):
        txn.delete("k")


def test_a_commit_result_reads_as_a_sentence() -> None:
    assert str(CommitResult(2, 0, 1)) == "2 changes applied, 0 refused, 1 held"
