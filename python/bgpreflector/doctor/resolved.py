"""Check that VPP has resolved the routes that it acknowledged."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from bgpreflector import _core
from bgpreflector.config import Config
from bgpreflector.routes.names import family_name
from bgpreflector.vpp import FibProgrammer, not_entered

from .finding import Finding, ok, warning

CHECK = "forwarding"
MAX_NAMED = 5
"""The most routes in a finding."""


def resolved_findings(
    config: Config, engine: _core.Engine, sink: FibProgrammer
) -> Iterator[Finding]:
    """Check one route of VPP for each path set, and its tables."""
    discovered = {(vpp, is_ip6) for _, vpp, is_ip6, *rest in engine.mirrored_tables() if all(rest)}
    tables = [*config.vpp_tables, *sorted(discovered)]
    missing = set(sink.session.missing_tables(tables))
    for table, is_ip6 in tables:
        if (table, is_ip6) not in missing and not sink.fib.is_entered(table, is_ip6=is_ip6):
            family = family_name(is_ip6=is_ip6)
            what, _, todo = not_entered(table).partition(": ")
            yield warning(CHECK, f"{family} table {table}", what, todo)
    found = list(islice(sink.fib.unresolved(), MAX_NAMED))
    for table, prefix, trouble in found:
        what, _, todo = trouble.partition("; ")
        yield warning(CHECK, f"{prefix} in VPP table {table}", what, todo)
    if not found:
        yield ok(CHECK, "resolved paths", "VPP forwards by every set of paths that it has of ours")
