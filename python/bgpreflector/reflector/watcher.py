"""Where routes come from."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from bgpreflector.controller import (
    Backoff,
    BatchNotConsumedError,
    ControllerClosedError,
    Event,
    EventQueueFullError,
    FatalError,
    OperationsFailedError,
    RouteBatch,
)
from bgpreflector.errors import KernelError
from bgpreflector.log_fields import fields
from bgpreflector.routes.batch import NO_LIMIT

from .update import BGPRouteBatchUpdate, RouteWatchFailure

if TYPE_CHECKING:
    from bgpreflector.routes.engine import Engine

_log = logging.getLogger(__name__)

BATCH_LIMIT = 65536
"""Changes in one batch event: enough to be worth a crossing, few enough to stay responsive."""

FULL_PAUSE = 0.1
"""Seconds between attempts to push an event while the queue is full."""

PushEvent = Callable[[Event], None]


class RouteWatcher(Protocol):
    """A source of routes for the reflector."""

    def start(self, push_event: PushEvent) -> None:
        """Subscribe; from now on changes are pushed. Called once, by the first resync."""

    def resync_batch(self) -> RouteBatch:
        """Read all routes and return everything that differs from the southbound.

        Called by the event loop. Changes that are on their way in an event are included.
        """

    def close(self) -> None:
        """End the subscription and release everything; twice is fine."""


class KernelRouteWatcher:
    """Pushes the changes that an engine has gathered, one batch event at a time.

    Its thread waits for dirty prefixes, takes a batch, pushes it and waits until the event
    is done. Where the event fails, the batch is given back and the thread pauses until a
    resync, at the latest for the delays of ``pause``. Where the engine fails, a
    :class:`RouteWatchFailure` is pushed and the thread ends.
    """

    def __init__(
        self, engine: Engine, *, batch_limit: int = BATCH_LIMIT, pause: Backoff | None = None
    ) -> None:
        self._engine = engine
        self._batch_limit = batch_limit
        self._backoff = pause or Backoff(1.0, maximum=60.0)
        self._taking = threading.Lock()
        self._in_flight: BGPRouteBatchUpdate | None = None
        self._changed = threading.Condition()
        self._resyncs = 0
        self._closed = False
        self._paused = False
        self._not_consumed = False
        self._thread: threading.Thread | None = None

    def start(self, push_event: PushEvent) -> None:
        """Start the engine and the thread. Raises what the engine's start raises."""
        self._engine.start()
        self._thread = threading.Thread(
            target=self._run, args=(push_event,), name="route-watcher", daemon=True
        )
        self._thread.start()

    def resync_batch(self) -> RouteBatch:
        """Resync the engine with the kernel and take every difference.

        A batch that still waits in the event queue is older than this one and must not be
        committed after it: its changes are given back first and come with this batch.
        """
        with self._taking:
            # Once: the thread's own event may be done, and forgotten, in between.
            in_flight = self._in_flight
            if in_flight is not None:
                in_flight.supersede()
            self._engine.resync()
            batch = self._engine.take_batch(NO_LIMIT)
        with self._changed:
            self._resyncs += 1
            self._changed.notify_all()
        return batch

    def set_paused(self, *, on: bool) -> None:
        """Push nothing from now on, what changes staying dirty; or push again. From any thread."""
        with self._changed:
            self._paused = on
            self._changed.notify_all()

    def close(self) -> None:
        """Close the engine and wait for the thread; not from the event loop's thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._engine.close()
        if self._thread is not None:
            self._thread.join()

    def _run(self, push_event: PushEvent) -> None:
        try:
            while self._engine.wait_dirty(None):
                with self._changed:
                    while self._paused and not self._closed:
                        self._changed.wait()
                    resyncs = self._resyncs
                self._push_batch(push_event, resyncs)
        except (ControllerClosedError, FatalError) as error:
            _log.debug("Route watching ends with the event loop: %s", error)
        except BaseException as error:  # noqa: BLE001 - whatever it is, changes are lost now
            self._report(push_event, error)
        else:
            failure = self._engine.failure()
            if failure is not None:
                self._report(push_event, KernelError(failure))

    def _push_batch(self, push_event: PushEvent, resyncs: int) -> None:
        event = self._take()
        if event is None:
            return
        try:
            push_event(event)
            if not (event.batch.is_consumed or event.superseded):
                raise BatchNotConsumedError("the event loop has not taken the batch")  # noqa: TRY301 - one way to pause
        except OperationsFailedError:
            # The batch was committed; the southbound keeps what it refused.
            self._committed()
        except BaseException as error:
            event.batch.release()
            if isinstance(error, ControllerClosedError | FatalError):
                raise
            if event.is_committed:
                # A handler has failed, which the event loop has logged.
                self._committed()
            elif isinstance(error, EventQueueFullError):
                # Nothing has failed: there will be room.
                _log.debug("%s", error)
                self._wait_for_room()
            else:
                self._pause(resyncs, error)
        else:
            self._committed()
        finally:
            self._in_flight = None

    def _take(self) -> BGPRouteBatchUpdate | None:
        with self._taking:
            batch = self._engine.take_batch(self._batch_limit)
            if len(batch) == 0:
                return None
            self._in_flight = BGPRouteBatchUpdate(batch)
            return self._in_flight

    def _committed(self) -> None:
        self._backoff.reset()
        self._not_consumed = False

    def _pause(self, resyncs: int, error: BaseException) -> None:
        """Wait for a resync: what failed just now would fail again at once."""
        delay = self._backoff.next_delay()
        # A program that takes no batches is wrong once, not once a minute.
        logged = self._not_consumed and isinstance(error, BatchNotConsumedError)
        self._not_consumed = isinstance(error, BatchNotConsumedError)
        _log.log(
            logging.DEBUG if logged else logging.WARNING,
            "Route changes were not applied and wait for a resync, at most %s s: %s",
            delay,
            error,
            extra=fields("changes not applied", error=str(error), retry_seconds=delay),
        )
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._resyncs != resyncs, delay)

    def _report(self, push_event: PushEvent, error: BaseException) -> None:
        if self._closed:
            _log.debug("The engine failed while it was being closed: %s", error)
            return
        _log.error("Route watching failed: %s", error)
        while not self._closed:
            try:
                push_event(RouteWatchFailure(error))
            except EventQueueFullError:
                self._wait_for_room()
            except Exception as refusal:  # noqa: BLE001 - there is nowhere else to report it
                _log.error("The failure could not be reported to the event loop: %s", refusal)
                return
            else:
                return

    def _wait_for_room(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed, FULL_PAUSE)
