"""Which of the kernel's answers say nothing of a VPP table."""

from __future__ import annotations

import errno
from types import SimpleNamespace
from typing import Any

import pytest

from bgpreflector.audit.unreached_tables import judged


def answer(table: int, error: int | None, decided_by: int | None = None) -> Any:
    """A lookup of a prefix of a table that VPP forwards otherwise."""
    kernel = None if decided_by is None else SimpleNamespace(table=decided_by)
    return SimpleNamespace(
        table=table, prefix="10.0.0.0/24", kernel=kernel, error=error, verdict="different"
    )


@pytest.mark.parametrize(
    ("answers", "verdicts"),
    [
        ([answer(100, errno.ENETUNREACH)], ["other_route"]),
        ([answer(254, errno.ENETUNREACH)], ["different"]),
        ([answer(100, errno.EINVAL)], ["different"]),
        ([answer(100, errno.EHOSTUNREACH)], ["different"]),
        ([answer(100, errno.ENETUNREACH), answer(100, None, 100)], ["different", "different"]),
    ],
)
def test_a_table_that_no_rule_leads_to(answers: list[Any], verdicts: list[str]) -> None:
    """Only that there is no route at all may mean that; a blackhole is a route."""
    assert [one.verdict for one in judged(answers)] == verdicts
