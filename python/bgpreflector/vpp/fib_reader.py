"""Read how VPP forwards, to compare it and to explain it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from .lookup import FibQuery, VppEntry, lookup
from .resolved import is_entered, unresolved
from .session import VppSession
from .vpp_state import VppState


class ListsPathSets(Protocol):
    """The part of :class:`bgpreflector._core.Engine` that the reader uses."""

    def path_set_examples(self) -> list[tuple[int, str, list[int]]]: ...


class FibReader:
    """Asks VPP for entries. All calls come from the event loop, one at a time."""

    def __init__(
        self, engine: ListsPathSets, session: VppSession, source: str, vpp_state: VppState
    ) -> None:
        """``source`` is the name of our FIB source."""
        self._engine = engine
        self._session = session
        self._source = source
        self._vpp_state = vpp_state

    def look_up(self, queries: Sequence[FibQuery]) -> list[VppEntry | None]:
        """The entries by which VPP forwards now. Raises :class:`~bgpreflector.errors.VppError`."""
        return [self._look_up(query) for query in queries]

    def _look_up(self, query: FibQuery) -> VppEntry | None:
        table, prefix = query.table, query.prefix
        entry = lookup(self._session, table, prefix, exact=query.exact)
        if entry is None or query.exact:
            return entry
        return replace(entry, entered=self.is_entered(table, is_ip6=":" in prefix))

    def is_entered(self, table: int, *, is_ip6: bool) -> bool:
        """Whether a VPP table has an interface. Raises :class:`~bgpreflector.errors.VppError`."""
        indices = self._vpp_state.interfaces.by_name.values()
        return is_entered(self._session, table, indices, is_ip6=is_ip6)

    def unresolved(self) -> Iterator[tuple[int, str, str]]:
        """Routes of ours that VPP has and does not forward by, one for each set of paths: VPP
        table, prefix, and why. Raises :class:`~bgpreflector.errors.VppLostError`."""
        return unresolved(self._session, self._source, self._engine.path_set_examples())
