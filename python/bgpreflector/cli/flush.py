"""``bgpreflector flush``."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import click
from click.exceptions import Exit

from bgpreflector import _core
from bgpreflector.daemon.instance_lock import writing
from bgpreflector.reflector import kernel_engine
from bgpreflector.units import counted
from bgpreflector.vpp import FlushResult
from bgpreflector.vpp import flush as flush_vpp

from . import options
from .config_file import where_from
from .exit_codes import ExitCode
from .logs import configure_logging, flush_logs
from .output import say
from .settings import read_config, say_configuration

SCHEMA = 1
"""Version of the JSON object; it grows when a field changes its meaning or goes."""


@click.command(short_help="Delete all our routes from VPP.")
@options.config_file
@options.socket
@click.option("--dry-run", is_flag=True, help="Only count; delete nothing.")
@click.option("--force", is_flag=True, help="Flush even while a daemon or another writer runs.")
@options.as_json
def flush(
    config: Path | None, socket: Path | None, dry_run: bool, force: bool, as_json: bool
) -> None:
    """Delete all our routes from VPP, of every run, and the tables that we created.

    Ours are the routes under the FIB source vpp.fib_source.name, in all of VPP's tables, also
    in those that are not configured; others' routes are not touched. It refuses while a daemon
    runs, which would put its routes back at its next resync: stop it first, or use --force.
    Exit status 4 where VPP cannot be reached or refuses a deletion.
    """
    settings = read_config(config, socket=socket)
    say_configuration(config)
    configure_logging(settings.log)
    # Nothing is read from the kernel: the engine is only the way into VPP.
    engine = cast("_core.Engine", kernel_engine(settings))
    try:
        with ExitStack() as stack:
            if not (dry_run or force):
                todo = "stop it first, or say --force to flush beside it"
                stack.enter_context(writing(settings, "flush", where_from(config), todo))
            result = flush_vpp(engine, settings.vpp, dry_run=dry_run)
    finally:
        engine.close()
        flush_logs()
    source = settings.vpp.fib_source.name
    if as_json:
        say(json.dumps(_object(result, source, dry_run=dry_run)))
    else:
        for line in _lines(result, source, dry_run=dry_run):
            say(line)
    if result.failed:
        raise Exit(ExitCode.VPP)


def _family(is_ip6: bool) -> str:
    return "ipv6" if is_ip6 else "ipv4"


def _object(result: FlushResult, source: str, *, dry_run: bool) -> dict[str, object]:
    def named(table: tuple[int, bool]) -> dict[str, object]:
        return {"table": table[0], "family": _family(table[1])}

    return {
        "schema": SCHEMA,
        "source": source,
        "dry_run": dry_run,
        "routes": result.dumped,
        "deleted": result.deleted,
        "failed": result.failed,
        "tables": [
            named(t.table) | {"routes": t.dumped, "deleted": t.deleted, "failed": t.failed}
            for t in result.tables
        ],
        "own_tables": [named(table) for table in result.own_tables],
        "removed_tables": [named(table) for table in result.removed_tables],
        "failures": result.failures,
    }


def _lines(result: FlushResult, source: str, *, dry_run: bool) -> list[str]:
    lines = []
    if not result.tables:
        lines.append(f"VPP has no FIB source {source}, so it has no routes of ours")
    for t in result.tables:
        if t.dumped or t.failed:
            where = f"table {t.table[0]} {_family(t.table[1])}"
            did = "" if dry_run else f", {t.deleted:,} deleted, {t.failed:,} refused"
            lines.append(f"{where}: {counted(t.dumped, 'route')}{did}")
    lines += [f"refused: {failure}" for failure in result.failures]
    made = result.own_tables if dry_run else result.removed_tables
    what = "created by us" if dry_run else "deleted"
    lines += [f"table {table} {_family(is_ip6)}: {what}" for table, is_ip6 in made]
    verb = "would be deleted" if dry_run else f"found, {result.deleted:,} deleted"
    lines.append(f"{counted(result.dumped, 'route')} of the FIB source {source} {verb}")
    return lines
