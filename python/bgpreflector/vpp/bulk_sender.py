"""Send batches over the bulk connection."""

from __future__ import annotations

from collections.abc import Sequence

from bgpreflector import _core
from bgpreflector.controller import CommitResult, OperationFailure

from .commit_results import refusal
from .engine import RouteEngine


def send_bulk(
    engine: RouteEngine, batches: Sequence[_core.RouteBatch], source: int
) -> CommitResult:
    """Raises :class:`~bgpreflector.errors.VppLostError`; what had no answer is dirty again then."""
    applied = failed = 0
    failures: list[OperationFailure] = []
    for batch in batches:
        report = engine.commit(batch, source)
        applied += report.added + report.replaced + report.deleted
        failed += report.failed
        failures.extend(
            refusal(prefix, table, meaning, retriable=retriable)
            for table, prefix, _, meaning, retriable in report.failures
        )
    return CommitResult(applied, failed, engine.held_count(), tuple(failures))
