"""One event through the handlers and into the southbound."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bgpreflector.errors import ReflectorError
from bgpreflector.log_fields import fields

from .base import Event, UpdateEvent
from .enums import Direction, EventMethod, TransactionType
from .errors import (
    AbortEventError,
    BatchNotConsumedError,
    FatalError,
    OperationsFailedError,
)
from .event_queue import call_committed
from .outcome import Outcome
from .transaction import Transaction
from .undo import revert, undo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .batch import RouteBatch
    from .handler import EventHandler, KubeStateData
    from .sink import Sink

_log = logging.getLogger(__name__)


class Dispatcher:
    """Takes events through the handlers, in order, and commits what they ask for."""

    def __init__(self, handlers: Sequence[EventHandler], sink: Sink) -> None:
        self._handlers = tuple(handlers)
        self._sink = sink
        self._values: dict[str, tuple[object, str]] = {}
        """What was committed by key, and the handler that put it."""

        self._logged_not_taken = False
        self.handler_errors: dict[str, int] = {handler.name: 0 for handler in handlers}
        """Exceptions of each handler so far, by its name."""

    def process(self, event: Event, kube_state_data: KubeStateData, resync_count: int) -> Outcome:
        """Process one event; never raises an ``Exception``."""
        update = event if isinstance(event, UpdateEvent) else None
        kind = None if update is None else update.transaction_type
        wants_healing = kind is not TransactionType.BEST_EFFORT_IGNORE_ERRORS
        reverts = kind is TransactionType.REVERT_ON_FAILURE
        outcome = Outcome(may_heal=wants_healing and not reverts)
        txn = Transaction(event.method, event.name)
        reread = not event.method.rereads_southbound or self._reread(outcome)
        handlers = self._handlers if event.method.calls_handlers else ()
        if update is None:
            call = _resyncing(event, kube_state_data, resync_count, txn)
        else:
            call = _updating(update, txn)
            handlers = handlers if update.direction is Direction.FORWARD else handlers[::-1]
        executed, complete = self._run_handlers(event, handlers, call, txn, outcome, stops=reverts)
        committed = False
        if reread and complete and (event.method.is_resync or not txn.is_empty):
            committed = self._commit(txn, outcome, reverts=reverts)
        if outcome.error is not None and outcome.fatal is None and reverts and update is not None:
            revert(executed, update, outcome)
        outcome.heals_failed_operations = update is not None and wants_healing
        self._release(event, txn.batches, outcome, committed=committed)
        if committed:
            outcome.note_done(event.name)
        return outcome

    def _reread(self, outcome: Outcome) -> bool:
        try:
            self._sink.resync()
        except Exception as error:  # noqa: BLE001 - part of the outcome
            _log.debug("The southbound could not be read again: %s", error)
            outcome.fail(error, heal=True)
            return False
        return True

    def _run_handlers(  # noqa: PLR0913 - all of one event
        self,
        event: Event,
        handlers: Sequence[EventHandler],
        call: Callable[[EventHandler], str],
        txn: Transaction,
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
                txn.writer = handler.name
                change = call(handler)
            except Exception as error:  # noqa: BLE001 - part of the outcome
                self._handler_failed(event, handler, error, outcome)
                self._keep(handler, txn)
                if stops or isinstance(error, FatalError | AbortEventError):
                    return executed, False
            else:
                executed.append(handler)
                if change:
                    outcome.changes[handler.name] = change
        return executed, True

    def count_error(self, handler: EventHandler) -> None:
        """Count an exception of a handler."""
        self.handler_errors[handler.name] = self.handler_errors.get(handler.name, 0) + 1

    def _handler_failed(
        self, event: Event, handler: EventHandler, error: Exception, outcome: Outcome
    ) -> None:
        self.count_error(handler)
        _log_handler_error(event, handler, error)
        outcome.handler_failed(handler.name, error)

    def _keep(self, handler: EventHandler, txn: Transaction) -> None:
        """What a handler had put stays where it fails to say in a resync what must exist."""
        if not txn.is_resync:
            return
        for key, (value, writer) in self._values.items():
            if writer == handler.name and key not in txn.values:
                txn.put(key, value)

    def _commit(self, txn: Transaction, outcome: Outcome, *, reverts: bool) -> bool:
        """Whether the southbound took the transaction, refused operations included."""
        try:
            result = self._sink.commit(txn)
        except Exception as error:  # noqa: BLE001 - part of the outcome
            _log.debug("%s: the transaction could not be committed: %s", txn.description, error)
            outcome.fail(error, heal=True)
            if reverts:
                undo(txn, self._committed(txn), self._sink, outcome)
            return False
        outcome.result = result
        if result.ok:
            self._remember(txn)
            return True
        # It is tried again first.
        outcome.fail(OperationsFailedError(f"{txn.description}: {result}"), heal=False)
        if reverts:
            undo(txn, self._committed(txn), self._sink, outcome)
            return False
        self._remember(txn)
        return True

    def _committed(self, txn: Transaction) -> dict[str, object | None]:
        """What was committed before of each key of the transaction; ``None`` for nothing."""
        return {key: self._values.get(key, (None, ""))[0] for key in txn.values}

    def _remember(self, txn: Transaction) -> None:
        if txn.method is EventMethod.DOWNSTREAM_RESYNC:
            return
        if txn.is_resync:
            self._values.clear()
        for key in txn.deletes():
            self._values.pop(key, None)
        for key, value in txn.puts():
            self._values[key] = value, txn.writer_of(key)

    def _release(
        self, event: Event, put: Sequence[RouteBatch], outcome: Outcome, *, committed: bool
    ) -> None:
        """Give back every batch of the event that the southbound did not take."""
        left = 0
        for batch in {id(batch): batch for batch in (*event.batches, *put)}.values():
            if not batch.is_consumed:
                left += len(batch)
            if not committed or not batch.is_consumed:
                batch.release()
        if left and (outcome.error is None or outcome.is_handlers_own):
            self._not_taken(event, left, outcome, put=bool(put))
        elif committed:
            call_committed(event)

    def _not_taken(self, event: Event, left: int, outcome: Outcome, *, put: bool) -> None:
        """Nothing has failed, and yet the same changes would come again at once."""
        sink = type(self._sink).__name__
        who = (
            f"commit() of the sink {sink} has not taken {left} route changes: it must do what each "
            "batch of the transaction says; bgpreflector.RouteSink does, and calls you for each"
            if put
            else f"no handler has put the event's {left} route changes into the transaction"
        )
        error = BatchNotConsumedError(f"{event.name}: {who}")
        if not self._logged_not_taken:
            self._logged_not_taken = True
            _log.error("%s", error)
        outcome.fail(error, heal=False)


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
        extra=fields("handler failed", handler=handler.name, during=event.name, error=str(error)),
        # Our own errors say what is to be said; where others come from is worth knowing.
        exc_info=None if isinstance(error, ReflectorError) else error,
    )
