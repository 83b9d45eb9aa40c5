"""Undo an update that failed: ``TransactionType.REVERT_ON_FAILURE``.

None of bgpreflector's own events asks for it. A handler that comes from Contiv's controller may:
there an update that cannot be done as a whole is taken back, transaction and handlers.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from .enums import EventMethod
from .errors import FatalError, OperationsFailedError
from .transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .base import UpdateEvent
    from .handler import EventHandler
    from .outcome import Outcome
    from .sink import Sink

_log = logging.getLogger(__name__)


def undo(
    txn: Transaction, before: Mapping[str, object | None], sink: Sink, outcome: Outcome
) -> None:
    """Set every key of a transaction back to what was committed ``before``."""
    undone = Transaction(EventMethod.UPDATE, f"undo of {txn.description}")
    for key, value in before.items():
        if value is None:
            undone.delete(key)
        else:
            undone.put(key, value)
    outcome.result = None
    if undone.is_empty:
        return
    try:
        result = sink.commit(undone)
    except Exception as error:  # noqa: BLE001 - part of the outcome
        _not_undone(outcome, undone.description, error)
    else:
        if not result.ok:
            _not_undone(outcome, undone.description, OperationsFailedError(str(result)))


def revert(executed: Sequence[EventHandler], event: UpdateEvent, outcome: Outcome) -> None:
    """Undo the changes of the handlers that were called, in reverse order."""
    for handler in reversed(executed):
        try:
            handler.revert(event)
        except Exception as error:  # noqa: BLE001 - part of the outcome
            _not_undone(outcome, f"{event.name}: revert of {handler.name}", error)
            if outcome.fatal is not None:
                return


def _not_undone(outcome: Outcome, what: str, error: BaseException) -> None:
    _log.error("%s failed: %s", what, error)
    first = outcome.error
    if first is None or isinstance(error, FatalError):
        outcome.fail(error, heal=False)
    else:
        first.add_note(f"{what} failed: {error}")
    outcome.heals = outcome.error
