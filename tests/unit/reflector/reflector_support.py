"""An engine whose kernel is a dictionary, a southbound for it, and event loops that tests hold."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bgpreflector.config import Config, ControllerConfig
from bgpreflector.controller import Backoff, CommitResult, Controller, FullResync, OperationFailure
from bgpreflector.reflector import BGPReflector, Deps, KernelRouteWatcher, new_plugin, use_deps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bgpreflector.controller import Event, EventHandler, RouteBatch, Transaction
    from bgpreflector.reflector import PushEvent

TIMEOUT = 20.0
"""Seconds until a test that would hang fails instead."""


class MemoryBatch:
    """Changes, prefix to gateway, as they were when the batch was taken."""

    def __init__(self, engine: MemoryEngine, taken: dict[str, str | None]) -> None:
        self._engine = engine
        self.taken = taken
        self.committed = False
        self.is_consumed = False

    def __len__(self) -> int:
        return len(self.taken)

    def _count(self, *, desired: bool, installed: bool) -> int:
        return sum(
            (gateway is not None, prefix in self._engine.installed) == (desired, installed)
            for prefix, gateway in self.taken.items()
        )

    @property
    def adds(self) -> int:
        return self._count(desired=True, installed=False)

    @property
    def replaces(self) -> int:
        return self._count(desired=True, installed=True)

    @property
    def deletes(self) -> int:
        return self._count(desired=False, installed=True)

    def changes(self, limit: int) -> Iterable[object]:
        return list(self.taken.items())[:limit]

    def release(self) -> None:
        if not self.committed:
            self._engine.requeue(self.taken)
            self.committed = True


class MemoryEngine:
    """An engine whose kernel is a dictionary, prefix to gateway."""

    def __init__(self) -> None:
        self.kernel: dict[str, str] = {}
        self.installed: dict[str, str] = {}
        self.calls: list[str] = []
        self.sizes: list[int] = []
        self.start_error: Exception | None = None
        self.resync_error: Exception | None = None
        self._table: dict[str, str] = {}
        self._dirty: dict[str, None] = {}
        self._changed = threading.Condition()
        self._failure: str | None = None
        self._closed = False

    def start(self) -> None:
        self.calls.append("start")
        if self.start_error is not None:
            raise self.start_error

    def resync(self) -> None:
        self.calls.append("resync")
        if self.resync_error is not None:
            raise self.resync_error
        with self._changed:
            self._table = dict(self.kernel)
            for prefix in self._table.keys() | self.installed.keys():
                if self._table.get(prefix) != self.installed.get(prefix):
                    self._dirty[prefix] = None
            self._changed.notify_all()

    def wait_dirty(self, timeout: float | None) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._dirty or self._closed, timeout)
            return bool(self._dirty) and not self._closed

    def take_batch(self, limit: int) -> RouteBatch:
        with self._changed:
            taken = list(self._dirty)[:limit]
            for prefix in taken:
                del self._dirty[prefix]
            if taken:
                self.sizes.append(len(taken))
            return MemoryBatch(self, {prefix: self._table.get(prefix) for prefix in taken})

    def failure(self) -> str | None:
        return self._failure

    def close(self) -> None:
        self.calls.append("close")
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def change(self, routes: dict[str, str | None]) -> None:
        """Change the kernel's routes at once, ``None`` to withdraw one, and notice it."""
        with self._changed:
            for prefix, gateway in routes.items():
                for table in (self.kernel, self._table):
                    table.pop(prefix, None)
                    if gateway is not None:
                        table[prefix] = gateway
                self._dirty[prefix] = None
            self._changed.notify_all()

    def requeue(self, prefixes: Iterable[str]) -> None:
        with self._changed:
            self._dirty.update(dict.fromkeys(prefixes))
            self._changed.notify_all()

    def fail(self, reason: str) -> None:
        """Stop by itself, as after a lost socket."""
        self._failure = reason
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class MemorySouthbound:
    """A southbound that acknowledges to the engine, unless it is down or refuses."""

    def __init__(self, engine: MemoryEngine) -> None:
        self.engine = engine
        self.down: Exception | None = None
        self.refuse: set[str] = set()
        self.instead_of_commit: Callable[[Transaction], None] | None = None
        """What it does in place of committing."""
        self.attempts = 0
        self._changed = threading.Condition()

    def resync(self) -> None:
        pass

    def retry(self) -> CommitResult:
        return CommitResult()

    def commit(self, txn: Transaction) -> CommitResult:
        with self._changed:
            self.attempts += 1
            self._changed.notify_all()
            if self.down is not None:
                raise self.down
            if self.instead_of_commit:
                self.instead_of_commit(txn)
                return CommitResult()
            failures = tuple(self._install(batch) for batch in txn.batches)
            failed = tuple(failure for some in failures for failure in some)
            applied = sum(map(len, txn.batches)) - len(failed)
            return CommitResult(applied, len(failed), 0, failed)

    def _install(self, batch: RouteBatch) -> list[OperationFailure]:
        assert isinstance(batch, MemoryBatch)
        assert not batch.committed, "a batch is committed at most once"
        batch.committed = batch.is_consumed = True
        for prefix, gateway in batch.taken.items():
            if prefix in self.refuse:
                continue
            self.engine.installed.pop(prefix, None)
            if gateway is not None:
                self.engine.installed[prefix] = gateway
        refused = batch.taken.keys() & self.refuse
        return [OperationFailure(prefix, "refused", retriable=False) for prefix in refused]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until a commit has made ``condition`` true."""
        with self._changed:
            assert self._changed.wait_for(condition, TIMEOUT), "the condition did not come true"

    def wait_for_kernel(self) -> None:
        """Wait until what is installed equals the kernel."""
        self.wait_for(lambda: self.engine.installed == self.engine.kernel)


@dataclass
class Reflection:
    """A controller with a reflector between a memory engine and a memory southbound."""

    engine: MemoryEngine
    southbound: MemorySouthbound
    plugin: BGPReflector
    controller: Controller

    @classmethod
    def make(
        cls,
        *handlers: EventHandler,
        healing_delay: float = 0.0,
        batch_limit: int = 65536,
        pause: Backoff | None = None,
    ) -> Reflection:
        engine = MemoryEngine()

        def set_deps(deps: Deps) -> None:
            deps.contiv_conf = Config()
            deps.watcher = lambda conf: KernelRouteWatcher(
                engine, batch_limit=batch_limit, pause=pause
            )

        plugin = new_plugin(use_deps(set_deps))
        southbound = MemorySouthbound(engine)
        settings = ControllerConfig(healing_delay=healing_delay)
        return cls(
            engine, southbound, plugin, Controller([plugin, *handlers], southbound, settings)
        )

    def start(self) -> None:
        self.controller.start()
        self.controller.push_event(FullResync("startup", blocking=True))

    def close(self) -> None:
        self.controller.close()
        self.plugin.close()


MakeReflection = Callable[..., Reflection]


class EventList:
    """An event loop that only keeps what is pushed."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def push_event(self, event: Event) -> None:
        self.events.append(event)


class RecordingWatcher:
    """A watcher that records its calls."""

    def __init__(self, batch: RouteBatch) -> None:
        self.batch = batch
        self.calls: list[str] = []
        self.push_event: PushEvent | None = None
        self.error_in: str = ""

    def start(self, push_event: PushEvent) -> None:
        self.push_event = push_event
        self._call("start")

    def resync_batch(self) -> RouteBatch:
        self._call("resync_batch")
        return self.batch

    def close(self) -> None:
        self._call("close")

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name == self.error_in:
            raise OSError(f"{name} failed")


class HeldEventLoop:
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


class SignallingBackoff(Backoff):
    """Says when a pause begins."""

    def __init__(self) -> None:
        super().__init__(3600)
        self.paused = threading.Event()

    def next_delay(self) -> float | None:
        self.paused.set()
        return super().next_delay()
