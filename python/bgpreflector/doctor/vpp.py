"""Check VPP: connection, version, message layouts, other FIB sources."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from bgpreflector import _core
from bgpreflector.config import Config
from bgpreflector.errors import VppError
from bgpreflector.routes.names import family_name
from bgpreflector.vpp import FibProgrammer
from bgpreflector.vpp.discovery import unassigned_reason
from bgpreflector.vpp.fib_sources import LINUX_NL

from .finding import Finding, error, ok, warning

CHECK = "vpp"


def vpp_findings(config: Config, engine: _core.Engine, sink: FibProgrammer) -> Iterator[Finding]:
    """Check VPP; connects the sink if VPP answers."""
    path = Path(config.vpp.api_socket)
    trouble = _socket(path)
    if trouble is not None:
        yield trouble
        return
    try:
        sink.resync()
    except VppError as failure:
        yield error(
            CHECK,
            str(path),
            str(failure),
            "see that it is VPP's API socket (socksvr { socket-name } in startup.conf, not "
            "cli-listen), and that VPP is alive: `vppctl show version`",
        )
        return
    yield ok(CHECK, str(path), "VPP answers")
    yield ok(CHECK, "version", f"VPP {sink.vpp_state.version}")
    if sink.has_bulk:
        yield ok(CHECK, "messages", "its route messages are those that we know (CRCs)")
    else:
        yield warning(
            CHECK,
            "messages",
            "its route messages are other ones than we know: routes go through vpp_papi, a hundred "
            "times slower",
            "use a release of bgpreflector for this VPP, and tell us of its version",
        )
    yield from _tables(config, engine, sink)
    yield from _sources(config, sink)


def _socket(path: Path) -> Finding | None:
    try:
        exists = path.is_socket()
    except PermissionError:
        exists = True
    if not exists:
        what = "it is no socket" if path.exists() else "it is not there"
        return error(
            CHECK,
            str(path),
            what,
            "start VPP, have it listen (socksvr { default } in startup.conf), or name the right "
            "place by vpp.api_socket",
        )
    if not os.access(path, os.R_OK | os.W_OK):
        return error(
            CHECK,
            str(path),
            f"user {os.geteuid()} may not use it",
            "run as a member of VPP's group (unix { gid vpp } in startup.conf; SupplementaryGroups="
            "vpp in the service's unit), or as root",
        )
    return None


def _tables(config: Config, engine: _core.Engine, sink: FibProgrammer) -> Iterator[Finding]:
    for table, is_ip6 in sink.tables.missing:
        family = family_name(is_ip6=is_ip6)
        yield ok(CHECK, f"{family} table {table}", "missing in VPP: a run creates it")
    why, todo = unassigned_reason(chooses=config.vpp.free_tables is not None)
    for kernel_table in engine.unassigned_tables():
        yield warning(CHECK, f"kernel table {kernel_table}", f"not mirrored: {why}", todo)


def _sources(config: Config, sink: FibProgrammer) -> Iterator[Finding]:
    wanted = config.vpp.fib_source
    sources = sink.session.fib_sources()
    own = next((source for source in sources if source.id == sink.source), None)
    priority = wanted.priority if own is None else own.priority
    if own is not None and own.priority != wanted.priority:
        yield warning(
            CHECK,
            f"FIB source {own.name}",
            f"it has priority {own.priority}, and vpp.fib_source.priority is {wanted.priority}",
            "restart VPP: the priority of an existing source cannot be changed",
        )
    presence = "there" if own is not None else "not there yet: a run adds it"
    yield ok(CHECK, f"FIB source {wanted.name}", f"priority {priority}, {presence}")
    if any(source.name in LINUX_NL for source in sources):
        yield warning(
            CHECK,
            "linux_nl plugin",
            "it is loaded, and mirrors the kernel's routes too: where it does, VPP forwards by its "
            "routes",
            "let one of the two do it: `plugin linux_nl_plugin.so { disable }` in VPP's "
            "startup.conf, or give it another namespace (linux-cp { default netns })",
        )
    before = ", ".join(
        sorted(s.name for s in sources if s.priority <= priority and s.id != sink.source)
    )
    yield ok(
        CHECK,
        "FIB sources",
        f"routes of these take precedence over ours of the same prefix: {before}; a running "
        "daemon knows which do (`bgpreflector status`)",
    )
