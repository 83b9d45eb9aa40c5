"""Push events to an event loop that may have no room."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from .errors import EventQueueFullError

if TYPE_CHECKING:
    from .base import Event

_log = logging.getLogger(__name__)

FULL_PAUSE = 0.1
"""Seconds between attempts to push an event while the queue is full."""


def push_when_room(
    push_event: Callable[[Event], None], event: Event, wait_for_end: Callable[[float], bool]
) -> None:
    """Push an event; while the queue is full, try again until the caller ends.

    ``wait_for_end(seconds)`` returns whether that is the case. Raises what ``push_event`` raises
    but for :class:`EventQueueFullError`.
    """
    while True:
        try:
            push_event(event)
        except EventQueueFullError as error:
            _log.debug("%s", error)
            if wait_for_end(FULL_PAUSE):
                return
        else:
            return
