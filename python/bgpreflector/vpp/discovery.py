"""VPP tables for kernel tables that are discovered at run time (``kernel.discover``)."""

from __future__ import annotations

import logging
from typing import Protocol

from bgpreflector.log_fields import fields

from .session import Table, VppSession
from .tables import remove_own_tables

_log = logging.getLogger(__name__)


class DiscoversTables(Protocol):
    """The part of the engine that discovery uses."""

    def mirrored_tables(self) -> list[tuple[int, int, bool, bool, bool]]: ...
    def tables_left_out(self) -> list[int]: ...
    def discover_vpp_table(self, vpp_table: int, is_ip6: bool) -> bool: ...  # noqa: FBT001 - as the compiled engine has it


class DiscoveredTables:
    """Creates a VPP table before its first route is sent and removes it after the last.

    All calls come from the event loop, one at a time.
    """

    def __init__(self, engine: DiscoversTables, session: VppSession) -> None:
        self._engine = engine
        self._session = session
        self._there: set[Table] = set()
        self._left_out: set[int] = set()

    @property
    def there(self) -> frozenset[Table]:
        """The discovered tables that VPP has."""
        return frozenset(self._there)

    def look(self) -> None:
        """Find tables that an earlier run left in VPP.

        Those whose kernel table is gone are emptied and removed. Raises
        :class:`~bgpreflector.errors.VppError`.
        """
        own = self._session.own_tables()
        self._there = {table for table in own if self._engine.discover_vpp_table(*table)}
        self.create()

    def create(self) -> None:
        """Create missing tables that have a route. Raises as :meth:`look`."""
        new = {
            (vpp, is_ip6)
            for _, vpp, is_ip6, discovered, in_use in self._engine.mirrored_tables()
            if discovered and in_use
        } - self._there
        if new:
            for table_id, is_ip6 in self._session.ensure_tables(sorted(new)):
                _log.info(
                    "Created VPP's %s table %d: the kernel has routes for it",
                    "IPv6" if is_ip6 else "IPv4",
                    table_id,
                    extra=fields(
                        "table created", family="IPv6" if is_ip6 else "IPv4", table=table_id
                    ),
                )
            self._there |= new
        self._warn()

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
        new = set(self._engine.tables_left_out()) - self._left_out
        if new:
            self._left_out |= new
            _log.warning(
                "Kernel tables %s are not mirrored: others go into the VPP tables of these "
                "numbers; name a VPP table for each in vpp.tables",
                ", ".join(map(str, sorted(new))),
                extra=fields("tables left out", tables=sorted(new)),
            )
