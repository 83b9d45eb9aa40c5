"""The queue between those who push events and the loop that takes them."""

from __future__ import annotations

import logging
import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING

from .errors import ControllerClosedError, EventQueueFullError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .clock import Clock
    from .event import Event
    from .timers import Timer, Timers

_log = logging.getLogger(__name__)


class QueuedEvent:
    """An event on its way, with the answer that its producer may be waiting for."""

    def __init__(self, event: Event) -> None:
        self.event = event
        self.answer: Future[None] = Future()

    def finish(self, error: BaseException | None) -> None:
        """Tell the event and its producer how it ended."""
        try:
            self.event.done(error)
        except Exception:  # noqa: BLE001 - the producer's; the loop goes on
            _log.exception("%s: done() of the event failed", self.event.name)
        if error is None:
            self.answer.set_result(None)
        else:
            self.answer.set_exception(error)

    def refuse(self, error: BaseException) -> None:
        """Finish an event that was never processed; what it carried is given back."""
        for batch in self.event.batches:
            batch.release()
        self.finish(error)


class Mailbox:
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
        """Append an event.

        Raises ``EventQueueFullError`` at the limit unless ``unbounded``, and
        ``ControllerClosedError`` after :meth:`refuse_more`.
        """
        with self._changed:
            self._check_open()
            if not unbounded and len(self._queue) >= self._limit:
                raise EventQueueFullError(
                    f"{queued.event.name}: the event queue is full with {self._limit} events; "
                    "wait for earlier events to finish and push it again"
                )
            self._queue.append(queued)
            self._changed.notify()

    def put_follow_up(self, queued: QueuedEvent) -> None:
        """Append an event that goes before all queued ones; the loop's thread only."""
        with self._changed:
            self._check_open()
            self._follow_ups.append(queued)

    def put_back(self, events: Iterable[QueuedEvent]) -> None:
        """Put events before all queued ones, keeping their order; the loop's thread only."""
        with self._changed:
            self._queue.extendleft(reversed(list(events)))

    def take(self, timers: Timers) -> QueuedEvent | Timer:
        """The next thing to do; waits until there is one."""
        with self._changed:
            while True:
                if self._follow_ups:
                    return self._follow_ups.popleft()
                due = timers.pop_due(self._clock.monotonic())
                if due is not None:
                    return due
                if self._queue:
                    return self._queue.popleft()
                self._clock.wait_until(self._changed, timers.next_deadline())

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
