"""``show route`` asks VPP twice, and its routes may change in between."""

from __future__ import annotations

import pytest

from bgpreflector.control.explain import later_entry
from bgpreflector.vpp import FibQuery, VppEntry

QUERY = FibQuery(0, "30.0.35.0/24", exact=True)


def entry(prefix: str) -> VppEntry:
    """One of ours, without paths."""
    return VppEntry(0, prefix, 7, ())


EXACT = entry(QUERY.prefix)


@pytest.mark.parametrize(
    ("exact", "longest", "expected"),
    [
        (None, entry(QUERY.prefix), QUERY.prefix),
        (EXACT, entry("0.0.0.0/0"), None),
        (EXACT, entry("30.0.35.0/25"), QUERY.prefix),
        (None, entry("0.0.0.0/0"), None),
        (EXACT, None, QUERY.prefix),
    ],
)
def test_the_later_answer_counts(
    exact: VppEntry | None, longest: VppEntry | None, expected: str | None
) -> None:
    found = later_entry(QUERY, exact, longest)
    assert (None if found is None else found.prefix) == expected
