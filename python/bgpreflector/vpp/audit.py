"""Events that have VPP audited: when it is due, and on request."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from bgpreflector.controller import Event, UpdateEvent

from .request_event import RequestEvent

if TYPE_CHECKING:
    from bgpreflector._core import VppAuditReport


class VppAuditDue(UpdateEvent):
    """Compare what VPP has with what it has acknowledged."""

    def __init__(self, finished: Callable[[], None] = lambda: None) -> None:
        """``finished()`` is called when the event is done or refused."""
        self._finished = finished

    def done(self, error: BaseException | None) -> None:  # noqa: ARG002 - an event's signature
        """Notify the thread that pushes the next one."""
        self._finished()

    @property
    def name(self) -> str:
        """The name of all events of this type."""
        return "VPP Audit"


class VppAuditRequested(RequestEvent["VppAuditReport | None"]):
    """Request the differences between VPP and what it has acknowledged.

    The answer is ``None`` without a bulk connection.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waiting = 0
        """The callers that wait for the answer."""

    @property
    def name(self) -> str:
        """The name of all events of this type."""
        return "VPP Audit Requested"


class SharedAudits:
    """Lets callers share a queued audit, because each one reads all of VPP."""

    def __init__(self, push_event: Callable[[Event], None]) -> None:
        self._push_event = push_event
        self._lock = threading.Lock()
        self._last: VppAuditRequested | None = None

    def ask(self, timeout: float) -> VppAuditReport | None:
        """Return an audit that starts after this call.

        Raises ``TimeoutError`` where it is not over in time; once nobody waits any more it is not
        made. Raises what it ends with, and what pushing its event raises.
        """
        event, is_new = self._join()
        try:
            if is_new:
                self._push(event)
            return event.answer.result(timeout)
        finally:
            self._leave(event)

    def _join(self) -> tuple[VppAuditRequested, bool]:
        with self._lock:
            event = self._last
            # An audit that already runs may have read what has changed since.
            is_new = event is None or event.answer.running() or event.answer.done()
            if event is None or is_new:
                event = self._last = VppAuditRequested()
            event.waiting += 1
            return event, is_new

    def _push(self, event: VppAuditRequested) -> None:
        try:
            self._push_event(event)
        except BaseException as error:
            event.done(error)
            raise

    def _leave(self, event: VppAuditRequested) -> None:
        with self._lock:
            event.waiting -= 1
            if event.waiting == 0:
                # No effect once it runs or is answered.
                event.answer.cancel()
