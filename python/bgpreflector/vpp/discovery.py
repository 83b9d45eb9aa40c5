"""VPP tables for kernel tables that are discovered at run time (``kernel.discover``)."""

from __future__ import annotations

import logging
from typing import Protocol

from bgpreflector.log_fields import fields
from bgpreflector.routes.names import family_name

from .session import Table, VppSession
from .tables import remove_own_tables

_log = logging.getLogger(__name__)


class DiscoversTables(Protocol):
    """The part of the engine that discovery uses."""

    def mirrored_tables(self) -> list[tuple[int, int, bool, bool, bool]]: ...
    def unassigned_tables(self) -> list[int]: ...
    def set_vpp_tables(self, ours: list[tuple[int, int]], others: list[int]) -> None: ...
    def discover_vpp_table(self, vpp_table: int, is_ip6: bool) -> bool: ...  # noqa: FBT001 - as the compiled engine has it


def unassigned_reason(*, chooses: bool) -> tuple[str, str]:
    """Why kernel tables are not mirrored, and what to do; ``chooses``: from ``vpp.free_tables``."""
    todo = "name a VPP table for each in vpp.tables"
    if chooses:
        return "none of vpp.free_tables is free", f"widen it, or {todo}"
    return "another kernel table goes into the VPP table of that number", todo


class DiscoveredTables:
    """Creates a VPP table before its first route is sent and removes it after the last.

    All calls come from the event loop, one at a time.
    """

    def __init__(
        self,
        engine: DiscoversTables,
        session: VppSession,
        free: tuple[int, int] | None = None,
    ) -> None:
        """``free``: the VPP tables from which one is chosen for each (``vpp.free_tables``)."""
        self._engine = engine
        self._session = session
        self._free = None if free is None else range(free[0], free[1] + 1)
        self._there: set[Table] = set()
        self._left_out: set[int] = set()

    @property
    def there(self) -> frozenset[Table]:
        """The discovered tables that VPP has."""
        return frozenset(self._there)

    def refresh(self) -> None:
        """Find tables that an earlier run left in VPP.

        Those whose kernel table is gone are emptied and removed. Raises
        :class:`~bgpreflector.errors.VppError`.
        """
        self.refresh_vpp_tables()
        own = self._session.own_tables()
        self._there = {table for table in own if self._engine.discover_vpp_table(*table)}
        self.create()

    def create(self) -> None:
        """Create missing tables that have a route. Raises as :meth:`refresh`."""
        new = self._wanted().keys() - self._there
        if new and self._free is not None:
            # Somebody else may have made one of a number that was free.
            self.refresh_vpp_tables()
            new = self._wanted().keys() - self._there
        if new:
            wanted, free = self._wanted(), self._free or ()
            chosen = {table[0]: wanted[table] for table in new if table[0] in free}
            for table_id, is_ip6 in self._session.ensure_tables(sorted(new), chosen):
                _log.info(
                    "Created VPP's %s table %d: the kernel has routes for it",
                    family_name(is_ip6=is_ip6),
                    table_id,
                    extra=fields(
                        "table created", family=family_name(is_ip6=is_ip6), vpp_table=table_id
                    ),
                )
            self._there |= new
        self._warn()

    def _wanted(self) -> dict[Table, int]:
        """The VPP tables that discovered tables with routes go into, by kernel table."""
        return {
            (vpp, is_ip6): kernel
            for kernel, vpp, is_ip6, discovered, in_use in self._engine.mirrored_tables()
            if discovered and in_use
        }

    def refresh_vpp_tables(self) -> None:
        """Tell the engine which VPP tables an earlier run chose, and which are not free."""
        if self._free is None:
            return
        tables = self._session.tables()
        kernel_table = self._session.table_names.kernel_table
        named = {table: kernel_table(table[0], name) for table, name in tables.items()}
        ours = {(kernel, table[0]) for table, kernel in named.items() if kernel is not None}
        others = {table[0] for table, kernel in named.items() if kernel is None}
        self._engine.set_vpp_tables(sorted(ours), sorted(others))

    def remove(self) -> None:
        """Remove tables that we created and that have no routes left."""
        used = {
            (vpp, is_ip6) for _, vpp, is_ip6, _, in_use in self._engine.mirrored_tables() if in_use
        }
        idle = self._there - used
        if idle:
            self._there -= idle
            remove_own_tables(self._session, among=idle)

    def _warn(self) -> None:
        new = set(self._engine.unassigned_tables()) - self._left_out
        if new:
            self._left_out |= new
            _log.warning(
                "Kernel table%s not mirrored: %s; %s",
                f" {min(new)} is" if len(new) == 1 else f"s {', '.join(map(str, sorted(new)))} are",
                *unassigned_reason(chooses=self._free is not None),
                extra=fields("tables left out", tables=sorted(new)),
            )
