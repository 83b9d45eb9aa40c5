"""Clear the VPP tables that a reload no longer mirrors into."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING

from bgpreflector.controller import Event, Observer, UpdateEvent
from bgpreflector.errors import VppError
from bgpreflector.log_fields import fields
from bgpreflector.routes.listing import installed_count
from bgpreflector.routes.names import family_name
from bgpreflector.units import counted
from bgpreflector.vpp import exceeds
from bgpreflector.vpp.tables import remove_own_tables

if TYPE_CHECKING:
    from bgpreflector import _core
    from bgpreflector.config import Config
    from bgpreflector.vpp import FibProgrammer
    from bgpreflector.vpp.session import Table

_log = logging.getLogger(__name__)

STAY_WARNING = (
    "Our routes stay in VPP's tables %s, which are not mirrored into any more: %s; the next resync "
    "tries again, or stop the daemon and use `bgpreflector flush`"
)

GUARDED_WARNING = (
    "The reload would delete %s of the %s of ours that VPP has, as tables %s are not "
    "mirrored into any more. They stay until `bgpreflector resume`; is the configuration right?"
)


class UnmirroredTablesDue(UpdateEvent):
    """Try again to clear the tables that are not mirrored into any more."""

    @property
    def name(self) -> str:
        """The name of all events of this type."""
        return "Unmirrored Tables"

    @property
    def is_blocking(self) -> bool:
        """The caller waits for it."""
        return True


class UnmirroredTables(Observer):
    """Deletes our routes from tables that are given up, once VPP has been read.

    Tables that we created are removed if nothing else is in them. Each resync tries what the
    ones before could not do. Most of our routes wait for approval.
    """

    def __init__(self, engine: _core.Engine, sink: FibProgrammer, config: Config) -> None:
        """There are no such tables until :meth:`give_up`."""
        self._engine = engine
        self._sink = sink
        self._guard = config.vpp.guard
        self._configured = frozenset(config.vpp_tables)
        self._tables: set[Table] = set()
        self._kept: int | None = None
        self._approved = False
        self._reason = ""
        self.withheld = 0
        """Routes that wait for :meth:`approve`."""

    @property
    def tables(self) -> frozenset[Table]:
        """Those that may still have routes of ours."""
        return frozenset(self._tables)

    def give_up(self, tables: Collection[Table]) -> None:
        """Clear these, unless they are mirrored into."""
        # Before VPP is read: a table that is discovered is adopted with the others.
        discovers = self._engine.discover_vpp_table
        others = set(tables) - self._configured
        self._tables.update(table for table in others if not discovers(*table))

    def continue_from(self, replaced: UnmirroredTables) -> None:
        """Take over the tables that a daemon before has not cleared."""
        self.give_up(replaced.tables)
        if self._tables:
            self._kept = replaced._kept

    def approve(self) -> None:
        """Let the routes that wait be deleted; those that nobody was told of may still wait."""
        self._approved = self.withheld > 0

    def handles_event(self, event: Event) -> bool:
        """Resyncs, and its own event, while there are such tables."""
        return bool(self._tables) and (
            event.method.is_resync or isinstance(event, UnmirroredTablesDue)
        )

    def observe(self, event: Event) -> str:  # noqa: ARG002 - an observer's signature
        """Clear what can be cleared: before the commit, so that new routes do not count."""
        if self._sink.lost:
            self._stay("VPP cannot be reached")
        elif not self._sink.has_read:
            self._stay("VPP's routes cannot be read")
        elif not self._sink.paused:
            self.clear()
        return ""

    def clear(self, *, approved: bool = False) -> int:
        """Delete our routes now, unless they are too many and not ``approved``; how many were."""
        # Discovery may have found them in VPP meanwhile.
        mirrored = {table for table in self._tables if self._engine.discover_vpp_table(*table)}
        self._tables -= mirrored
        if not self._tables:
            self.withheld = 0
        source = self._sink.source
        if source is None or not self._tables:
            return 0
        try:
            if not (approved or self._approved) and self._too_many(source):
                return 0
            flushed = self._flush(source, dry_run=False)
        except VppError as error:
            self._stay(str(error))
            return 0
        for table in flushed.tables:
            self._cleared(*table)
        self._remove({(table, is_ip6) for table, is_ip6, *_ in flushed.tables} - self._tables)
        self.withheld, self._reason = 0, ""
        if not self._tables:
            self._kept, self._approved = None, False
        return sum(deleted for _, _, _, deleted, _ in flushed.tables)

    def _flush(self, source: int, *, dry_run: bool) -> _core.FlushReport:
        better, tables = list(self._sink.fib_sources.better), sorted(self._tables)
        return self._engine.flush(source, better=better, tables=tables, dry_run=dry_run)

    def _too_many(self, source: int) -> bool:
        found = self._flush(source, dry_run=True)
        shown = sum(dumped for _, _, dumped, _, _ in found.tables)
        kept = installed_count(self._engine.status().prefixes)
        # Read again, there are those that were added while others waited.
        self._kept = kept if self._kept is None else min(kept, self._kept)
        total = shown + self._kept
        before, self.withheld = self.withheld, 0
        if not exceeds(self._guard, shown, total):
            return False
        self.withheld = shown
        if before != shown:
            _log.warning(
                GUARDED_WARNING,
                f"{shown:,}",
                counted(total, "route"),
                self._numbers,
                extra=fields("deletions withheld", deletions=shown, routes=total),
            )
        return True

    def _cleared(self, table: int, is_ip6: bool, dumped: int, deleted: int, refused: int) -> None:  # noqa: FBT001 - as the compiled engine reports it
        if deleted == dumped and not refused:
            self._tables.discard((table, is_ip6))
        family = family_name(is_ip6=is_ip6)
        _log.info(
            "VPP's %s table %d is not mirrored into any more: %s of ours deleted, %s refused",
            family,
            table,
            counted(deleted, "route"),
            f"{refused:,}",
            extra=fields(
                "table given up", family=family, vpp_table=table, deleted=deleted, refused=refused
            ),
        )

    def _remove(self, cleared: Collection[Table]) -> None:
        """Remove those that we created and that have no routes of others."""
        try:
            remove_own_tables(self._sink.session, among=cleared)
        except VppError as error:
            _log.warning("Empty tables of ours stay in VPP: %s", error)

    def _stay(self, reason: str) -> None:
        if reason != self._reason:
            self._reason = reason
            _log.error(STAY_WARNING, self._numbers, reason)

    @property
    def _numbers(self) -> str:
        return ", ".join(map(str, sorted({table for table, _ in self._tables})))
