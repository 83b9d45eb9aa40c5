"""The results of the batches that are sent to VPP."""

from __future__ import annotations

from bgpreflector.controller import CommitResult, OperationFailure
from bgpreflector.controller.sink import MAX_FAILURES


def refusal(prefix: str, table: int, meaning: str, *, retriable: bool) -> OperationFailure:
    """VPP's refusal of a route."""
    where = f"{prefix} in VPP table {table}"
    return OperationFailure(where, meaning, retriable, prefix, table)


def both(first: CommitResult, second: CommitResult) -> CommitResult:
    """The result of two commits in a row."""
    failures = (*first.failures, *second.failures)[:MAX_FAILURES]
    applied, failed = first.applied + second.applied, first.failed + second.failed
    return CommitResult(applied, failed, second.held, failures)
