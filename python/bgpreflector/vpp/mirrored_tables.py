"""The VPP tables that routes go into."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bgpreflector.log_fields import fields
from bgpreflector.routes.names import family_name

from .discovery import DiscoveredTables, DiscoversTables
from .session import Table, VppSession

_log = logging.getLogger(__name__)


class MirroredTables:
    """The configured tables, and those of kernel tables that are discovered.

    All calls come from the event loop, one at a time.
    """

    def __init__(  # noqa: PLR0913 - of both sides of the configuration
        self,
        engine: DiscoversTables,
        session: VppSession,
        configured: Sequence[Table],
        *,
        discovers: bool,
        free: tuple[int, int] | None,
        read_only: bool,
    ) -> None:
        """Arguments as of :class:`FibProgrammer`."""
        self._session = session
        self._configured = tuple(configured)
        self._read_only = read_only
        # Without discovery too: it tells the engine which VPP tables earlier runs chose.
        self._numbers = DiscoveredTables(engine, session, free)
        self._discovered = self._numbers if discovers and not read_only else None
        self.missing: list[Table] = []
        """Tables that are missing, where they must not be created."""

    @property
    def all(self) -> Sequence[Table]:
        """The configured tables and the discovered ones."""
        further = () if self._discovered is None else self._discovered.there
        return [*self._configured, *sorted(further)]

    def refresh(self) -> None:
        """Create missing tables: others may delete one, and VPP then refuses its routes."""
        if self._read_only:
            self.missing = self._session.missing_tables(self._configured)
            self._numbers.refresh_vpp_tables()
            return
        for table_id, is_ip6 in self._session.ensure_tables(self._configured):
            family = family_name(is_ip6=is_ip6)
            extra = fields("table created", family=family, vpp_table=table_id)
            _log.info("Created VPP's %s table %d", family, table_id, extra=extra)
        if self._discovered is not None:
            self._discovered.refresh()

    def create(self) -> None:
        """Create the discovered tables that have a route, before it is sent."""
        if self._discovered is not None:
            self._discovered.create()

    def remove(self) -> None:
        """Remove the discovered tables that have no routes left."""
        if self._discovered is not None:
            self._discovered.remove()
