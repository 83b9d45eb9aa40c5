"""What VPP shows under our source, compared for somebody who asks."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

from bgpreflector.controller import TransactionType, UpdateEvent

if TYPE_CHECKING:
    from bgpreflector._core import VppAudit


class VppAuditAsked(UpdateEvent):
    """Somebody wants to know how VPP differs from what it has acknowledged."""

    def __init__(self) -> None:
        self.answer: Future[VppAudit | None] = Future()
        """``None`` where this connection cannot tell."""

    @property
    def name(self) -> str:
        """The name of all events of this type."""
        return "VPP Comparison"

    @property
    def transaction_type(self) -> TransactionType:
        """An error is the asker's: nothing is left half done by it."""
        return TransactionType.BEST_EFFORT_IGNORE_ERRORS

    def done(self, error: BaseException | None) -> None:
        """Whoever waits shall not wait in vain."""
        if error is not None and not self.answer.done():
            self.answer.set_exception(error)
