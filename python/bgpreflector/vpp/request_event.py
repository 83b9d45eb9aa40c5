"""Requests to VPP as events, because its session belongs to the event loop."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Generic, TypeVar

from bgpreflector.controller import TransactionType, UpdateEvent

T = TypeVar("T")


class RequestEvent(UpdateEvent, Generic[T]):
    """An event whose caller waits for an answer, which the handler sets."""

    def __init__(self) -> None:
        self.answer: Future[T] = Future()

    @property
    def transaction_type(self) -> TransactionType:
        """Continue: an error goes to the caller and leaves nothing half done."""
        return TransactionType.BEST_EFFORT_IGNORE_ERRORS

    @property
    def is_wanted(self) -> bool:
        """Whether a caller still waits."""
        return not self.answer.cancelled()

    def done(self, error: BaseException | None) -> None:
        """Pass the error to the caller, so that none waits forever."""
        if error is not None and not self.answer.done():
            self.answer.set_exception(error)
