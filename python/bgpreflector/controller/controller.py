"""The event loop."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from bgpreflector.log_fields import fields

from .base import Event, UpdateEvent
from .builtin import HealingResync, HealingResyncType, Shutdown
from .clock import Clock, SystemClock
from .dispatcher import Dispatcher
from .enums import EventMethod
from .errors import ControllerClosedError, EventLoopAbortingError, FatalError
from .event_queue import EventQueue, QueuedEvent, call_done
from .handler import EventHandler, Handler, KubeStateData, UsesEventLoop
from .outcome import Outcome
from .recovery import Recovery, Settings
from .timers import Timer, Timers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .sink import Sink

_log = logging.getLogger(__name__)


class Controller:
    """Takes events, one at a time, through the handlers to the southbound.

    * A thread of its own does that.
    * Until the first full resync, all other events wait; then they follow in their order.
    * Events that handlers push while one is processed precede all queued ones.
    * Failed events are healed by a resync, failed operations are tried again; both wait
      outside the queue, so other events go on meanwhile.
    * A :class:`FatalError` ends the loop: see :meth:`wait`.

    ``queue_size`` bounds the events that wait; ``settings`` is for instance the
    ``controller`` section of the configuration.
    """

    def __init__(
        self,
        handlers: Sequence[EventHandler],
        sink: Sink,
        settings: Settings,
        *,
        queue_size: int = 1000,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or SystemClock()
        self._sink = sink
        self._timers = Timers()
        self._queue = EventQueue(clock, queue_size)
        self._recovery = Recovery(settings, clock, self._timers)
        self._processor = Dispatcher(handlers, sink)
        self._kube_state_data: KubeStateData = {}
        self._resync_count = 0
        self._southbound_resyncs = 0
        self._delayed: list[QueuedEvent] = []
        self._fatal: FatalError | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="event-loop", daemon=True)
        self._closing = threading.Lock()
        self._clock = clock
        self._busy: tuple[str, float] | None = None
        self._handlers = [handler for handler in handlers if isinstance(handler, Handler)]
        self._started: list[Handler] = []
        for handler in handlers:
            if isinstance(handler, UsesEventLoop):
                handler.use_event_loop(self)

    @property
    def ended(self) -> bool:
        """Whether the loop has ended, whatever the reason."""
        return self._ended.is_set()

    @property
    def queued(self) -> int:
        """Events that wait for the one that is being processed."""
        return len(self._queue)

    @property
    def current_event(self) -> tuple[str, float] | None:
        """What is being processed, and since when by the clock; ``None`` where nothing is."""
        return self._busy

    @property
    def handler_errors(self) -> Mapping[str, int]:
        """Exceptions of each handler so far, by its name."""
        return dict(self._processor.handler_errors)

    def start(self) -> None:
        """Start each :class:`Handler`, then the loop's thread; once.

        Raises ``ControllerClosedError`` after :meth:`close`, and :class:`FatalError` where a
        handler cannot start.
        """
        for handler in () if self._ended.is_set() else self._handlers:
            try:
                handler.start(self)
            except Exception as error:
                raise FatalError(f"handler {handler.name} could not start: {error}") from error
            self._started.append(handler)
        with self._closing:
            if not self._ended.is_set():
                self._thread.start()
                return
            # Closed by another thread meanwhile.
            self._close_handlers()
        raise ControllerClosedError("the controller is closed and cannot start again")

    def push_event(self, event: Event) -> None:
        """Queue the event and return; with a blocking event, wait until it is done.

        Raises the error that a blocking event ended with; ``EventQueueFullError``;
        ``ControllerClosedError`` after :meth:`close`; ``EventLoopAbortingError`` after a
        fatal error; ``RuntimeError`` for a blocking event from within a handler, which
        would wait for itself; ``TypeError`` for an update that is no :class:`UpdateEvent`.
        """
        if isinstance(event, UpdateEvent) == event.method.is_resync:
            raise TypeError(f"{event.name}: an event is an UpdateEvent exactly if it is an update")
        if threading.current_thread() is self._thread:
            if event.is_blocking:
                raise RuntimeError(
                    f"{event.name}: a blocking event pushed by a handler would wait for itself"
                )
            self._queue.put_follow_up(self._queued(event))
        elif not event.is_blocking:
            self._queue.put(self._queued(event))
        else:
            queued = self._queued(event)
            self._queue.put(queued, unbounded=isinstance(event, Shutdown))
            queued.answer.result()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the loop has ended; ``False`` if ``timeout`` seconds were not enough.

        Raises the :class:`FatalError` that ended it.
        """
        ended = self._ended.wait(timeout)
        if ended and self._fatal is not None:
            raise self._fatal
        return ended

    def close(self) -> None:
        """Let what is queued be processed, end the loop, wait for its thread, close the handlers.

        Idempotent, also for a controller that was never started. A fatal error is not
        raised here but by :meth:`wait`; what a handler raises at :class:`Shutdown` is logged and
        counted.
        """
        self.check_closable()
        with self._closing:
            try:
                self._close_loop()
            finally:
                self._close_handlers()

    def check_closable(self) -> None:
        """Raises ``RuntimeError`` in a handler that the controller is calling."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("a handler cannot close the controller that is calling it")

    def _close_loop(self) -> None:
        if self._ended.is_set():
            return
        if self._thread.ident is None:
            self._end()
            return
        try:
            self.push_event(Shutdown())
        except Exception as error:  # noqa: BLE001 - logged by now, or the loop has ended before
            _log.debug("The shutdown failed: %s", error)
        finally:
            self._thread.join()

    def _close_handlers(self) -> None:
        while self._started:
            handler = self._started.pop()
            try:
                handler.close()
            except Exception as error:  # noqa: BLE001 - counted; the others are closed, too
                self._processor.count_error(handler)
                _log.exception("handler %s could not be closed: %s", handler.name, error)

    def _run(self) -> None:
        try:
            while self._step(self._queue.take(self._timers)):
                pass
        except FatalError as error:
            self._fatal = error
        except BaseException as error:  # noqa: BLE001 - log whatever ends the loop
            _log.exception("The event loop failed")
            self._fatal = FatalError(error)
        finally:
            self._end()

    def _end(self) -> None:
        reason: ControllerClosedError
        if self._fatal is not None:
            reason = EventLoopAbortingError(f"a fatal error ended the event loop: {self._fatal}")
            reason.__cause__ = self._fatal
        else:
            reason = ControllerClosedError("the controller is closed")
        for queued in [*self._delayed, *self._queue.refuse_more(reason)]:
            queued.refuse(reason)
        self._delayed.clear()
        self._ended.set()

    def _step(self, item: QueuedEvent | Timer) -> bool:
        """Do one thing; ``False`` when it was the last."""
        if item is Timer.RETRY:
            self._busy = ("retry of failed operations", self._clock.monotonic())
            try:
                self._retry()
            finally:
                self._busy = None
        elif isinstance(item, Timer):
            healing = self._queued(self._recovery.healing_event(item))
            self._queue.put(healing, unbounded=True)
        elif not item.event.is_wanted:
            item.drop()
        elif self._resync_count == 0 and not _may_be_first(item.event):
            self._delayed.append(item)
        else:
            try:
                error = self._process(item)
            except BaseException as broken:
                item.finish(broken)
                raise
            item.finish(error)
            return not isinstance(item.event, Shutdown)
        return True

    def _queued(self, event: Event) -> QueuedEvent:
        return QueuedEvent(event, self._southbound_resyncs)

    def _process(self, item: QueuedEvent) -> BaseException | None:
        """The error that the event ended with. Raises a :class:`FatalError`."""
        self._busy = (item.event.name, self._clock.monotonic())
        try:
            return self._process_now(item)
        finally:
            self._busy = None

    def _process_now(self, item: QueuedEvent) -> BaseException | None:
        event = item.event
        method = event.method
        if method.is_resync:
            self._resync_count += 1
            self._kube_state_data = getattr(event, "kube_state_data", self._kube_state_data)
        if method.rereads_southbound:
            self._recovery.forget_retries()
        level = _level(event)
        _log.debug("%s", event)
        if method.is_resync:
            _log.log(
                level,
                "Resync: %s",
                event.cause,
                extra=fields("resync", cause=event.cause),
            )
        outcome = self._processor.process(event, self._kube_state_data, self._resync_count)
        _log_outcome(event, outcome, level)
        if method.is_resync:
            self._queue.requeue(self._delayed)
            self._delayed.clear()
        # What a resync of the southbound has found comes by the event that takes it first:
        # another resync would find the same.
        if item.southbound_resyncs != self._southbound_resyncs:
            outcome.heals_failed_operations = False
        if method is EventMethod.DOWNSTREAM_RESYNC:
            self._southbound_resyncs += 1
        if outcome.fatal is None:
            self._recover(event, outcome)
        call_done(event, outcome.error)
        if outcome.fatal is not None:
            raise outcome.fatal
        return outcome.error

    def _recover(self, event: Event, outcome: Outcome) -> None:
        if outcome.result is not None and not outcome.result.ok:
            self._recovery.operations_failed(outcome.result, heal=outcome.heals_failed_operations)
        if outcome.heals is not None:
            self._recovery.schedule_healing(outcome.heals)
        elif event.method is EventMethod.FULL_RESYNC:
            self._recovery.resynchronised()
        elif event.method is EventMethod.DOWNSTREAM_RESYNC and outcome.error is None:
            self._recovery.southbound_accepts()
        self._recovery.schedule_periodic()

    def _retry(self) -> None:
        try:
            result = self._sink.retry()
        except FatalError:
            raise
        except Exception as error:  # noqa: BLE001 - the southbound's, healed
            _log.debug("Failed operations could not be tried again: %s", error)
            self._recovery.forget_retries()
            self._recovery.schedule_healing(error)
            return
        _log.info("Tried again what was refused: %s", result, extra=result.fields("retried"))
        self._recovery.retried(result)


def _may_be_first(event: Event) -> bool:
    return event.method is EventMethod.FULL_RESYNC or isinstance(event, Shutdown)


def _level(event: Event) -> int:
    if not event.method.is_resync:
        return logging.DEBUG
    periodic = isinstance(event, HealingResync) and event.type is HealingResyncType.PERIODIC
    return logging.DEBUG if periodic else logging.INFO


def _log_outcome(event: Event, outcome: Outcome, level: int) -> None:
    for handler, change in outcome.changes.items():
        _log.debug("%s: %s: %s", event.name, handler, change)
    if outcome.result is None:
        return
    if event.method.is_resync:
        extra = outcome.result.fields("resync done", cause=event.cause)
        _log.log(level, "Resync done: %s", outcome.result, extra=extra)
    else:
        _log.debug("%s: %s", event.name, outcome.result)
