"""``bgpreflector status``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import click
from click.exceptions import Exit

from bgpreflector.daemon.read_report import read_report
from bgpreflector.daemon.report import HeldStatus, State, StatusReport
from bgpreflector.routes.names import table_name
from bgpreflector.units import counted, counts_text, duration_text, size_text

from . import options
from .daemon import daemon_at
from .exit_codes import ExitCode
from .output import say

EXIT_CODES = {
    State.ENDED: ExitCode.FAILURE,
    State.KERNEL_UNREAD: ExitCode.KERNEL,
    State.SOURCE_LOST: ExitCode.KERNEL,
    State.VPP_LOST: ExitCode.VPP,
}
"""Exit status of ``--check`` where the daemon is not ready; 6 for everything else."""

MAX_NAMED = 3
"""Interfaces that the first line names, and tables that a line does."""

MIN_RELOAD_AGE = 60.0
"""Seconds by which a configuration is younger than the process where it was read again: a process
takes a while to start on a busy machine."""

COLUMNS = {
    "kernel": "kernel (all)",
    "mirrored": "mirrored",
    "installed": "installed",
    "queued": "queued",
    "held": "held",
    "rejected": "rejected",
}
"""What a table's row shows, and what it is headed by: the last four add up to ``mirrored``."""

OPTIONAL_COLUMNS = {"leaving": "leaving", "unconfirmed": "unconfirmed"}
"""Columns that are shown where there is something in them."""

LEGEND = """kernel (all)  the kernel's routes, of all protocols
mirrored      prefixes of the mirrored protocols: the sum of the next four
installed     VPP has it
queued        VPP has not answered yet (show routes --queued)
held          VPP cannot have it now (show routes --held)
rejected      VPP refused it (show routes --rejected)
leaving       VPP has it, and is to delete it
unconfirmed   of an earlier run, still to be compared with the kernel"""
"""What the columns mean."""


@click.command
@options.config_file
@options.control_socket
@click.option(
    "--check",
    is_flag=True,
    help="Print one line, and exit with 0 if all is well, 1 if a thread of the daemon hangs or has "
    "ended, 4 if VPP is not connected, 5 if the kernel has not been read yet, 6 if routes are "
    "missing, rejected or held, or the daemon is paused or waits for `resume`, 7 if no daemon "
    "answers.",
)
@click.option("--legend", is_flag=True, help="Explain the columns, too.")
@options.as_json
def status(
    config: Path | None, control: Path | None, check: bool, legend: bool, as_json: bool
) -> None:
    """Show a running daemon's status."""
    with daemon_at(control, config) as daemon:
        answered = daemon.ask("status").end
        if as_json:
            say(json.dumps(answered))
        report = read_report(answered)
    if not as_json:
        if check:
            say(headline(report))
        else:
            _print_report(report, legend=legend)
    if check and not report.ready:
        if report.hung is not None:
            raise Exit(ExitCode.FAILURE)
        raise Exit(EXIT_CODES.get(State(report.state), ExitCode.DIFFERENT))


def _print_report(report: StatusReport, *, legend: bool) -> None:
    say(headline(report), bold=True)
    heads, *rows = prefixes(report)
    say(heads, bold=True)
    for line in (*rows, *lines(report), *(("", LEGEND) if legend else ())):
        say(line)


def headline(report: StatusReport) -> str:
    """The state in a line, with what to do where that is known."""
    parts = [_state_text(report)] if report.hung is None else [report.hung, _state_text(report)]
    if report.unassigned_tables:
        parts.append(f"{counted(len(report.unassigned_tables), 'kernel table')} not mirrored")
    if report.vpp.version is not None:
        parts += _held(report.held)
    if report.dirty:
        parts.append(f"waiting: {counted(report.dirty, 'prefix')}")
    if report.limit.exceeded:
        parts.append(f"more prefixes than kernel.max_routes ({report.limit.action})")
    if report.oldest_queued_seconds is not None:
        parts.append(f"the oldest for {duration_text(report.oldest_queued_seconds)}")
    return ", ".join(parts)


def _state_text(report: StatusReport) -> str:
    rejected = sum(counts["rejected"] for counts in report.prefixes.values())
    texts = {
        State.ENDED: "the event loop or the kernel reader has ended",
        State.KERNEL_UNREAD: _unread(report),
        State.SOURCE_LOST: "zebra is not connected: VPP keeps the routes that it has",
        State.VPP_LOST: _lost(report),
        State.PAUSED: "paused until `bgpreflector resume`",
        State.GUARDED: _guarded(report),
        State.REJECTED: f"VPP refused {rejected:,} (`bgpreflector show routes --rejected`)",
        State.SYNCHRONISING: "in sync but for the latest changes"
        if report.ready
        else "synchronising",
        State.HELD: "in sync, but not well",
        State.IN_SYNC: "in sync",
    }
    return texts[State(report.state)]


def _unread(report: StatusReport) -> str:
    if report.fpm is None:
        return "the kernel's routes are not read yet"
    if report.fpm.listen is None:
        return "the listener for zebra is not open yet"
    if report.fpm.peer is None:
        return f"waiting for zebra at {report.fpm.listen} (its `fpm address`)"
    return "zebra is still showing its routes"


def _held(held: HeldStatus) -> list[str]:
    """What VPP lacks, and why; nothing before VPP's interfaces are known."""
    some = held.substitutes.get("next_hops", 0)
    whole = f"{held.prefixes:,} of {counted(held.total, 'prefix')} held{_substituted(held)}"
    partly = f"{some:,} of {counted(held.total, 'prefix')} with some of their next hops"
    counts = [text for number, text in ((held.prefixes, whole), (some, partly)) if number]
    most = sorted(held.interfaces.items(), key=lambda found: -found[1])
    named = ", ".join(f"{name}: {count:,}" for name, count in most[:MAX_NAMED])
    more = f" and {len(most) - MAX_NAMED} more interfaces" if len(most) > MAX_NAMED else ""
    why = f" (no VPP interface mapped to {named}{more})" if counts and most else ""
    return [*counts[:-1], *(text + why for text in counts[-1:])]


def _substituted(held: HeldStatus) -> str:
    verbs = {"drop": "VPP drops", "punt": "VPP hands to the kernel"}
    parts = [f"{verbs[name]} {n:,}" for name, n in held.substitutes.items() if name in verbs]
    return "".join(f", {part}" for part in parts)


def _lost(report: StatusReport) -> str:
    vpp = report.vpp
    if vpp.version is None:
        return f"waiting for VPP at {vpp.socket}"
    soon = vpp.next_try_seconds
    when = "now" if soon is None else f"in {duration_text(soon)}"
    return f"VPP {vpp.socket} is lost, and tried again {when}: {vpp.lost}"


def _guarded(report: StatusReport) -> str:
    guard = report.guard
    if guard is None:
        return ""
    if not guard.deletions:
        what = (
            f"{guard.unmirrored_routes:,} routes in tables that are not mirrored into any more stay"
        )
    else:
        what = (
            f"{guard.deletions:,} of {guard.total:,} routes are not deleted, though {guard.reason}"
        )
    return f"{what}: `bgpreflector resume` deletes them, if the configuration is right"


def prefixes(report: StatusReport) -> list[str]:
    """The heads, and a line of counts for each table and family, in columns."""
    rows = [(row, _row(row.prefixes)) for row in report.tables]
    optional = {
        name: head
        for name, head in OPTIONAL_COLUMNS.items()
        if any(counts[name] for _, counts in rows)
    }
    columns = COLUMNS | optional
    cells = [("table", *columns.values())]
    for row, counts in rows:
        name = f"{table_name(row.table)} {row.family} -> VPP {row.vpp_table}"
        cells.append((name, *(f"{counts[column]:,}" for column in columns)))
    first, *others = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join([f"{name:<{first}}", *map(str.rjust, numbers, others)])
        for name, *numbers in cells
    ]


def _row(counts: Mapping[str, int]) -> dict[str, int]:
    """What VPP drops or the like in place of a prefix is not counted as installed, too, and what
    is unconfirmed is in its own column."""
    installed = max(0, counts["installed"] - counts["substituted"] - counts["unconfirmed"])
    left = counts["mirrored"] - installed - counts["held"] - counts["rejected"]
    return {
        **counts,
        "installed": installed + min(0, left),
        "queued": max(0, left),
        "leaving": max(0, -left),
    }


def lines(report: StatusReport) -> list[str]:
    """Everything else that is worth a line."""
    kernel, vpp = report.kernel, report.vpp
    requests = counts_text(
        {f"{name} done": r.done for name, r in vpp.requests.items()}
        | {f"{name} refused": r.refused for name, r in vpp.requests.items()}
    )
    resyncs = counts_text({name: r.count for name, r in kernel.resyncs.items()})
    found = {
        "VPP": _vpp(report),
        "zebra": _zebra(report),
        "unassigned": _unassigned(report),
        "requests": requests,
        "held": counts_text(report.held_routes),
        "instead": counts_text(report.held.substitutes),
        "limit": _limit(report),
        "overridden": _overridden(report),
        "missing": ", ".join(vpp.missing_interfaces),
        "messages": f"{counts_text(kernel.messages) or 'none'}, receive buffer "
        f"{size_text(kernel.receive_buffer_bytes)}",
        "lost": f"{kernel.overruns} overruns, {kernel.drops:,} messages dropped"
        if kernel.overruns
        else "",
        "resyncs": resyncs,
        "dump": "ends early, at a route of too many next hops: routes behind it are kept"
        if kernel.dump_ended_early
        else "",
        "unverified": f"{kernel.unverified_prefixes:,} prefixes that no dump showed: they "
        "stay until one is certain"
        if kernel.unverified_prefixes
        else "",
        "drift": counts_text(kernel.drift),
        "VPP drift": counts_text(vpp.drift),
        "unresolved": f"VPP does not forward by {vpp.unresolved:,} of the sets of paths, as "
        "of its last audit: see `bgpreflector doctor`"
        if vpp.unresolved
        else "",
        "daemon": _daemon(report),
    }
    return [f"{name:<11}{text}" for name, text in found.items() if text]


def _vpp(report: StatusReport) -> str:
    vpp = report.vpp
    if vpp.connected_seconds is None:
        return f"not connected ({vpp.socket})"
    slow = "" if vpp.bulk else ", through vpp_papi"
    linux_nl = "; its linux_nl plugin mirrors routes, too" if vpp.linux_nl else ""
    return f"{vpp.version}, connected for {duration_text(vpp.connected_seconds)}{slow}{linux_nl}"


def _zebra(report: StatusReport) -> str:
    fpm = report.fpm
    if fpm is None:
        return ""
    results = f"results {counts_text(fpm.results) or 'none'}, {fpm.results_queued:,} queued"
    if fpm.peer is None:
        return f"not connected ({fpm.listen or 'not listening yet'}); {results}"
    shown = "has shown its routes" if fpm.synchronised else "is showing its routes"
    refused = f", {fpm.refused} further connections refused" if fpm.refused else ""
    return f"{fpm.peer} {shown}; {results}{refused}"


def _limit(report: StatusReport) -> str:
    limit = report.limit
    if limit.max_routes is None:
        return ""
    refused = f", {limit.held:,} kept out of VPP" if limit.held else ""
    return f"{counted(limit.max_routes, 'prefix')}, then {limit.action}{refused}"


def _unassigned(report: StatusReport) -> str:
    tables = report.unassigned_tables
    if not tables:
        return ""
    which = "it" if len(tables) == 1 else "them"
    named = ", ".join(map(str, tables[:MAX_NAMED])) + (", …" if len(tables) > MAX_NAMED else "")
    return f"{named}: no VPP table is left for {which} (`bgpreflector doctor`)"


def _overridden(report: StatusReport) -> str:
    vpp = report.vpp
    if not vpp.overridden:
        return ""
    some = ", ".join(f"{o.prefix} by {o.source}" for o in vpp.overridden_prefixes[:3])
    return f"{vpp.overridden:,} by other sources' routes, such as {some}"


def _daemon(report: StatusReport) -> str:
    up, since = report.process_uptime_seconds, report.uptime_seconds
    read = (
        f" (configuration read {duration_text(since)} ago)" if up - since > MIN_RELOAD_AGE else ""
    )
    memory = size_text(report.memory_bytes)
    return f"{report.version}, pid {report.pid}, up {duration_text(up)}{read}, {memory}"
