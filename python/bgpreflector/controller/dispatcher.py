"""One event through the handlers and into the southbound."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bgpreflector.errors import ReflectorError

from .base import Event, UpdateEvent
from .enums import Direction, EventMethod, TransactionType
from .errors import AbortEventError, FatalError, OperationsFailedError
from .transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .batch import RouteBatch
    from .handler import EventHandler, KubeStateData
    from .sink import CommitResult, Sink

_log = logging.getLogger(__name__)


@dataclass
class Outcome:
    """How the processing of one event ended."""

    error: BaseException | None = None
    """The first error, for the producer that waits for the event."""

    needs_healing: bool = False
    """Whether something was left half done."""

    result: CommitResult | None = None
    """What the southbound did; ``None`` if nothing was committed."""

    heals_failed_operations: bool = False
    """Whether operations that keep failing are a reason for a healing resync."""

    changes: dict[str, str] = field(default_factory=dict)
    """Descriptions of the changes by the name of the handler."""

    @property
    def fatal(self) -> FatalError | None:
        """The error, if it must end the event loop."""
        return self.error if isinstance(self.error, FatalError) else None

    def fail(self, error: BaseException) -> None:
        """Record an error. The first one stays, unless a later one is fatal."""
        if self.error is None or isinstance(error, FatalError):
            self.error = error


class Dispatcher:
    """Takes events through the handlers, in order, and commits what they ask for."""

    def __init__(self, handlers: Sequence[EventHandler], sink: Sink) -> None:
        self._handlers = tuple(handlers)
        self._sink = sink
        self._values: dict[str, object] = {}

    def process(self, event: Event, kube_state_data: KubeStateData, resync_count: int) -> Outcome:
        """Process one event; never raises an ``Exception``."""
        outcome = Outcome()
        txn = Transaction(event.method, event.name)
        update = event if isinstance(event, UpdateEvent) else None
        kind = None if update is None else update.transaction_type
        wants_healing = kind is not TransactionType.BEST_EFFORT_IGNORE_ERRORS
        reverts = kind is TransactionType.REVERT_ON_FAILURE
        reread = not event.method.rereads_southbound or self._reread(outcome)
        handlers = self._handlers if event.method.calls_handlers else ()
        if update is None:
            call = _resyncing(event, kube_state_data, resync_count, txn)
        else:
            call = _updating(update, txn)
            handlers = handlers if update.direction is Direction.FORWARD else handlers[::-1]
        executed, complete = self._run_handlers(event, handlers, call, outcome, stops=reverts)
        committed = False
        if reread and complete and (event.method.is_resync or not txn.is_empty):
            committed = self._commit(txn, outcome, reverts=reverts)
        if outcome.error is not None and outcome.fatal is None:
            if reverts and update is not None:
                self._revert(executed, update, outcome)
            elif not isinstance(outcome.error, OperationsFailedError):
                outcome.needs_healing = wants_healing
        outcome.heals_failed_operations = update is not None and wants_healing
        self._release(event, txn.batches, committed=committed)
        return outcome

    def _reread(self, outcome: Outcome) -> bool:
        try:
            self._sink.resync()
        except Exception as error:  # noqa: BLE001 - part of the outcome
            _log.warning("The southbound could not be read again: %s", error)
            outcome.fail(error)
            return False
        return True

    def _run_handlers(
        self,
        event: Event,
        handlers: Sequence[EventHandler],
        call: Callable[[EventHandler], str],
        outcome: Outcome,
        *,
        stops: bool,
    ) -> tuple[list[EventHandler], bool]:
        """The handlers that succeeded, in order, and whether the transaction is to be used.

        ``stops``: no handler runs after one that failed.
        """
        executed: list[EventHandler] = []
        for handler in handlers:
            try:
                if not handler.handles_event(event):
                    continue
                change = call(handler)
            except Exception as error:  # noqa: BLE001 - part of the outcome
                _log_handler_error(event, handler, error)
                outcome.fail(error)
                if stops or isinstance(error, FatalError | AbortEventError):
                    return executed, False
            else:
                executed.append(handler)
                if change:
                    outcome.changes[handler.name] = change
        return executed, True

    def _commit(self, txn: Transaction, outcome: Outcome, *, reverts: bool) -> bool:
        """Whether the southbound took the transaction, refused operations included."""
        try:
            result = self._sink.commit(txn)
        except Exception as error:  # noqa: BLE001 - part of the outcome
            _log.warning("%s: the transaction could not be committed: %s", txn.description, error)
            outcome.fail(error)
            if reverts:
                self._undo(txn, outcome)
            return False
        outcome.result = result
        if result.ok:
            self._remember(txn)
            return True
        outcome.fail(OperationsFailedError(f"{txn.description}: {result}"))
        if reverts:
            self._undo(txn, outcome)
            return False
        self._remember(txn)
        return True

    def _remember(self, txn: Transaction) -> None:
        if txn.method is EventMethod.DOWNSTREAM_RESYNC:
            return
        if txn.is_resync:
            self._values.clear()
        for key in txn.deletes():
            self._values.pop(key, None)
        self._values.update(txn.puts())

    def _undo(self, txn: Transaction, outcome: Outcome) -> None:
        """Set every key of the transaction back to what was committed before it."""
        undo = Transaction(EventMethod.UPDATE, f"undo of {txn.description}")
        for key in txn.values:
            if key in self._values:
                undo.put(key, self._values[key])
            else:
                undo.delete(key)
        outcome.result = None
        if undo.is_empty:
            return
        try:
            result = self._sink.commit(undo)
        except Exception as error:  # noqa: BLE001 - part of the outcome
            self._not_undone(outcome, undo.description, error)
        else:
            if not result.ok:
                self._not_undone(outcome, undo.description, OperationsFailedError(str(result)))

    def _revert(
        self, executed: Sequence[EventHandler], event: UpdateEvent, outcome: Outcome
    ) -> None:
        for handler in reversed(executed):
            try:
                handler.revert(event)
            except Exception as error:  # noqa: BLE001 - part of the outcome
                self._not_undone(outcome, f"{event.name}: revert of {handler.name}", error)
                if outcome.fatal is not None:
                    return

    def _not_undone(self, outcome: Outcome, what: str, error: BaseException) -> None:
        _log.error("%s failed: %s", what, error)
        outcome.fail(error)
        if outcome.error is not None and outcome.error is not error:
            outcome.error.add_note(f"{what} failed: {error}")
        outcome.needs_healing = True

    def _release(self, event: Event, put: Sequence[RouteBatch], *, committed: bool) -> None:
        """Give back every batch of the event that the southbound did not take."""
        taken = {id(batch) for batch in put} if committed else set()
        for batch in {id(batch): batch for batch in (*event.batches, *put)}.values():
            if id(batch) not in taken:
                batch.release()


def _updating(event: UpdateEvent, txn: Transaction) -> Callable[[EventHandler], str]:
    def call(handler: EventHandler) -> str:
        return handler.update(event, txn)

    return call


def _resyncing(
    event: Event, kube_state_data: KubeStateData, resync_count: int, txn: Transaction
) -> Callable[[EventHandler], str]:
    def call(handler: EventHandler) -> str:
        handler.resync(event, kube_state_data, resync_count, txn)
        return ""

    return call


def _log_handler_error(event: Event, handler: EventHandler, error: Exception) -> None:
    fatal = isinstance(error, FatalError)
    _log.log(
        logging.CRITICAL if fatal else logging.ERROR,
        "%s: handler %s failed: %s",
        event.name,
        handler.name,
        error,
        # Our own errors say what is to be said; where others come from is worth knowing.
        exc_info=None if isinstance(error, ReflectorError) else error,
    )
