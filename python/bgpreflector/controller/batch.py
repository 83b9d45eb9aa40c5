"""A full table's worth of changes as one object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable


class RouteBatch(Protocol):
    """Changes that were taken out of the route table together, one a prefix.

    ``len()`` is their number. The changes stay outside Python: only :meth:`changes` makes
    objects of them.
    """

    def __len__(self) -> int: ...

    @property
    def adds(self) -> int:
        """Prefixes that the southbound does not have yet."""

    @property
    def replaces(self) -> int:
        """Prefixes that the southbound has with other next hops."""

    @property
    def deletes(self) -> int:
        """Prefixes that the southbound has and should not have."""

    @property
    def is_consumed(self) -> bool:
        """Whether the changes were taken to be committed, rather than released."""

    def changes(self, limit: int) -> Iterable[object]:
        """At most ``limit`` of the changes, made when this is called.

        ``str()`` of a change is one line for a person to read.
        """

    def release(self) -> None:
        """Give back what was not committed: its prefixes become dirty again.

        Calling it twice, or after the whole batch was committed, does nothing.
        """
