"""Kernel tables that lookups do not reach, so that they say nothing of VPP's tables for these."""

from __future__ import annotations

import errno
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bgpreflector.rtnetlink import RT_TABLE_MAIN

if TYPE_CHECKING:
    from bgpreflector import _core


@dataclass(frozen=True)
class JudgedLookup:
    """A lookup of the kernel's, and what it says of VPP."""

    check: _core.LookupCheck
    reached: bool
    """Whether policy rules (``ip rule``) lead lookups to the table."""

    @property
    def verdict(self) -> str:
        """As :attr:`_core.LookupCheck.verdict`."""
        is_other = self.check.verdict == "different" and not self.reached
        return "other_route" if is_other else self.check.verdict


def judged(checks: Collection[_core.LookupCheck]) -> list[JudgedLookup]:
    """Judge lookups together: a table is reached if it decided one of them.

    Lookups have no incoming interface, so that no rule of a VRF applies. The main table always
    counts as reached, and so does one with any answer but that there is no route: another error
    is that of a route, which decides.
    """
    decided = {
        (one.table, ":" in one.prefix)
        for one in checks
        if one.kernel is not None and one.kernel.table == one.table
    }
    return [
        JudgedLookup(
            one,
            one.table == RT_TABLE_MAIN
            or one.error != errno.ENETUNREACH
            or (one.table, ":" in one.prefix) in decided,
        )
        for one in checks
    ]
