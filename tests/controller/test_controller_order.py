"""In which order events and handlers are taken."""

from __future__ import annotations

import threading

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
from controller.controller_support import TIMEOUT, Bench, Change, MakeBench


def test_forward_events_pass_the_handlers_in_order(bench: Bench) -> None:
    bench.started().push(Change())
    assert bench.journal == ["a.update change", "b.update change", "c.update change"]


def test_reverse_events_pass_the_handlers_backwards(bench: Bench) -> None:
    bench.started().push(Change(way=Direction.REVERSE))
    assert bench.journal == ["c.update change", "b.update change", "a.update change"]


def test_handlers_that_do_not_handle_the_event_are_left_out(bench: Bench) -> None:
    bench.started()
    bench.b.handles = lambda event: False
    bench.push(Change())
    assert bench.journal == ["a.update change", "c.update change"]


@pytest.mark.parametrize(
    ("way", "executed"),
    [(Direction.FORWARD, ["a", "b", "c"]), (Direction.REVERSE, ["c", "b", "a"])],
)
def test_revert_goes_opposite_to_the_executed_order(
    bench: Bench, way: Direction, executed: list[str]
) -> None:
    bench.started()

    def fail(event: Event, txn: ResyncOperations) -> None:
        raise ValueError("no")

    {"a": bench.a, "c": bench.c}[executed[-1]].work = fail
    error = bench.push(Change(kind=TransactionType.REVERT_ON_FAILURE, way=way))
    assert str(error) == "no"
    first, second, third = executed
    assert bench.journal == [
        f"{first}.update change",
        f"{second}.update change",
        f"{third}.update change",
        f"{second}.revert change",
        f"{first}.revert change",
    ]


def test_events_before_the_first_full_resync_wait_for_it(bench: Bench) -> None:
    bench.controller.push_event(Change("one", blocking=False))
    bench.controller.push_event(UpstreamResync("too early"))
    bench.controller.push_event(DownstreamResync("too early"))
    bench.controller.push_event(FullResync("startup"))
    bench.controller.push_event(Change("two", blocking=False))
    bench.controller.start()
    bench.settle()
    assert [line for line in bench.journal if line.startswith("a.")] == [
        "a.resync Full Resync (startup)",
        "a.update one",
        "a.resync Upstream Resync (too early)",
        "a.update two",
    ]


def test_follow_ups_go_before_queued_events(bench: Bench) -> None:
    reached, proceed = threading.Event(), threading.Event()

    def push_follow_ups(event: Event, txn: ResyncOperations) -> None:
        if event.name == "first":
            reached.set()
            assert proceed.wait(TIMEOUT)
            bench.controller.push_event(Change("follow-up 1", blocking=False))
            bench.controller.push_event(Change("follow-up 2", blocking=False))

    bench.started().c.work = push_follow_ups
    bench.push(Change("first", blocking=False))
    bench.push(Change("queued", blocking=False))
    assert reached.wait(TIMEOUT)
    proceed.set()
    bench.settle()
    assert [line.split(maxsplit=1)[1] for line in bench.journal if line[0] == "a"] == [
        "first",
        "follow-up 1",
        "follow-up 2",
        "queued",
    ]


def test_a_blocking_follow_up_is_refused_because_it_would_wait_for_itself(bench: Bench) -> None:
    def push_blocking(event: Event, txn: ResyncOperations) -> None:
        bench.controller.push_event(Change("follow-up", blocking=True))

    bench.started().a.work = push_blocking
    error = bench.push(Change())
    assert isinstance(error, RuntimeError)
    assert "wait for itself" in str(error)


def test_a_full_queue_refuses_events_and_says_so(make_bench: MakeBench) -> None:
    small = make_bench(queue_size=1)
    small.controller.push_event(Change("kept", blocking=False))
    with pytest.raises(EventQueueFullError, match="refused: the event queue is full with 1"):
        small.controller.push_event(Change("refused", blocking=False))


class Unwanted(Change):
    """Nobody waits for it any more once that is said."""

    wanted = True

    @property
    def is_wanted(self) -> bool:
        """As it was said last."""
        return self.wanted


def test_events_that_nobody_wants_make_room(make_bench: MakeBench) -> None:
    """The others keep their order, and all get their result."""
    small = make_bench(queue_size=4)
    first, given_up = Unwanted("first", blocking=False), Unwanted("x", blocking=False)
    small.controller.push_event(FullResync("startup"))
    for event in (first, given_up, Change("second", blocking=False)):
        small.controller.push_event(event)
    with pytest.raises(EventQueueFullError):
        small.controller.push_event(Change("refused", blocking=False))
    given_up.wanted = False
    small.controller.push_event(Change("third", blocking=False))
    assert given_up.finished == [None]
    small.controller.start()
    small.controller.close()
    assert [line for line in small.journal if line.startswith("a.update")] == [
        "a.update first",
        "a.update second",
        "a.update third",
        "a.update Shutdown",
    ]


def test_an_event_that_nobody_wants_is_left_out_at_its_turn(bench: Bench) -> None:
    event = Unwanted("x", blocking=False)
    bench.controller.push_event(event)
    event.wanted = False
    bench.started()
    bench.push(Change())
    assert event.finished == [None]
    assert bench.journal == ["a.update change", "b.update change", "c.update change"]


def test_blocking_events_return_when_done(bench: Bench) -> None:
    event = Change()
    bench.started().controller.push_event(event)
    assert event.finished == [None]
    assert bench.journal[0] == "a.update change"


def test_blocking_events_raise_the_error_of_the_handler(bench: Bench) -> None:
    wrong = ValueError("wrong")

    def fail(event: Event, txn: ResyncOperations) -> None:
        raise wrong

    bench.started().b.work = fail
    event = Change()
    assert bench.push(event) is wrong
    assert event.finished == [wrong]


def test_events_that_do_not_block_are_only_queued(bench: Bench) -> None:
    event = Change(blocking=False)
    bench.controller.push_event(event)
    assert event.finished == []


def test_an_update_that_is_no_update_event_is_refused(bench: Bench) -> None:
    class Odd(FullResync):
        method = Change.method

    with pytest.raises(TypeError, match="UpdateEvent"):
        bench.controller.push_event(Odd("odd"))


def test_resyncs_are_counted_from_one(bench: Bench) -> None:
    bench.started()
    bench.push(UpstreamResync("again", blocking=True))
    bench.push(FullResync("again", blocking=True))
    assert bench.a.resync_counts == [1, 2, 3]


def test_kubernetes_state_is_kept_for_later_resyncs(bench: Bench) -> None:
    bench.controller.start()
    state = {"pod": {"one": object()}}
    bench.push(FullResync("startup", blocking=True, kube_state_data=state))
    bench.push(UpstreamResync("again", blocking=True))
    assert bench.a.kube_state == [state, state]


def test_full_resync_rereads_the_southbound_before_the_handlers_run(bench: Bench) -> None:
    bench.started().push(FullResync("x", blocking=True))
    handlers = [f"{name}.resync Full Resync (x)" for name in "abc"]
    assert bench.journal == ["sink.resync", *handlers, "sink.commit"]


def test_upstream_resync_leaves_out_the_reread(bench: Bench) -> None:
    bench.started().push(UpstreamResync("x", blocking=True))
    handlers = [f"{name}.resync Upstream Resync (x)" for name in "abc"]
    assert bench.journal == [*handlers, "sink.commit"]


def test_downstream_resync_leaves_out_the_handlers(bench: Bench) -> None:
    bench.started().push(DownstreamResync("x", blocking=True))
    assert bench.journal == ["sink.resync", "sink.commit"]
    assert bench.sink.transactions[-1].is_resync
    assert bench.sink.transactions[-1].is_empty


def test_an_update_that_changes_nothing_is_not_committed(bench: Bench) -> None:
    bench.started().push(Change())
    assert "sink.commit" not in bench.journal


def test_what_the_handlers_put_arrives_in_one_transaction(bench: Bench) -> None:
    bench.started()
    bench.a.work = lambda event, txn: txn.put("k", 1)
    bench.b.work = lambda event, txn: txn.put("l", txn.get("k"))
    bench.push(Change())
    assert dict(bench.sink.transactions[-1].values) == {"k": 1, "l": 1}
    assert bench.sink.values == {"k": 1, "l": 1}


def test_an_idle_loop_waits_without_a_deadline(bench: Bench) -> None:
    bench.started()
    bench.settle()
    waits = len(bench.clock.deadlines)
    assert set(bench.clock.deadlines) == {None}
    bench.clock.advance(3600)
    bench.settle()
    assert len(bench.clock.deadlines) <= waits + 4


def test_transactions_say_what_they_hold() -> None:
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
