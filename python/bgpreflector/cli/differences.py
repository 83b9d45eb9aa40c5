"""``bgpreflector plan`` and ``audit``: what differs between kernel and VPP."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Annotated

import typer

from bgpreflector import _core
from bgpreflector.comparison import Comparison, Place, comparison

from .daemon import by_name
from .exit_codes import ExitCode
from .options import ConfigFile, Interfaces, Netns, Protocols, Socket, read_config

SCHEMA = 1
"""Version of the JSON lines; it grows when a field changes its meaning or goes."""

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line, a summary last.")]

OPERATIONS = ("add", "replace", "delete")


def plan(
    config: ConfigFile = None,
    socket: Socket = None,
    netns: Netns = None,
    protocol: Protocols = None,
    interface: Interfaces = None,
    as_json: AsJson = False,
) -> None:
    """Print what a run would add, replace and delete in VPP now, and touch nothing."""
    settings = read_config(
        config, socket=socket, netns=netns, protocols=protocol, interfaces=interface
    )
    with comparison(settings) as both:
        for table, is_ip6 in both.sink.missing_tables:
            family = "IPv6" if is_ip6 else "IPv4"
            typer.echo(f"VPP's {family} table {table} would be created", err=True)
        counts = _show(both.changes(), both.overridden(), as_json=as_json)
        held = both.engine.status().held_routes
    _summary("plan", counts, as_json=as_json, held=held)


def audit(
    config: ConfigFile = None,
    socket: Socket = None,
    netns: Netns = None,
    protocol: Protocols = None,
    interface: Interfaces = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list; repair nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare kernel and VPP, list what differs, and repair it.

    What is still different a second later counts, so a daemon may run meanwhile. Exit status
    6 where differences stay: with --dry-run, or as VPP refuses to repair them.
    """
    settings = read_config(
        config, socket=socket, netns=netns, protocols=protocol, interfaces=interface
    )
    with comparison(settings, read_only=dry_run) as both:
        overridden = both.overridden()
        counts = _show(both.lasting(), overridden, as_json=as_json)
        different = sum(counts.values())
        repaired = _repair(both) if different and not dry_run else 0
    _summary("audit", counts, as_json=as_json, overridden=len(overridden), repaired=repaired)
    if different > repaired:
        raise typer.Exit(ExitCode.DIFFERENT)


def _repair(both: Comparison) -> int:
    repaired, refusals = both.repair()
    for refusal in refusals:
        typer.echo(f"VPP refused: {refusal}", err=True)
    return repaired


def _show(
    changes: Iterable[_core.RouteChange], overridden: set[Place], *, as_json: bool
) -> Counter[str]:
    counts: Counter[str] = Counter(dict.fromkeys(OPERATIONS, 0))
    for change in changes:
        counts[change.operation] += 1
        hidden = (change.table, change.prefix) in overridden
        typer.echo(_json(change, hidden=hidden) if as_json else _line(change, hidden=hidden))
    return counts


def _json(change: _core.RouteChange, *, hidden: bool) -> str:
    return json.dumps(
        {
            "operation": change.operation,
            "table": change.table,
            "prefix": change.prefix,
            "installed": change.installed,
            "desired": change.desired,
            "overridden": hidden,
        }
    )


def _line(change: _core.RouteChange, *, hidden: bool) -> str:
    parts = [f"{change.operation:<7} {change.prefix} table {change.table}"]
    if change.desired:
        parts.append(", ".join(change.desired))
    if change.installed:
        parts.append(f"(VPP has {', '.join(change.installed)})")
    if hidden:
        parts.append("(another source's route hides it in VPP)")
    return "  ".join(parts)


def _summary(what: str, counts: Counter[str], *, as_json: bool, **more: object) -> None:
    if as_json:
        typer.echo(json.dumps({"schema": SCHEMA, what: dict(counts), **more}))
        return
    parts = [f"{counts[operation]} to {operation}" for operation in OPERATIONS]
    parts += [f"{name.replace('_', ' ')}: {_figures(value)}" for name, value in more.items()]
    typer.echo("; ".join(parts))


def _figures(value: object) -> str:
    if isinstance(value, dict):
        return by_name(value) or "none"
    return str(value)
