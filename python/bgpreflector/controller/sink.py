"""The southbound as the controller sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bgpreflector.log_fields import fields
from bgpreflector.units import counted

if TYPE_CHECKING:
    from .transaction import Transaction

MAX_NAMED = 3
"""The most refusals in a log record."""


@dataclass(frozen=True, slots=True)
class OperationFailure:
    """One operation that the southbound refused."""

    key: str
    """What it was about, for instance a prefix and its table."""

    message: str
    """Why, in the southbound's words."""

    retriable: bool
    """Whether trying the same again can help."""

    prefix: str | None = None
    """The prefix, where it was about one."""

    table: int | None = None
    """Its table, in the southbound's numbers."""

    def __str__(self) -> str:
        return f"{self.key}: {self.message}"


MAX_FAILURES = 100
"""The most refusals that a result names."""


@dataclass(frozen=True, slots=True)
class CommitResult:
    """What became of the operations of one commit or retry, and only of that one.

    Examples:
        >>> refused = OperationFailure("192.0.2.0/24", "no such table", retriable=True)
        >>> result = CommitResult(applied=3, failed=1, failures=(refused,))
        >>> print(result)
        3 changes applied, 1 refused, 0 held: 192.0.2.0/24: no such table
        >>> result.refused
        '1 change was refused: 192.0.2.0/24: no such table'
        >>> result.ok, result.retriable
        (False, True)
    """

    applied: int = 0
    """Operations that the southbound acknowledged."""

    failed: int = 0
    """Operations that it refused; it keeps them for :meth:`Sink.retry`."""

    held: int = 0
    """Operations kept until an interface or a table appears; these are no failures."""

    failures: tuple[OperationFailure, ...] = ()
    """A sample of the failed ones, bounded in length."""

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return self.failed == 0

    @property
    def retriable(self) -> bool:
        """Whether a retry can help: not if every failure is known and says that it cannot."""
        known = len(self.failures) >= self.failed
        return not self.ok and not (known and not any(f.retriable for f in self.failures))

    @property
    def refused(self) -> str:
        """What failed, in a sentence."""
        verb = "was" if self.failed == 1 else "were"
        return f"{counted(self.failed, 'change')} {verb} refused{self._sample()}"

    def __str__(self) -> str:
        changes = counted(self.applied, "change")
        return f"{changes} applied, {self.failed:,} refused, {self.held:,} held{self._sample()}"

    def fields(self, event: str, **more: object) -> dict[str, object]:
        """For a log record (:func:`bgpreflector.log_fields.fields`)."""
        return fields(
            event,
            **more,
            applied=self.applied,
            refused=self.failed,
            held=self.held,
            refusals=[
                {"prefix": one.prefix or one.key, "vpp_table": one.table, "message": one.message}
                for one in self.failures[:MAX_NAMED]
            ],
        )

    def _sample(self) -> str:
        text = ""
        if self.failures:
            text += ": " + "; ".join(str(failure) for failure in self.failures[:MAX_NAMED])
        if self.failed > len(self.failures[:MAX_NAMED]):
            text += f" and {self.failed - len(self.failures[:MAX_NAMED])} more"
        return text


class Sink(Protocol):
    """What the controller needs of the southbound. Every call is made by the event loop.

    An exception from any of these means that the southbound could not be reached or has
    lost its state: the event has failed and a healing resync follows. A refused operation
    is no exception but part of the :class:`CommitResult`.
    """

    def resync(self) -> None:
        """Read again what the southbound holds.

        Called in full and downstream resyncs before the handlers, so that what they then
        take is the difference to what is really there.
        """

    def commit(self, txn: Transaction) -> CommitResult:
        """Apply the transaction.

        A later put, delete or change of the same key or prefix replaces a kept failure of
        it. After an exception the controller releases the transaction's batches.
        """

    def retry(self) -> CommitResult:
        """Try the kept failures again, all of them."""
