"""What ``audit`` asks of the kernel itself, and of what VPP has resolved."""

from __future__ import annotations

import os
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import click

from bgpreflector import _core
from bgpreflector.audit.difference import Audit, PrefixKey
from bgpreflector.routes.paths import with_names

from .differences import Printer, Row

SAMPLE = 1000
"""Routes that the kernel is asked about: a hundred thousand a second."""


@dataclass(frozen=True)
class LookupCounts:
    """What the checks found."""

    asked: int
    """Prefixes that the kernel was asked about."""

    different: int
    """Those of them that VPP forwards differently."""

    other_route: int
    """Those that the kernel forwards by another table, or by a route of a protocol that is not
    mirrored."""

    unresolved: int
    """Path sets that VPP has and does not forward by."""


def check_lookups(
    both: Audit,
    sample: int,
    prefixes: Sequence[str],
    known: Container[PrefixKey],
    printer: Printer,
) -> LookupCounts:
    """Print where VPP forwards differently from the kernel, except ``known`` differences."""
    try:
        checked = both.lookup_checks(sample, prefixes, known)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--prefix") from error
    for one in checked:
        if one.verdict in ("different", "other_route"):
            printer.row(_object(one), partial(_line, one, both.vpp_names))
    unresolved = both.unresolved()
    for (table, prefix), trouble in unresolved:
        row = {"kind": "unresolved", "table": table, "prefix": prefix, "reason": trouble}
        printer.row(row, partial(_unresolved_line, row))
    return LookupCounts(
        asked=len(checked),
        different=sum(one.verdict == "different" for one in checked),
        other_route=sum(one.verdict == "other_route" for one in checked),
        unresolved=len(unresolved),
    )


def _unresolved_line(row: Row) -> str:
    return f"unresolved {row['prefix']} table {row['table']}  {row['reason']}"


def _object(one: _core.LookupCheck) -> dict[str, object]:
    return {
        "kind": "lookup",
        "verdict": one.verdict,
        "table": one.table,
        "prefix": one.prefix,
        "address": str(one.address),
        "kernel": _kernel(one),
        "expected": one.expected,
        "installed": one.installed,
    }


def _line(one: _core.LookupCheck, vpp_names: Mapping[int, str]) -> str:
    word = "different" if one.verdict == "different" else "other route"
    has = ", ".join(one.installed) or "nothing"
    line = (
        f"{word} {one.prefix} table {one.table}  the kernel forwards {one.address} by "
        f"{_kernel(one)}  (VPP has {has})"
    )
    return with_names(line, vpp_names)


def _kernel(one: _core.LookupCheck) -> str:
    if one.kernel is not None:
        means = ", ".join(one.expected) or one.reason or one.kernel.route_type
        return f"{one.kernel.prefix} in table {one.kernel.table}: {means}"
    return "nothing" if one.error is None else f"nothing: {os.strerror(one.error)}"
