"""Push events from the threads that watch VPP, until they end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from bgpreflector.controller import ControllerClosedError, Event, FatalError
from bgpreflector.controller.push import push_when_room

_log = logging.getLogger(__name__)


class EventPusher:
    """Pushes events to the event loop. From any thread."""

    def __init__(self, push_event: Callable[[Event], None]) -> None:
        self._push_event = push_event
        self.ended = threading.Event()
        """Set once nothing is pushed any more."""

    def push(self, event: Event) -> None:
        """Push an event, waiting for room if needed; a blocking one raises its error."""
        try:
            push_when_room(self._push_event, event, self.ended.wait)
        except (ControllerClosedError, FatalError) as error:
            _log.debug("The event loop has ended: %s", error)

    def push_one(self, event: Event, over: threading.Event) -> None:
        """Push an event that sets ``over``, and wait until it does: at most one is queued, or
        several would be due at once."""
        over.clear()
        self.push(event)
        if not self.ended.is_set():
            over.wait()

    def forget(self) -> None:
        """Forget the event loop, which would otherwise stay in memory with its handlers."""
        self._push_event = _nobody


def _nobody(event: Event) -> None:
    """Log an event after the end, which is not processed."""
    _log.debug("%s came after the end", event)
