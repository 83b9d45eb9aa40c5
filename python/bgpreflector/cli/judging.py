"""What ``audit`` asks of the kernel itself, and of what VPP has resolved."""

from __future__ import annotations

import json
import os
from collections.abc import Container, Sequence
from dataclasses import dataclass

import typer

from bgpreflector import _core
from bgpreflector.audit.difference import Comparison, Place
from bgpreflector.routes.paths import with_names

from .output import say

SAMPLE = 1000
"""Routes that the kernel is asked about: a hundred thousand a second."""


@dataclass(frozen=True)
class Seen:
    """What was found."""

    asked: int
    """Prefixes that the kernel was asked about."""

    otherwise: int
    """Those of them that VPP forwards otherwise."""

    elsewhere: int
    """Those that the kernel decides by a table that is not mirrored."""

    unresolved: int
    """Sets of paths that VPP has, and drops what goes there."""


def look(
    both: Comparison,
    sample: int,
    prefixes: Sequence[str],
    known: Container[Place],
    *,
    as_json: bool,
) -> Seen:
    """Print what VPP does otherwise than the kernel says, ``known`` differences left out."""
    try:
        judged = both.judged(sample, prefixes, known)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--prefix") from error
    for one in judged:
        if one.verdict in ("different", "elsewhere"):
            say(json.dumps(_object(one)) if as_json else with_names(_line(one), both.vpp_names))
    unresolved = both.unresolved()
    for (table, prefix), trouble in unresolved:
        row = {"unresolved": prefix, "table": table, "why": trouble}
        say(json.dumps(row) if as_json else f"unresolved {prefix} table {table}  {trouble}")
    return Seen(
        asked=len(judged),
        otherwise=sum(one.verdict == "different" for one in judged),
        elsewhere=sum(one.verdict == "elsewhere" for one in judged),
        unresolved=len(unresolved),
    )


def _object(one: _core.Judgement) -> dict[str, object]:
    return {
        "kernel_says": one.verdict,
        "table": one.table,
        "prefix": one.prefix,
        "address": str(one.address),
        "kernel": _kernel(one),
        "expected": one.expected,
        "installed": one.installed,
    }


def _line(one: _core.Judgement) -> str:
    word = "otherwise" if one.verdict == "different" else "elsewhere"
    has = ", ".join(one.installed) or "nothing"
    return (
        f"{word} {one.prefix} table {one.table}  the kernel forwards {one.address} by "
        f"{_kernel(one)}  (VPP has {has})"
    )


def _kernel(one: _core.Judgement) -> str:
    if one.kernel is not None:
        means = ", ".join(one.expected) or one.reason or one.kernel.route_type
        return f"{one.kernel.prefix} in table {one.kernel.table}: {means}"
    return "nothing" if one.error is None else f"nothing: {os.strerror(one.error)}"
