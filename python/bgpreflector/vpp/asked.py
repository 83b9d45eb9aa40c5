"""Questions to VPP, put by events: its session belongs to the event loop."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Generic, TypeVar

from bgpreflector.controller import TransactionType, UpdateEvent

T = TypeVar("T")


class AskedEvent(UpdateEvent, Generic[T]):
    """Somebody waits for the answer, which the handler sets."""

    def __init__(self) -> None:
        self.answer: Future[T] = Future()

    @property
    def transaction_type(self) -> TransactionType:
        """An error is the asker's: nothing is left half done by it."""
        return TransactionType.BEST_EFFORT_IGNORE_ERRORS

    @property
    def is_wanted(self) -> bool:
        """Whether anybody still waits."""
        return not self.answer.cancelled()

    def done(self, error: BaseException | None) -> None:
        """Nobody shall wait in vain."""
        if error is not None and not self.answer.done():
            self.answer.set_exception(error)
