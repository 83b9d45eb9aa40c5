"""Handlers that only look on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .handler import Handler

if TYPE_CHECKING:
    from .base import Event, UpdateEvent
    from .handler import KubeStateData
    from .transaction import ResyncOperations, UpdateOperations


class Observer(Handler):
    """A :class:`Handler` that asks nothing of the southbound.

    It handles no event until a subclass says otherwise; each method is the event loop's to call.
    What :meth:`handles_event` or :meth:`observe` raises is logged and counted; a healing resync
    follows only where it asks for one (:class:`ResyncNeededError`).

    Examples:
        >>> from bgpreflector.controller import Event, Shutdown, Transaction
        >>> class Goodbye(Observer):
        ...     def handles_event(self, event):
        ...         return isinstance(event, Shutdown)
        ...     def observe(self, event):
        ...         return "so long"
        >>> handler, event = Goodbye(), Shutdown()
        >>> handler.name, handler.handles_event(event)
        ('Goodbye', True)
        >>> handler.update(event, Transaction(event.method))
        'so long'
    """

    def observe(self, event: Event) -> str:  # noqa: ARG002 - for subclasses
        """Look at an event, and say in a line for logs what there was to see; empty for nothing."""
        return ""

    def resync(
        self,
        event: Event,
        kube_state_data: KubeStateData,  # noqa: ARG002 - the handlers' common signature
        resync_count: int,  # noqa: ARG002
        txn: ResyncOperations,  # noqa: ARG002
    ) -> None:
        """Look at a resync, and put nothing."""
        self.observe(event)

    def update(self, event: UpdateEvent, txn: UpdateOperations) -> str:  # noqa: ARG002
        """Look at an update, and put nothing."""
        return self.observe(event)
