"""What ``audit`` asks of the kernel itself, and of what VPP has resolved."""

from __future__ import annotations

import os
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import click

from bgpreflector import _core
from bgpreflector.audit.difference import Audit, PrefixKey
from bgpreflector.audit.unreached_tables import JudgedLookup
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
    """Those that the kernel forwards by another table, as no rule leads to theirs or others come
    first, or by a route of a protocol that is not mirrored."""

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


def _object(judged: JudgedLookup) -> dict[str, object]:
    one = judged.check
    return {
        "kind": "lookup",
        "verdict": judged.verdict,
        "table": one.table,
        "prefix": one.prefix,
        "address": str(one.address),
        "kernel": _kernel(one),
        "expected": one.expected,
        "installed": one.installed,
    }


def _line(judged: JudgedLookup, vpp_names: Mapping[int, str]) -> str:
    one = judged.check
    word = "different" if judged.verdict == "different" else "other route"
    does = f"the kernel forwards {one.address} by {_kernel(one)}"
    if not judged.reached:
        does = f"no rule (`ip rule`) leads the kernel to it: {one.address} goes by {_kernel(one)}"
    line = f"{word} {one.prefix} table {one.table}  {does}  (VPP has {_installed(one)})"
    return with_names(line, vpp_names)


def _installed(one: _core.LookupCheck) -> str:
    return ", ".join(one.installed) or "nothing"


def _kernel(one: _core.LookupCheck) -> str:
    if one.kernel is not None:
        means = ", ".join(one.expected) or one.reason or one.kernel.route_type
        return f"{one.kernel.prefix} in table {one.kernel.table}: {means}"
    return "nothing" if one.error is None else f"nothing: {os.strerror(one.error)}"
