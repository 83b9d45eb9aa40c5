"""``bgpreflector plan`` and ``audit``: what differs between kernel and VPP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import click
from click.exceptions import Exit

from bgpreflector import _core
from bgpreflector.audit.difference import Audit, PrefixKey, open_audit
from bgpreflector.config import GuardConfig
from bgpreflector.daemon.instance_lock import writing
from bgpreflector.errors import VppError
from bgpreflector.routes.listing import installed_count
from bgpreflector.routes.names import family_name, table_name
from bgpreflector.routes.paths import path_rows, path_text
from bgpreflector.units import counted, counts_text
from bgpreflector.vpp import exceeds

from . import options
from .config_file import where_from
from .differences import Printer
from .exit_codes import ExitCode
from .lookup_checks import SAMPLE, check_lookups
from .output import say, say_json
from .repair import repair as repair_all
from .repair import repair_by_daemon
from .settings import read_config, say_configuration

SCHEMA = 4
"""Version of the JSON objects; it grows when a field changes its meaning or goes."""

_summary_option = click.option("--summary", is_flag=True, help="Print only the counts.")
_as_json = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON object a line; one with --summary.",
)

OPERATIONS = ("add", "replace", "delete")


@click.command(short_help="Print what a run would change in VPP now.")
@options.configuration
@_summary_option
@_as_json
def plan(
    config: Path | None,
    socket: Path | None,
    netns: str | None,
    protocol: tuple[str, ...],
    interface: tuple[str, ...],
    summary: bool,
    as_json: bool,
) -> None:
    """Print what a run would add, replace and delete in VPP now; change nothing."""
    settings = read_config(
        config, socket=socket, netns=netns, protocols=protocol, interfaces=interface
    )
    say_configuration(config)
    with open_audit(settings) as both:
        for table, is_ip6 in both.sink.tables.missing:
            family = family_name(is_ip6=is_ip6)
            say(f"VPP's {family} table {table} would be created", err=True)
        printer = Printer(SCHEMA, as_json=as_json, summary=summary)
        if summary:
            counts = Counter(both.counts())
        else:
            counts = _show(both, both.changes(), both.overridden(), printer)
        held = both.engine.status().held_routes
    _summary(counts, printer, held=held)


@click.command(short_help="List what differs between kernel and VPP.")
@options.configuration
@options.control_socket
@click.option(
    "--repair",
    is_flag=True,
    help="Ask the running daemon to repair, by its own configuration.",
)
@click.option(
    "--no-daemon",
    is_flag=True,
    help="With --repair: repair without a daemon, by the given configuration.",
)
@click.option("--yes", is_flag=True, help="With --no-daemon: even if most routes would be deleted.")
@click.option(
    "--sample",
    type=click.IntRange(min=0),
    default=SAMPLE,
    show_default=True,
    metavar="N",
    help="Approximate number of routes to check by kernel lookups; 0 for none.",
)
@click.option(
    "--prefix",
    multiple=True,
    metavar="PREFIX",
    help="Check this prefix by a kernel lookup, too; repeatable.",
)
@click.option("--dry-run", is_flag=True, help="Only compare, as without --repair.")
@_summary_option
@_as_json
def audit(
    config: Path | None,
    socket: Path | None,
    netns: str | None,
    protocol: tuple[str, ...],
    interface: tuple[str, ...],
    control: Path | None,
    repair: bool,
    no_daemon: bool,
    yes: bool,
    sample: int,
    prefix: tuple[str, ...],
    dry_run: bool,
    summary: bool,
    as_json: bool,
) -> None:
    """Compare kernel and VPP and list the differences; only --repair changes anything.

    Only differences that persist for a second count, so a daemon may run meanwhile. A sample of
    routes is also checked by kernel lookups, and by how VPP has resolved them. Exit status 6 if
    differences remain; routes that another FIB source overrides are none. --repair asks the
    daemon, which repairs by its own configuration, so options that change it are refused.
    """
    if repair and dry_run:
        raise click.BadParameter("--dry-run and --repair exclude each other")
    if no_daemon and not repair:
        raise click.BadParameter("--no-daemon needs --repair")
    if repair and not no_daemon:
        if socket or netns or protocol or interface:
            raise click.BadParameter(
                "--repair asks the daemon, which has its own --socket, --netns, --protocol and "
                "--interface: leave them out, or say --no-daemon"
            )
        repair_by_daemon(control, config, as_json=as_json)
        return
    settings = read_config(
        config, socket=socket, netns=netns, protocols=protocol, interfaces=interface
    )
    say_configuration(config)
    with ExitStack() as stack:
        if repair:
            todo = "leave --no-daemon out, so that it repairs by its own configuration"
            stack.enter_context(writing(settings, "audit --repair", where_from(config), todo))
        both = stack.enter_context(open_audit(settings, read_only=not repair))
        overridden = both.overridden()
        printer = Printer(SCHEMA, as_json=as_json, summary=summary)
        differing: set[PrefixKey] = set()
        lasting = _noted(both.lasting(), differing)
        counts = _show(both, lasting, overridden, printer)
        # Whether ours is behind another source's VPP does not show: that it is so is expected.
        counts["add"] -= len(differing & overridden)
        different = sum(counts.values())
        checked = check_lookups(both, sample, prefix, overridden | differing, printer)
        if repair and not yes:
            _guard(settings.vpp.guard, counts["delete"], both)
        repaired = repair_all(both) if different and repair else 0
    _summary(
        counts,
        printer,
        overridden=len(overridden),
        repaired=repaired,
        kernel_lookups=checked.asked,
        kernel_different=checked.different,
        kernel_other_route=checked.other_route,
        unresolved=checked.unresolved,
    )
    if different > repaired or checked.different or checked.unresolved:
        raise Exit(ExitCode.DIFFERENT)


def _guard(settings: GuardConfig, deletions: int, both: Audit) -> None:
    installed = installed_count(both.engine.status().prefixes)
    if exceeds(settings, deletions, installed):
        raise VppError(
            f"{deletions:,} of the {counted(installed, 'route')} that VPP has would be deleted, so "
            "nothing is repaired: is the configuration right? If so, say --yes"
        )


def _show(
    both: Audit,
    changes: Iterable[_core.RouteChange],
    overridden: set[PrefixKey],
    printer: Printer,
) -> Counter[str]:
    """Print the changes, of which there may be a million; how many there are."""
    names = both.vpp_names
    counts: Counter[str] = Counter(dict.fromkeys(OPERATIONS, 0))
    for change in changes:
        counts[change.operation] += 1
        if not printer.summary:
            hidden = (change.table, change.prefix) in overridden
            row = _row(change, names) | {"overridden": hidden}
            printer.row(row, partial(_line, row))
    return counts


def _noted(
    changes: Iterable[_core.RouteChange], keys: set[PrefixKey]
) -> Iterator[_core.RouteChange]:
    for change in changes:
        keys.add((change.table, change.prefix))
        yield change


def _row(change: _core.RouteChange, vpp_names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "kind": "route",
        "operation": change.operation,
        "table": change.table,
        "prefix": change.prefix,
        "installed": path_rows(change.installed_paths, vpp_names),
        "desired": path_rows(change.desired_paths, vpp_names),
    }


def _line(row: Mapping[str, Any]) -> str:
    parts = [f"{row['operation']:<7} {row['prefix']} table {table_name(row['table'])}"]
    if row["desired"]:
        parts.append(", ".join(map(path_text, row["desired"])))
    if row["installed"]:
        parts.append(f"(VPP has {', '.join(map(path_text, row['installed']))})")
    if row["overridden"]:
        parts.append("(another source's route hides it in VPP)")
    return "  ".join(parts)


def _summary(counts: Counter[str], printer: Printer, **more: object) -> None:
    if printer.as_json:
        if printer.summary:
            say_json({"schema": SCHEMA, **counts, **more})
        return
    parts = [f"{counts[operation]} to {operation}" for operation in OPERATIONS]
    parts += [f"{name.replace('_', ' ')}: {_figures(value)}" for name, value in more.items()]
    say("; ".join(parts))


def _figures(value: object) -> str:
    if isinstance(value, dict):
        return counts_text(value) or "none"
    return str(value)
