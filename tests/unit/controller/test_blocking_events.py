"""Events whose producer waits for the result."""

from __future__ import annotations

import threading

import pytest

from bgpreflector.controller import Event, FatalError, ResyncOperations
from controller.controller_support import TIMEOUT, Change, Harness, Hold, raising
from lab import wait_until


def test_a_busy_loop_takes_the_event_itself_and_in_order(harness: Harness) -> None:
    harness.started()
    harness.a.work = hold = Hold()
    harness.controller.push_event(Change("first", is_blocking=False))
    assert hold.reached.wait(TIMEOUT)
    second = threading.Thread(target=harness.push, args=(Change("second"),))
    second.start()
    wait_until(lambda: harness.controller.queued == 1, TIMEOUT, "the second event waits")
    hold.released.set()
    second.join(TIMEOUT)
    assert [line for line in harness.journal if line.startswith("a.")] == [
        "a.update first",
        "a.update second",
    ]


def test_a_handler_can_neither_wait_for_itself_nor_close(harness: Harness) -> None:
    harness.started()

    def ask(event: Event, txn: ResyncOperations) -> None:
        with pytest.raises(RuntimeError, match="would wait for itself"):
            harness.controller.push_event(Change())
        with pytest.raises(RuntimeError, match="cannot close the controller"):
            harness.controller.close()

    harness.a.work = ask
    assert harness.push(Change()) is None


class Broken(BaseException):
    """What no handler should raise."""


def test_any_error_of_the_event_loop_is_raised_where_the_result_is_waited_for(
    harness: Harness,
) -> None:
    harness.started().a.work = raising(Broken())
    with pytest.raises(Broken):
        harness.controller.push_event(Change())
    with pytest.raises(FatalError):
        harness.controller.wait(TIMEOUT)
