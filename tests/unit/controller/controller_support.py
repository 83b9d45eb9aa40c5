"""A clock, a sink, handlers and events for a controller, all in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bgpreflector.controller import (
    CommitResult,
    Controller,
    Direction,
    Event,
    EventHandler,
    EventMethod,
    FullResync,
    KubeStateData,
    OperationFailure,
    ResyncOperations,
    RouteBatch,
    Transaction,
    TransactionType,
    UpdateEvent,
    UpdateOperations,
)

TIMEOUT = 20.0
"""Seconds until a test that would hang fails instead."""


class ManualClock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self._now = 0.0
        self._lock = threading.Lock()
        self._waiting: dict[int, threading.Condition] = {}
        self.deadlines: list[float | None] = []
        """What the loop waited for, one entry a wait."""

    def monotonic(self) -> float:
        with self._lock:
            return self._now

    def wait_until(self, condition: threading.Condition, deadline: float | None) -> None:
        with self._lock:
            if deadline is not None and deadline <= self._now:
                return
            self._waiting[id(condition)] = condition
            self.deadlines.append(deadline)
        condition.wait()

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._now += seconds
            waiting = list(self._waiting.values())
        for condition in waiting:
            with condition:
                condition.notify_all()


class MemoryBatch:
    """Prefixes with the outcome of the batch."""

    def __init__(self, *prefixes: str) -> None:
        self.prefixes = list(prefixes)
        self.released = 0
        self.is_consumed = False

    def __len__(self) -> int:
        return len(self.prefixes)

    @property
    def adds(self) -> int:
        return len(self.prefixes)

    @property
    def replaces(self) -> int:
        return 0

    @property
    def deletes(self) -> int:
        return 0

    def changes(self, limit: int) -> Iterator[object]:
        return iter(self.prefixes[:limit])

    def release(self) -> None:
        self.released += 1


class MemorySink:
    """A sink that is a dictionary, and can refuse keys or be down."""

    def __init__(self, journal: list[str]) -> None:
        self.journal = journal
        self.values: dict[str, object] = {}
        self.transactions: list[Transaction] = []
        self.refuse: set[str] = set()
        self.refuse_permanently: set[str] = set()
        self.down: Exception | None = None
        self.ignores_batches = False
        self._kept: dict[str, object | None] = {}

    def resync(self) -> None:
        self.journal.append("sink.resync")
        self._check_up()

    def commit(self, txn: Transaction) -> CommitResult:
        self.journal.append("sink.commit")
        self._check_up()
        self.transactions.append(txn)
        if txn.method is EventMethod.DOWNSTREAM_RESYNC:
            return self._apply(dict(self._kept))
        if txn.is_resync:
            self.values.clear()
        result = self._apply(dict(txn.values))
        for batch in txn.batches:
            if self.ignores_batches:
                break
            assert isinstance(batch, MemoryBatch)
            batch.is_consumed = True
            self.values.update(dict.fromkeys(map(str, batch.changes(len(batch))), batch))
        return result

    def retry(self) -> CommitResult:
        self.journal.append("sink.retry")
        self._check_up()
        return self._apply(dict(self._kept))

    def _apply(self, values: dict[str, object | None]) -> CommitResult:
        failures = []
        for key, value in values.items():
            self._kept.pop(key, None)
            if value is not None and key in self.refuse | self.refuse_permanently:
                self._kept[key] = value
                failures.append(
                    OperationFailure(key, "refused", key not in self.refuse_permanently)
                )
            elif value is None:
                self.values.pop(key, None)
            else:
                self.values[key] = value
        return CommitResult(len(values) - len(failures), len(failures), 0, tuple(failures))

    def _check_up(self) -> None:
        if self.down is not None:
            raise self.down


@dataclass(eq=False)
class Change(UpdateEvent):
    """An update with everything adjustable."""

    name: str = "change"
    transaction_type: TransactionType = TransactionType.BEST_EFFORT
    direction: Direction = Direction.FORWARD
    is_blocking: bool = True
    is_wanted: bool = True
    batches: Sequence[RouteBatch] = ()
    finished: list[BaseException | None] = field(default_factory=list)

    def done(self, error: BaseException | None) -> None:
        self.finished.append(error)


Work = Callable[[Event, ResyncOperations], None]


class Recorder:
    """A handler that records its calls; ``work`` is what it does in them."""

    def __init__(self, name: str, journal: list[str], work: Work | None = None) -> None:
        self.name = name
        self.journal = journal
        self.work = work
        self.revert_error: Exception | None = None
        self.handles: Callable[[Event], bool] = lambda event: True
        self.resync_counts: list[int] = []
        self.kube_state: list[KubeStateData] = []

    def handles_event(self, event: Event) -> bool:
        return not isinstance(event, Barrier) and self.handles(event)

    def resync(
        self,
        event: Event,
        kube_state_data: KubeStateData,
        resync_count: int,
        txn: ResyncOperations,
    ) -> None:
        self.journal.append(f"{self.name}.resync {event}")
        self.resync_counts.append(resync_count)
        self.kube_state.append(kube_state_data)
        if self.work is not None:
            self.work(event, txn)

    def update(self, event: UpdateEvent, txn: UpdateOperations) -> str:
        self.journal.append(f"{self.name}.update {event}")
        if self.work is not None:
            self.work(event, txn)
        return "changed"

    def revert(self, event: UpdateEvent) -> None:
        self.journal.append(f"{self.name}.revert {event}")
        if self.revert_error is not None:
            raise self.revert_error


@dataclass(frozen=True)
class Delays:
    """Settings of the controller."""

    healing_delay: float = 5.0
    periodic_resync: float = 0.0
    retry_attempts: int = 3
    retry_delay: float = 1.0


class Harness:
    """A controller with all it needs; ``journal`` has every call in order."""

    def __init__(self, delays: Delays | None = None, queue_size: int = 1000) -> None:
        self.journal: list[str] = []
        self.clock = ManualClock()
        self.sink = MemorySink(self.journal)
        self.a = Recorder("a", self.journal)
        self.b = Recorder("b", self.journal)
        self.c = Recorder("c", self.journal)
        handlers: list[EventHandler] = [self.a, self.b, self.c]
        self.controller = Controller(
            handlers, self.sink, delays or Delays(), queue_size=queue_size, clock=self.clock
        )

    def push(self, event: Event) -> BaseException | None:
        """Push and return the error instead of raising it."""
        try:
            self.controller.push_event(event)
        except Exception as error:  # noqa: BLE001 - the error is what is looked at
            return error
        return None

    def started(self) -> Harness:
        """Start and run the startup resync."""
        self.controller.start()
        self.controller.push_event(FullResync("startup", blocking=True))
        self.journal.clear()
        return self

    def heal(self) -> None:
        """Let nothing fail from here on."""
        for handler in (self.a, self.b, self.c):
            handler.work = handler.revert_error = None
            handler.handles = lambda event: True
        self.sink.down = None
        self.sink.refuse.clear()
        self.sink.refuse_permanently.clear()

    def settle(self) -> None:
        """Return when due timers, and the events they pushed, have been processed."""
        for _ in range(2):
            self.controller.push_event(Barrier())

    def advance(self, seconds: float) -> list[str]:
        """Move the clock and return what was done because of it."""
        self.settle()
        self.journal.clear()
        self.clock.advance(seconds)
        self.settle()
        return list(self.journal)


MakeHarness = Callable[..., Harness]


class Hold:
    """What a handler does: it waits until it is released."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.released = threading.Event()

    def __call__(self, event: Event, txn: ResyncOperations) -> None:
        self.reached.set()
        assert self.released.wait(TIMEOUT)


class Barrier(Change):
    """An update that no handler sees."""

    def __init__(self) -> None:
        super().__init__("barrier")


def raising(error: BaseException) -> Work:
    def work(event: Event, txn: ResyncOperations) -> None:
        raise error

    return work


def putting(**values: object) -> Work:
    def work(event: Event, txn: ResyncOperations) -> None:
        for key, value in values.items():
            txn.put(key, value)

    return work


def put_batches(event: Event, txn: ResyncOperations) -> None:
    for batch in event.batches:
        txn.put_batch(batch)
