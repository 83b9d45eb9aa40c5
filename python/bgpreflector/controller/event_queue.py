"""The queue between event producers and the event loop."""

from __future__ import annotations

import logging
import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING

from .errors import ControllerClosedError, EventQueueFullError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .base import Event
    from .clock import Clock
    from .timers import Timer, Timers

_log = logging.getLogger(__name__)


class QueuedEvent:
    """A queued event, with the result that its producer may wait for.

    ``southbound_resyncs`` is the number of resyncs of the southbound that had ended when it came.
    """

    def __init__(self, event: Event, southbound_resyncs: int = 0) -> None:
        self.event = event
        self.southbound_resyncs = southbound_resyncs
        self.answer: Future[None] = Future()

    def finish(self, error: BaseException | None) -> None:
        """Pass the result to the waiting producer."""
        if error is None:
            self.answer.set_result(None)
        else:
            self.answer.set_exception(error)

    def drop(self) -> None:
        """Finish an unwanted event; release its batches."""
        for batch in self.event.batches:
            batch.release()
        call_done(self.event, None)
        self.finish(None)

    def refuse(self, error: BaseException) -> None:
        """Finish an event that was never processed; release its batches."""
        for batch in self.event.batches:
            batch.release()
        call_done(self.event, error)
        self.finish(error)


def call_done(event: Event, error: BaseException | None) -> None:
    """Call the event's ``done()``."""
    try:
        event.done(error)
    except Exception:  # noqa: BLE001 - the producer's; the loop continues
        _log.exception("%s: done() of the event failed", event.name)


def call_committed(event: Event) -> None:
    """Call the event's ``committed()``."""
    try:
        event.committed()
    except Exception:  # noqa: BLE001 - the producer's; the loop goes on
        _log.exception("%s: committed() of the event failed", event.name)


class EventQueue:
    """Follow-up events first, then due timers, then queued events in their order.

    Any thread may put; the loop's thread alone takes.
    """

    def __init__(self, clock: Clock, limit: int) -> None:
        self._clock = clock
        self._limit = limit
        self._changed = threading.Condition()
        self._follow_ups: deque[QueuedEvent] = deque()
        self._queue: deque[QueuedEvent] = deque()
        self._closed: BaseException | None = None

    def __len__(self) -> int:
        """Events that wait."""
        return len(self._queue) + len(self._follow_ups)

    def put(self, queued: QueuedEvent, *, unbounded: bool = False) -> None:
        """Append an event. At the limit, unwanted events are dropped.

        Raises ``EventQueueFullError`` at the limit unless ``unbounded``, and
        ``ControllerClosedError`` after :meth:`refuse_more`.
        """
        with self._changed:
            self._check_open()
            if not unbounded and len(self._queue) >= self._limit and not self._drop_unwanted():
                raise EventQueueFullError(
                    f"{queued.event.name}: the event queue is full with {self._limit} events; "
                    "wait for earlier events to finish and push it again"
                )
            self._queue.append(queued)
            self._changed.notify()

    def _drop_unwanted(self) -> bool:
        """Drop unwanted events; whether there is room then."""
        wanted = deque(queued for queued in self._queue if queued.event.is_wanted)
        for queued in self._queue:
            if not queued.event.is_wanted:
                queued.drop()
        self._queue = wanted
        return len(wanted) < self._limit

    def put_follow_up(self, queued: QueuedEvent) -> None:
        """Append an event that precedes all queued ones; the loop's thread only."""
        with self._changed:
            self._check_open()
            self._follow_ups.append(queued)

    def requeue(self, events: Iterable[QueuedEvent]) -> None:
        """Put events before all queued ones, keeping their order; the loop's thread only."""
        with self._changed:
            self._queue.extendleft(reversed(list(events)))

    def take(self, timers: Timers) -> QueuedEvent | Timer:
        """The next item; waits until there is one."""
        with self._changed:
            while (item := self._next(timers)) is None:
                self._clock.wait_until(self._changed, timers.next_deadline())
            return item

    def _next(self, timers: Timers) -> QueuedEvent | Timer | None:
        if self._follow_ups:
            return self._follow_ups.popleft()
        due = timers.pop_due(self._clock.monotonic())
        if due is None and self._queue:
            return self._queue.popleft()
        return due

    def refuse_more(self, error: BaseException) -> list[QueuedEvent]:
        """Let every later put raise ``ControllerClosedError``; what is left is returned."""
        with self._changed:
            self._closed = error
            left = [*self._follow_ups, *self._queue]
            self._follow_ups.clear()
            self._queue.clear()
            return left

    def _check_open(self) -> None:
        if self._closed is not None:
            raise closed_error(self._closed) from self._closed.__cause__


def closed_error(reason: BaseException) -> ControllerClosedError:
    """A new error of the same kind and text as ``reason``, for one more caller."""
    if isinstance(reason, ControllerClosedError):
        return type(reason)(*reason.args)
    return ControllerClosedError(str(reason))
