"""What an event handler is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from .base import Event, EventLoop, UpdateEvent
    from .transaction import ResyncOperations, UpdateOperations

KubeStateData = Mapping[str, Mapping[str, object]]
"""Kubernetes state by resource and key; empty where there is no Kubernetes."""


class EventHandler(Protocol):
    """One of the parts that react to events.

    The event loop makes every call on its own thread, one at a time.

    What a handler raises is logged and counted, and the event's producer gets it. The other
    handlers go on, and what they ask for is committed; a handler that fails in a resync keeps the
    keys that it had. :class:`~bgpreflector.controller.ResyncNeededError` asks for a healing resync,
    :class:`~bgpreflector.controller.AbortEventError` ends the event, too, and
    :class:`~bgpreflector.controller.FatalError` the program.
    """

    @property
    def name(self) -> str:
        """The handler's name in logs."""

    def handles_event(self, event: Event) -> bool:
        """Whether the handler wants to see this event."""

    def resync(
        self,
        event: Event,
        kube_state_data: KubeStateData,
        resync_count: int,
        txn: ResyncOperations,
    ) -> None:
        """Put everything that must exist into ``txn``.

        ``resync_count`` is 1 for the first resync after the start.
        """

    def update(self, event: UpdateEvent, txn: UpdateOperations) -> str:
        """Put what changes into ``txn`` and describe it in a line (may be empty)."""

    def revert(self, event: UpdateEvent) -> None:
        """Undo the internal changes of the last :meth:`update`, which was this event."""


class Handler:
    """Base class of a custom handler: an :class:`EventHandler` with a start and an end.

    It handles no event until a subclass says otherwise. The event loop does not run while
    :meth:`start` or :meth:`close` is called. A reload of the daemon closes a handler that was
    given to it and starts it again.

    Examples:
        >>> from bgpreflector.controller import Shutdown, Transaction
        >>> class Counting(Handler):
        ...     def start(self, event_loop):
        ...         self.seen = 0
        ...     def handles_event(self, event):
        ...         return not event.method.is_resync
        ...     def update(self, event, txn):
        ...         self.seen += 1
        ...         return f"{self.seen} events"
        >>> handler, event = Counting(), Shutdown()
        >>> handler.start(None)
        >>> handler.name, handler.update(event, Transaction(event.method))
        ('Counting', '1 events')
    """

    @property
    def name(self) -> str:
        """The handler's name in logs and metrics: that of its class."""
        return type(self).__name__

    def start(self, event_loop: EventLoop) -> None:
        """Called before the first event. What it raises ends the start of the controller.

        Events that are pushed to ``event_loop`` wait for the first resync.
        """

    def close(self) -> None:
        """Called after the last event where :meth:`start` was; the last handler is the first.

        What it raises is logged and counted.
        """

    def handles_event(self, event: Event) -> bool:  # noqa: ARG002 - for subclasses
        """Whether it wants to see the event: never, by default."""
        return False

    def resync(
        self,
        event: Event,
        kube_state_data: KubeStateData,
        resync_count: int,
        txn: ResyncOperations,
    ) -> None:
        """Put everything that must exist: nothing, by default."""

    def update(self, event: UpdateEvent, txn: UpdateOperations) -> str:  # noqa: ARG002
        """Put what changes, and describe it in a line; by default neither."""
        return ""

    def revert(self, event: UpdateEvent) -> None:
        """Undo the internal changes of an update: there are none, by default."""


@runtime_checkable
class UsesEventLoop(Protocol):
    """A handler that pushes events itself; the controller tells it where to."""

    def use_event_loop(self, event_loop: EventLoop) -> None:
        """Called once by the controller's constructor."""
