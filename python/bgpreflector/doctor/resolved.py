"""Check that VPP has resolved the routes that it acknowledged."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from bgpreflector.config import Config
from bgpreflector.routes.names import family_name
from bgpreflector.vpp import FibProgrammer, not_entered

from .finding import Finding, ok, warning

CHECK = "forwarding"
MAX_NAMED = 5
"""The most routes in a finding."""


def resolved_findings(config: Config, sink: FibProgrammer) -> Iterator[Finding]:
    """Check one route of VPP for each path set, and its tables."""
    missing = set(sink.tables.missing)
    for table, is_ip6 in config.vpp_tables:
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
