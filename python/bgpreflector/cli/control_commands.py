"""``bgpreflector resync``, ``pause`` and ``resume``: orders to a running daemon."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bgpreflector.daemon.progress import Bar, SyncProgress
from bgpreflector.daemon.read_report import read_report
from bgpreflector.daemon.report import StatusReport
from bgpreflector.errors import ControlError
from bgpreflector.routes.listing import installed_count
from bgpreflector.units import counted

from . import options
from .daemon import daemon_at
from .output import say
from .targets import prefix as prefix_of


@click.command(short_help="Resynchronise VPP with the kernel.")
@options.config_file
@options.control_socket
@options.as_json
def resync(config: Path | None, control: Path | None, as_json: bool) -> None:
    """Read VPP and the kernel again, and send VPP the differences."""
    with _progress(control, config, shown=not as_json):
        _send("resync", "Resynchronised", control, config, as_json=as_json)


@contextmanager
def _progress(control: Path | None, config: Path | None, *, shown: bool) -> Iterator[None]:
    """A bar on a terminal while the daemon resynchronises."""
    console = Console(stderr=True)
    if not (shown and console.is_terminal):
        yield
        return
    with daemon_at(control, config) as daemon:

        def read_status() -> StatusReport | None:
            try:
                return read_report(daemon.ask("status").end)
            except ControlError:
                # The command itself will say so.
                return None

        progress = SyncProgress(read_status, Bar(console))
        progress.start()
        try:
            yield
        finally:
            progress.close()


@click.command(short_help="Pause programming VPP until `resume`.")
@options.config_file
@options.control_socket
@options.as_json
def pause(config: Path | None, control: Path | None, as_json: bool) -> None:
    """Pause programming VPP until `resume`; the kernel's changes are queued.

    A pause ends with the daemon.
    """
    _send("pause", "Paused", control, config, as_json=as_json)


@click.command(short_help="End a pause, or let deletions through.")
@options.config_file
@options.control_socket
@options.as_json
def resume(config: Path | None, control: Path | None, as_json: bool) -> None:
    """Resume programming VPP after a pause, or confirm deletions that the guard withholds.

    After a start or a reload, deletions of most of our routes wait (vpp.guard): `status` says
    which. What waits behind a pause needs a second `resume`.
    """
    _send("resume", "Resumed", control, config, as_json=as_json)


@click.command(short_help="Retry routes that are held because they crashed VPP.")
@click.argument(
    "prefix",
    type=prefix_of,
    required=False,
    help="The prefix of the routes, as in `show routes`.",
)
@click.option("--all", "everything", is_flag=True, help="Release all of them.")
@options.config_file
@options.control_socket
@options.as_json
def release(
    prefix: str | None,
    everything: bool,
    config: Path | None,
    control: Path | None,
    as_json: bool,
) -> None:
    """Retry routes that are held because they crashed VPP (`crashed_vpp`).

    A route that crashes VPP again is held again.
    """
    if everything == (prefix is not None):
        raise click.BadParameter("name a prefix, or say --all")
    with daemon_at(control, config) as daemon:
        end: Any = daemon.ask("release", prefix=prefix).end
        if as_json:
            say(json.dumps(end))
        else:
            say(f"Released: {counted(end['released'], 'prefix')}")


@click.command(short_help="Reload the configuration.")
@options.config_file
@options.control_socket
@options.as_json
def reload(config: Path | None, control: Path | None, as_json: bool) -> None:
    """Reload the configuration file; SIGHUP does the same.

    What is wrong, or needs a restart, is refused as a whole, with exit status 78. VPP forwards
    all the time.
    """
    _send("reload", "Reloaded", control, config, as_json=as_json)


def _send(
    command: str, done: str, control: Path | None, config: Path | None, *, as_json: bool
) -> None:
    with daemon_at(control, config) as daemon:
        end: Any = daemon.ask(command).end
        if as_json:
            say(json.dumps(end))
            return
        if "changed" in end:
            done = f"{done} ({', '.join(end['changed']) or 'nothing changed'})"
        if any(not key.startswith("log.") for key in end.get("changed", ())):
            say(f"{done}: kernel and VPP are compared now; `bgpreflector status` shows the result")
            return
        installed = installed_count(end["prefixes"])
        desired = sum(counts["desired"] for counts in end["prefixes"].values())
        say(
            f"{done}: VPP has {installed:,} of {counted(desired, 'prefix')}, "
            f"{end['dirty']:,} wait; {end['state'].replace('_', ' ')}"
        )
