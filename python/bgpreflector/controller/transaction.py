"""What the handlers of one event want of the southbound."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .batch import RouteBatch
    from .enums import EventMethod


class ResyncOperations(Protocol):
    """What a handler may do with the transaction of a resync."""

    def put(self, key: str, value: object) -> None:
        """Set the value of ``key``; the last call for a key counts."""

    def get(self, key: str) -> object | None:
        """The value that this transaction sets for ``key``, ``None`` if it sets none."""

    def put_batch(self, batch: RouteBatch) -> None:
        """Add all changes of ``batch``."""


class UpdateOperations(ResyncOperations, Protocol):
    """What a handler may do with the transaction of an update."""

    def delete(self, key: str) -> None:
        """Remove ``key``; the last call for a key counts."""


class Transaction:
    """The collected operations of one event, read by the :class:`~.sink.Sink`.

    In an update, keys that are not mentioned stay as they are. In a full or upstream
    resync, :attr:`values` is everything that must exist: keys not mentioned must go. A
    batch is always a difference. The transaction of a downstream resync is empty: the
    southbound corrects all differences from earlier transactions, refused operations included.

    Examples:
        >>> from bgpreflector.controller import EventMethod
        >>> update = Transaction(EventMethod.UPDATE)
        >>> update.put("a", 1)
        >>> update.delete("b")
        >>> list(update.puts()), list(update.deletes()), update.get("a")
        ([('a', 1)], ['b'], 1)
        >>> Transaction(EventMethod.FULL_RESYNC).delete("a")
        Traceback (most recent call last):
        ValueError: delete of 'a' in a resync: leave the key out instead
    """

    def __init__(self, method: EventMethod, description: str = "") -> None:
        self._method = method
        self._description = description
        self._values: dict[str, object | None] = {}
        self._batches: list[RouteBatch] = []
        self._writers: dict[str, str] = {}
        self.writer = ""
        """The name of the handler that puts from now on."""

    @property
    def method(self) -> EventMethod:
        """The method of the event."""
        return self._method

    @property
    def is_resync(self) -> bool:
        """Whether the event is a resync of any kind."""
        return self._method.is_resync

    @property
    def description(self) -> str:
        """One line for logs: the event's name."""
        return self._description

    @property
    def values(self) -> Mapping[str, object | None]:
        """All keys in the order of their first mention; ``None`` means delete."""
        return MappingProxyType(self._values)

    @property
    def batches(self) -> tuple[RouteBatch, ...]:
        """The batches in the order in which they were put."""
        return tuple(self._batches)

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a key nor a batch with a change."""
        return not self._values and not any(len(batch) for batch in self._batches)

    def puts(self) -> Iterator[tuple[str, object]]:
        """The keys to set, with their values."""
        for key, value in self._values.items():
            if value is not None:
                yield key, value

    def deletes(self) -> Iterator[str]:
        """The keys to remove."""
        for key, value in self._values.items():
            if value is None:
                yield key

    def put(self, key: str, value: object) -> None:
        """Set the value of ``key``. Raises ``ValueError`` for the value ``None``."""
        if value is None:
            raise ValueError(f"put of {key!r}: the value is None; use delete() to remove a key")
        self._values[key] = value
        self._writers[key] = self.writer

    def get(self, key: str) -> object | None:
        """The value that this transaction sets for ``key``, ``None`` if it sets none."""
        return self._values.get(key)

    def delete(self, key: str) -> None:
        """Remove ``key``. Raises ``ValueError`` in a resync, which says what must exist."""
        if self.is_resync:
            raise ValueError(f"delete of {key!r} in a resync: leave the key out instead")
        self._values[key] = None

    def writer_of(self, key: str) -> str:
        """The name of the handler that put ``key`` last."""
        return self._writers.get(key, "")

    def put_batch(self, batch: RouteBatch) -> None:
        """Add all changes of ``batch``."""
        self._batches.append(batch)
