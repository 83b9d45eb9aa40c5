"""Delete all our routes from VPP without a daemon."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from bgpreflector import _core
from bgpreflector.controller.sink import MAX_FAILURES
from bgpreflector.errors import VppError

from .engine import ConnectsToVpp, connect_bulk
from .fib_sources import better_sources
from .papi_fallback import PapiRoutes
from .rate_limit import RateLimiter
from .session import Table, VppSession, VppSettings
from .tables import remove_own_tables

_log = logging.getLogger(__name__)


class FlushEngine(ConnectsToVpp, Protocol):
    """The part of :class:`bgpreflector._core.Engine` that a flush uses."""

    def disconnect(self) -> None: ...
    def flush(
        self,
        source: int,
        *,
        better: list[int],
        tables: list[Table],
        dry_run: bool,
    ) -> _core.FlushReport: ...


@dataclass
class FlushedTable:
    """One IP table of VPP's."""

    table: Table
    dumped: int = 0
    """Our routes as VPP's dump shows them, without overridden ones."""

    deleted: int = 0
    failed: int = 0


@dataclass
class FlushResult:
    """Result of a flush."""

    tables: list[FlushedTable] = field(default_factory=list)
    """All IP tables of VPP; empty if VPP does not have our FIB source."""

    failures: list[str] = field(default_factory=list)
    """A sample of the refusals, with VPP's reason."""

    own_tables: list[Table] = field(default_factory=list)
    """IP tables that we created."""

    removed_tables: list[Table] = field(default_factory=list)
    """Those of them that were deleted because they were empty."""

    @property
    def dumped(self) -> int:
        """Our routes that VPP showed."""
        return sum(table.dumped for table in self.tables)

    @property
    def deleted(self) -> int:
        """How many of them VPP deleted."""
        return sum(table.deleted for table in self.tables)

    @property
    def failed(self) -> int:
        """Deletions that VPP refused."""
        return sum(table.failed for table in self.tables)


def flush(engine: FlushEngine, settings: VppSettings, *, dry_run: bool) -> FlushResult:
    """Delete all routes under our FIB source from all of VPP's tables, then our tables.

    The source is looked up and never added. With ``dry_run`` nothing is deleted. Raises
    :class:`VppError`.
    """
    session = VppSession(settings)
    try:
        mismatch = connect_bulk(engine, settings)
        session.connect()
        papi = None if mismatch is None else PapiRoutes(session)
        if papi is not None and not papi.tells_sources_apart:
            raise VppError(
                f"{mismatch}: this VPP cannot tell our routes from those of other API clients, "
                "so none are deleted; restarting VPP removes them all"
            )
        return _flush(engine, session, papi, settings, dry_run=dry_run)
    finally:
        engine.disconnect()
        session.close()


def _flush(
    engine: FlushEngine,
    session: VppSession,
    papi: PapiRoutes | None,
    settings: VppSettings,
    *,
    dry_run: bool,
) -> FlushResult:
    result = FlushResult(own_tables=session.own_tables())
    source = session.find_fib_source(settings.fib_source.name)
    if source is not None:
        tables = list(session.tables())
        better = [other.id for other in better_sources(session.fib_sources(), source)]
        if papi is None:
            flushed = engine.flush(source, better=better, tables=tables, dry_run=dry_run)
            result.tables = [FlushedTable((id_, v6), *n) for id_, v6, *n in flushed.tables]
            result.failures = [
                f"{prefix} in VPP table {table}: {meaning}"
                for table, prefix, _, meaning, _ in flushed.failures
            ]
        else:
            result.tables = [FlushedTable(table) for table in tables]
            limiter = None if dry_run else RateLimiter(settings.rate_limit)
            _flush_by_papi(papi, source, better, result, limiter)
    if not dry_run and not result.failed:
        result.removed_tables = remove_own_tables(session)
    return result


def _flush_by_papi(
    papi: PapiRoutes,
    source: int,
    better: Iterable[int],
    result: FlushResult,
    limiter: RateLimiter | None,
) -> None:
    """Like ``Engine.flush``; without a rate limiter nothing is deleted."""
    for table in result.tables:
        shown = list(_prefixes(papi, table.table, source))
        table.dumped = len(shown)
        if limiter is None:
            continue
        unseen = [prefix for other in better for prefix in _prefixes(papi, table.table, other)]
        for number, prefix in enumerate(shown + unseen):
            limiter.wait()
            retval = papi.send(table.table[0], prefix, None, source)
            if retval == 0:
                table.deleted += number < len(shown)
                continue
            table.failed += 1
            if len(result.failures) < MAX_FAILURES:
                meaning, _ = _core.retval_meaning(retval)
                result.failures.append(f"{prefix} in VPP table {table.table[0]}: {meaning}")


def _prefixes(papi: PapiRoutes, table: Table, source: int) -> Iterator[str]:
    return (prefix for _, prefix, _ in papi.dump([table], source))
