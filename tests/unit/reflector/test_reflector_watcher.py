"""From a kernel to a southbound through the watcher, the reflector and the controller."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from bgpreflector.controller import (
    AbortEventError,
    Backoff,
    BatchNotTakenError,
    EventQueueFullError,
    FatalError,
    FullResync,
    Observer,
    OperationsFailedError,
)
from bgpreflector.errors import KernelError
from bgpreflector.reflector import BGPRouteBatchUpdate, KernelRouteWatcher, RouteWatchFailure
from lab import wait_until
from reflector.reflector_support import TIMEOUT, ListedEvents, MemoryEngine, Reflection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bgpreflector.controller import Event, EventHandler, RouteBatch, Transaction
    from reflector.reflector_support import MakeReflection


@pytest.fixture
def make() -> Iterator[MakeReflection]:
    made: list[Reflection] = []

    def make(*handlers: EventHandler, **settings: object) -> Reflection:
        made.append(Reflection.make(*handlers, **settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for reflection in made:
        reflection.close()


def table(count: int, gateway: str) -> dict[str, str | None]:
    return {f"10.{i >> 8}.{i & 255}.0/24": gateway for i in range(count)}


def test_a_full_table_is_one_batch_of_the_startup_resync(
    make: MakeReflection,
) -> None:
    reflection = make(batch_limit=10)
    reflection.engine.kernel = {p: g for p, g in table(1000, "192.0.2.1").items() if g}
    reflection.start()
    assert reflection.engine.installed == reflection.engine.kernel
    assert reflection.engine.sizes == [1000]
    assert reflection.engine.calls == ["start", "resync"]


def test_changes_follow(make: MakeReflection) -> None:
    reflection = make()
    reflection.start()
    reflection.engine.change(table(300, "192.0.2.1"))
    reflection.southbound.wait_for_kernel()
    reflection.engine.change(table(200, "192.0.2.2"))
    reflection.southbound.wait_for_kernel()
    reflection.engine.change(dict.fromkeys(table(100, ""), None))
    reflection.southbound.wait_for_kernel()
    assert len(reflection.engine.installed) == 200


def test_many_changes_come_in_bounded_batches(make: MakeReflection) -> None:
    reflection = make(batch_limit=100)
    reflection.start()
    reflection.engine.change(table(250, "192.0.2.1"))
    reflection.southbound.wait_for_kernel()
    assert reflection.engine.sizes == [100, 100, 50]


def test_what_changes_while_a_batch_is_away_is_one_batch_more(
    make: MakeReflection,
) -> None:
    reflection = make()
    reflection.start()
    with reflection.southbound._changed:
        before = reflection.southbound.attempts
        reflection.engine.change({"10.0.0.0/8": "192.0.2.1"})
        for i in range(100):
            reflection.engine.change({"10.0.0.0/8": f"192.0.2.{i + 2}"})
    reflection.southbound.wait_for_kernel()
    assert reflection.southbound.attempts <= before + 2


def test_a_resync_finds_what_no_notification_told(make: MakeReflection) -> None:
    reflection = make()
    reflection.start()
    reflection.engine.change({"10.0.0.0/8": "192.0.2.1", "10.1.0.0/16": "192.0.2.1"})
    reflection.southbound.wait_for_kernel()
    del reflection.engine.kernel["10.1.0.0/16"]
    reflection.controller.push_event(FullResync("operator", blocking=True))
    assert reflection.engine.installed == {"10.0.0.0/8": "192.0.2.1"}


def test_a_failed_batch_is_given_back_and_healed(make: MakeReflection) -> None:
    reflection = make(pause=Backoff(3600))
    reflection.start()
    reflection.southbound.down = ConnectionError("gone")
    reflection.engine.change({"10.0.0.0/8": "192.0.2.1"})
    reflection.southbound.wait_for(lambda: reflection.southbound.attempts > 1)
    reflection.southbound.down = None
    reflection.southbound.wait_for_kernel()
    reflection.engine.change({"10.0.0.0/8": "192.0.2.2"})
    reflection.southbound.wait_for_kernel()


def test_without_a_resync_the_watcher_tries_again_after_its_pause(
    make: MakeReflection,
) -> None:
    reflection = make(healing_delay=3600, pause=Backoff(0.001))
    reflection.start()
    reflection.southbound.down = ConnectionError("gone")
    reflection.engine.change({"10.0.0.0/8": "192.0.2.1"})
    reflection.southbound.wait_for(lambda: reflection.southbound.attempts > 3)
    reflection.southbound.down = None
    reflection.southbound.wait_for_kernel()


def test_refused_routes_do_not_hold_up_the_others(make: MakeReflection) -> None:
    reflection = make(healing_delay=3600, pause=Backoff(3600))
    reflection.start()
    reflection.southbound.refuse = {"10.0.0.0/8"}
    reflection.engine.change({"10.0.0.0/8": "192.0.2.1"})
    reflection.southbound.wait_for(lambda: reflection.southbound.attempts == 2)
    reflection.engine.change({"10.1.0.0/16": "192.0.2.1"})
    reflection.southbound.wait_for(lambda: "10.1.0.0/16" in reflection.engine.installed)


def test_an_engine_that_dies_ends_the_loop_with_its_reason(
    make: MakeReflection,
) -> None:
    reflection = make()
    reflection.start()
    reflection.engine.fail("netlink socket: connection reset")
    with pytest.raises(FatalError, match="netlink socket: connection reset") as caught:
        reflection.controller.wait(TIMEOUT)
    assert isinstance(caught.value.original, KernelError)


def test_a_dump_that_fails_is_fatal(make: MakeReflection) -> None:
    reflection = make()
    reflection.engine.resync_error = KernelError("the dump was refused")
    with pytest.raises(FatalError, match="the dump was refused"):
        reflection.start()


def test_a_dump_that_fails_later_is_repeated(make: MakeReflection) -> None:
    reflection = make(healing_delay=0.0)
    reflection.start()
    reflection.engine.resync_error = KernelError("no buffer space")
    with pytest.raises(AbortEventError, match="no buffer space"):
        reflection.controller.push_event(FullResync("operator", blocking=True))
    reflection.engine.resync_error = None
    reflection.engine.change({"10.0.0.0/8": "192.0.2.1"})
    reflection.southbound.wait_for_kernel()
    assert not reflection.controller.ended


def test_a_batch_that_is_done_while_a_resync_looks() -> None:
    class Fleeting(KernelRouteWatcher):
        """Its batch is in flight at the first look, and no more at the second."""

        looks = 0
        event: BGPRouteBatchUpdate

        @property
        def _in_flight(self) -> BGPRouteBatchUpdate | None:
            self.looks += 1
            return self.event if self.looks == 1 else None

        @_in_flight.setter
        def _in_flight(self, event: BGPRouteBatchUpdate | None) -> None:
            pass

    engine = MemoryEngine()
    watcher = Fleeting(engine)
    watcher.event = BGPRouteBatchUpdate(engine.take_batch(1))
    watcher.resync_batch()


def test_closing_ends_the_thread_and_twice_is_fine(make: MakeReflection) -> None:
    reflection = make()
    reflection.start()
    reflection.plugin.close()
    reflection.plugin.close()
    assert "route-watcher" not in [thread.name for thread in threading.enumerate()]
    assert reflection.engine.calls[-1] == "close"
    reflection.controller.push_event(FullResync("still there"))


def test_a_pausing_watcher_can_be_closed(make: MakeReflection) -> None:
    reflection = make(healing_delay=3600, pause=Backoff(3600))
    reflection.start()
    reflection.southbound.down = ConnectionError("gone")
    reflection.engine.change({"10.0.0.0/8": "192.0.2.1"})
    reflection.southbound.wait_for(lambda: reflection.southbound.attempts == 2)
    reflection.plugin.close()
    assert "route-watcher" not in [thread.name for thread in threading.enumerate()]


def ignore(txn: Transaction) -> None:
    pass


def release(txn: Transaction) -> None:
    for batch in txn.batches:
        assert len(list(batch.changes(1))) == 1
        batch.release()


@pytest.mark.parametrize("looks_away", [ignore, release])
def test_a_southbound_that_takes_no_batch_is_not_asked_without_end(
    make: MakeReflection,
    caplog: pytest.LogCaptureFixture,
    looks_away: Callable[[Transaction], None],
) -> None:
    pause = NotedBackoff()
    reflection = make(healing_delay=0.0, pause=pause)
    reflection.southbound.looks_away = looks_away
    reflection.engine.kernel = {"10.0.0.0/8": "192.0.2.1", "10.1.0.0/16": "192.0.2.1"}
    with pytest.raises(BatchNotTakenError, match=r"MemorySouthbound .* 2 route changes"):
        reflection.start()
    assert pause.paused.wait(TIMEOUT)
    # That of the resync, and the watcher's, which is what the pause is after.
    assert reflection.southbound.attempts == 2
    said = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.name for record in said] == ["bgpreflector.controller.dispatcher"]
    reflection.southbound.looks_away = None
    reflection.controller.push_event(FullResync("operator", blocking=True))
    reflection.southbound.wait_for_kernel()


def test_a_handler_that_fails_does_not_hold_the_routes_up(make: MakeReflection) -> None:
    class Failing(Observer):
        def handles_event(self, event: Event) -> bool:
            return isinstance(event, BGPRouteBatchUpdate)

        def observe(self, event: Event) -> str:
            raise ValueError("no")

    reflection = make(Failing(), healing_delay=0.0, pause=Backoff(3600))
    reflection.start()
    for gateway in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
        reflection.engine.change({"10.0.0.0/8": gateway})
        reflection.southbound.wait_for_kernel()
    assert reflection.controller.handler_errors["Failing"] >= 2
    assert reflection.engine.calls == ["start", "resync"]


def test_an_event_loop_that_takes_no_batch_is_not_asked_without_end() -> None:
    engine, loop, pause = MemoryEngine(), ListedEvents(), NotedBackoff()
    watcher = KernelRouteWatcher(engine, pause=pause)
    watcher.start(loop.push_event)
    engine.change({"10.0.0.0/8": "192.0.2.1"})
    assert pause.paused.wait(TIMEOUT)
    assert len(loop.events) == 1
    watcher.close()


class HeldLoop:
    """An event loop that holds the first event until released, then takes the others."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.proceed = threading.Event()
        self.events: list[Event] = []
        self.error: Exception | None = None

    def push_event(self, event: Event) -> None:
        self.events.append(event)
        self.reached.set()
        assert self.proceed.wait(TIMEOUT)
        if self.error is not None:
            raise self.error


def test_a_resync_takes_over_the_batch_that_waits_in_the_queue() -> None:
    engine, loop = MemoryEngine(), HeldLoop()
    watcher = KernelRouteWatcher(engine)
    watcher.start(loop.push_event)
    engine.change({"10.0.0.0/8": "192.0.2.1"})
    assert loop.reached.wait(TIMEOUT)
    engine.change({"10.1.0.0/16": "192.0.2.1"})
    batch = watcher.resync_batch()
    changes = [("10.0.0.0/8", "192.0.2.1"), ("10.1.0.0/16", "192.0.2.1")]
    assert sorted(map(str, batch.changes(9))) == sorted(map(str, changes))
    assert loop.events[0].superseded  # type: ignore[attr-defined]
    loop.proceed.set()
    watcher.close()
    assert len(loop.events) == 1


class NotedBackoff(Backoff):
    """Says when a pause begins."""

    def __init__(self) -> None:
        super().__init__(3600)
        self.paused = threading.Event()

    def next_delay(self) -> float | None:
        self.paused.set()
        return super().next_delay()


def test_after_a_failed_batch_the_watcher_waits_for_a_resync() -> None:
    engine, loop, backoff = MemoryEngine(), HeldLoop(), NotedBackoff()
    watcher = KernelRouteWatcher(engine, pause=backoff)
    watcher.start(loop.push_event)
    loop.error = ConnectionError("gone")
    loop.proceed.set()
    engine.change({"10.0.0.0/8": "192.0.2.1"})
    assert backoff.paused.wait(TIMEOUT)
    engine.change({"10.0.0.0/8": "192.0.2.2"})
    assert len(loop.events) == 1
    loop.error = None
    loop.reached.clear()
    assert len(watcher.resync_batch()) == 1
    engine.change({"10.1.0.0/16": "192.0.2.1"})
    assert loop.reached.wait(TIMEOUT)
    watcher.close()


def test_a_failure_is_reported_once_there_is_room() -> None:
    """Nobody else would end what can see the kernel no more."""
    engine, loop = MemoryEngine(), HeldLoop()
    loop.error = EventQueueFullError("full")
    loop.proceed.set()
    watcher = KernelRouteWatcher(engine)
    watcher.start(loop.push_event)
    engine.fail("no more")
    wait_until(lambda: len(loop.events), TIMEOUT, "it is tried", accept=lambda tries: tries >= 2)
    loop.error = None
    tries = len(loop.events)
    wait_until(lambda: len(loop.events) > tries, TIMEOUT, "it is reported")
    watcher.close()
    assert isinstance(loop.events[-1], RouteWatchFailure)


def test_a_batch_that_a_full_queue_refuses_is_pushed_again() -> None:
    """Without the pauses after a failure, which grow."""
    engine, loop = MemoryEngine(), HeldLoop()
    watcher = KernelRouteWatcher(engine, pause=Backoff(3600.0))
    watcher.start(loop.push_event)
    loop.error = EventQueueFullError("full")
    engine.change({"10.0.0.0/8": "192.0.2.1"})
    assert loop.reached.wait(TIMEOUT)
    loop.reached.clear()
    loop.proceed.set()
    assert loop.reached.wait(TIMEOUT)
    watcher.close()
    assert [len(event.batches[0]) for event in loop.events[:2]] == [1, 1]


def test_nothing_is_pushed_where_nothing_is_left_to_take() -> None:
    class Eager(MemoryEngine):
        looks = 0

        def wait_dirty(self, timeout: float | None) -> bool:
            self.looks += 1
            return self.looks <= 3

    engine, loop = Eager(), HeldLoop()
    loop.proceed.set()
    watcher = KernelRouteWatcher(engine)
    watcher.start(loop.push_event)
    watcher.close()
    assert engine.looks == 4
    assert loop.events == []


def test_no_batch_is_taken_while_a_resync_reads() -> None:
    class Slow(MemoryEngine):
        def __init__(self) -> None:
            super().__init__()
            self.woken = threading.Event()
            self.taken = threading.Event()
            self.taken_meanwhile = False

        def wait_dirty(self, timeout: float | None) -> bool:
            dirty = super().wait_dirty(timeout)
            self.woken.set()
            return dirty

        def take_batch(self, limit: int) -> RouteBatch:
            self.taken.set()
            return super().take_batch(limit)

        def resync(self) -> None:
            self.change({"10.0.0.0/8": "192.0.2.1"})
            assert self.woken.wait(TIMEOUT)
            self.taken_meanwhile = self.taken.wait(0.2)

    engine, loop = Slow(), HeldLoop()
    loop.proceed.set()
    watcher = KernelRouteWatcher(engine)
    watcher.start(loop.push_event)
    assert len(watcher.resync_batch()) == 1
    watcher.close()
    assert not engine.taken_meanwhile


def test_a_batch_that_was_done_is_not_taken_over() -> None:
    engine, loop = MemoryEngine(), HeldLoop()
    watcher = KernelRouteWatcher(engine)
    watcher.start(loop.push_event)
    loop.proceed.set()
    loop.error = OperationsFailedError("one refused")
    engine.change({"10.0.0.0/8": "192.0.2.1"})
    assert loop.reached.wait(TIMEOUT)
    watcher.close()
    watcher.resync_batch()
    assert not loop.events[0].superseded  # type: ignore[attr-defined]


def test_a_failure_while_closing_is_nobodys_business() -> None:
    engine, loop = MemoryEngine(), ListedEvents()
    watcher = KernelRouteWatcher(engine)
    watcher.start(loop.push_event)
    engine._failure = "closed under our feet"
    watcher.close()
    assert loop.events == []


def test_a_bug_in_the_engine_is_reported_too() -> None:
    class Broken(MemoryEngine):
        def wait_dirty(self, timeout: float | None) -> bool:
            raise ValueError("bug")

    loop = HeldLoop()
    loop.proceed.set()
    watcher = KernelRouteWatcher(Broken())
    watcher.start(loop.push_event)
    assert loop.reached.wait(TIMEOUT)
    watcher.close()
    assert isinstance(loop.events[0], RouteWatchFailure)
    assert str(loop.events[0].error) == "bug"
