"""The watcher between an engine and an event loop that tests hold."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from bgpreflector.controller import (
    Backoff,
    EventQueueFullError,
    OperationsFailedError,
)
from bgpreflector.reflector import BGPRouteBatchUpdate, KernelRouteWatcher, RouteWatchFailure
from lab import wait_until
from reflector.reflector_support import (
    TIMEOUT,
    EventList,
    HeldEventLoop,
    MemoryEngine,
    SignallingBackoff,
)

if TYPE_CHECKING:
    from bgpreflector.controller import EventLoop, RouteBatch


def start_watcher(
    engine: MemoryEngine, loop: EventLoop, pause: Backoff | None = None
) -> KernelRouteWatcher:
    watcher = KernelRouteWatcher(engine, pause=pause)
    watcher.start(loop.push_event)
    return watcher


def test_a_batch_may_end_while_a_resync_reads() -> None:
    class ReadOnce(KernelRouteWatcher):
        """Its batch is in flight when that is read first, and no longer afterwards."""

        reads = 0
        event: BGPRouteBatchUpdate

        @property
        def _in_flight(self) -> BGPRouteBatchUpdate | None:
            self.reads += 1
            return self.event if self.reads == 1 else None

        @_in_flight.setter
        def _in_flight(self, event: BGPRouteBatchUpdate | None) -> None:
            pass

    engine = MemoryEngine()
    watcher = ReadOnce(engine)
    watcher.event = BGPRouteBatchUpdate(engine.take_batch(1))
    watcher.resync_batch()


def test_an_event_loop_that_takes_no_batch_is_not_asked_without_end() -> None:
    engine, loop, pause = MemoryEngine(), EventList(), SignallingBackoff()
    watcher = start_watcher(engine, loop, pause)
    engine.change({"10.0.0.0/8": "192.0.2.1"})
    assert pause.paused.wait(TIMEOUT)
    assert len(loop.events) == 1
    watcher.close()


def test_a_resync_takes_over_the_batch_that_waits_in_the_queue() -> None:
    engine, loop = MemoryEngine(), HeldEventLoop()
    watcher = start_watcher(engine, loop)
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


def test_after_a_failed_batch_the_watcher_waits_for_a_resync() -> None:
    engine, loop, pause = MemoryEngine(), HeldEventLoop(), SignallingBackoff()
    watcher = start_watcher(engine, loop, pause)
    loop.error = ConnectionError("gone")
    loop.proceed.set()
    engine.change({"10.0.0.0/8": "192.0.2.1"})
    assert pause.paused.wait(TIMEOUT)
    engine.change({"10.0.0.0/8": "192.0.2.2"})
    assert len(loop.events) == 1
    loop.error = None
    loop.reached.clear()
    assert len(watcher.resync_batch()) == 1
    engine.change({"10.1.0.0/16": "192.0.2.1"})
    assert loop.reached.wait(TIMEOUT)
    watcher.close()


def test_a_failure_is_reported_once_there_is_room() -> None:
    """Nothing else would end a daemon that no longer reads the kernel."""
    engine, loop = MemoryEngine(), HeldEventLoop()
    loop.error = EventQueueFullError("full")
    loop.proceed.set()
    watcher = start_watcher(engine, loop)
    engine.fail("no more")
    wait_until(lambda: len(loop.events), TIMEOUT, "it is tried", accept=lambda tries: tries >= 2)
    loop.error = None
    tries = len(loop.events)
    wait_until(lambda: len(loop.events) > tries, TIMEOUT, "it is reported")
    watcher.close()
    assert isinstance(loop.events[-1], RouteWatchFailure)


def test_a_batch_that_a_full_queue_refuses_is_pushed_again() -> None:
    """Without the pauses after a failure, which grow."""
    engine, loop = MemoryEngine(), HeldEventLoop()
    watcher = start_watcher(engine, loop, Backoff(3600.0))
    loop.error = EventQueueFullError("full")
    engine.change({"10.0.0.0/8": "192.0.2.1"})
    assert loop.reached.wait(TIMEOUT)
    loop.reached.clear()
    loop.proceed.set()
    assert loop.reached.wait(TIMEOUT)
    watcher.close()
    assert [len(event.batches[0]) for event in loop.events[:2]] == [1, 1]


def test_an_empty_batch_is_not_pushed() -> None:
    class Woken(MemoryEngine):
        waits = 0

        def wait_dirty(self, timeout: float | None) -> bool:
            self.waits += 1
            return self.waits <= 3

    engine, loop = Woken(), HeldEventLoop()
    loop.proceed.set()
    watcher = start_watcher(engine, loop)
    watcher.close()
    assert engine.waits == 4
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

    engine, loop = Slow(), HeldEventLoop()
    loop.proceed.set()
    watcher = start_watcher(engine, loop)
    assert len(watcher.resync_batch()) == 1
    watcher.close()
    assert not engine.taken_meanwhile


def test_a_batch_that_was_done_is_not_taken_over() -> None:
    engine, loop = MemoryEngine(), HeldEventLoop()
    watcher = start_watcher(engine, loop)
    loop.proceed.set()
    loop.error = OperationsFailedError("one refused")
    engine.change({"10.0.0.0/8": "192.0.2.1"})
    assert loop.reached.wait(TIMEOUT)
    watcher.close()
    watcher.resync_batch()
    assert not loop.events[0].superseded  # type: ignore[attr-defined]


def test_a_failure_while_closing_is_not_reported() -> None:
    engine, loop = MemoryEngine(), EventList()
    watcher = start_watcher(engine, loop)
    engine._failure = "closed"
    watcher.close()
    assert loop.events == []


def test_a_bug_in_the_engine_is_reported_too() -> None:
    class Broken(MemoryEngine):
        def wait_dirty(self, timeout: float | None) -> bool:
            raise ValueError("bug")

    loop = HeldEventLoop()
    loop.proceed.set()
    watcher = start_watcher(Broken(), loop)
    assert loop.reached.wait(TIMEOUT)
    watcher.close()
    assert isinstance(loop.events[0], RouteWatchFailure)
    assert str(loop.events[0].error) == "bug"
