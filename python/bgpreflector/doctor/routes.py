"""Check the BGP daemon's routes in the kernel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bgpreflector import _core
from bgpreflector.config import Config
from bgpreflector.config.protocols import protocol_name, protocols_text
from bgpreflector.routes.listing import link_names
from bgpreflector.units import counted

from .finding import Finding, error, ok, warning

CHECK = "routes"
PAGE = 1000
DAEMONS = ("bird", "bgpd", "zebra", "gobgpd", "frr")
"""Programs that put routes into the kernel, by ``/proc/PID/comm``."""

NOT_ROUTING_DAEMONS = (0, 1, 2, 9, 16)
"""Protocols that are none of a routing daemon's: the kernel's own, redirects, RA and DHCP."""


@dataclass
class KernelRoutes:
    """Counts of the kernel's routes."""

    complete: bool = False
    """Whether all of it could be read."""

    by_protocol: Counter[int] = field(default_factory=Counter)
    by_place: Counter[tuple[int, str]] = field(default_factory=Counter)
    """Mirrored ones by kernel table and family."""

    by_interface: Counter[int] = field(default_factory=Counter)
    """Mirrored ones by each interface that they use: the kernel's index."""

    names: dict[int, str] = field(default_factory=dict)
    """The interfaces' names."""

    missing: int = 0
    """Those that VPP may get yet, where the daemon tells."""


def read_routes(config: Config, engine: _core.Engine) -> KernelRoutes:
    """Count all routes of the mirrored tables, a page at a time."""
    found = KernelRoutes(complete=engine.resync().complete)
    found.names = link_names(engine)
    mirrored = set(config.kernel.protocols)
    cursor: int | None = 0
    while cursor is not None:
        page, cursor = engine.routes(cursor, PAGE)
        for view in page:
            found.by_protocol[view.protocol] += 1
            if view.protocol in mirrored:
                family = "ipv6" if ":" in view.prefix else "ipv4"
                found.by_place[view.table, family] += 1
                found.by_interface.update({hop.interface for hop in view.next_hops})
    return found


def route_findings(config: Config, engine: _core.Engine, routes: KernelRoutes) -> Iterator[Finding]:
    """Check that there are routes to mirror."""
    protocols = protocols_text(config.kernel.protocols)
    total = sum(routes.by_place.values())
    if not routes.complete:
        yield warning(
            CHECK,
            "kernel tables",
            "the routes change so fast that they could not be read in one go: the counts below may "
            "be short",
            "look again when routes change no more; a running daemon copes",
        )
    if total == 0:
        yield error(
            CHECK,
            f"protocol {protocols}",
            "the kernel has no such route",
            _why_none(config, routes),
        )
    for (table, family), count in sorted(routes.by_place.items()):
        yield ok(
            CHECK, f"table {table} {family}", f"{counted(count, 'route')} of protocol {protocols}"
        )
    denied = engine.status().skipped.get("prefix_lists", 0)
    if denied:
        yield ok(CHECK, "kernel.allow, kernel.deny", f"{counted(denied, 'route')} left out by them")
    limit = config.kernel.max_routes
    if limit is not None and total > limit:
        yield warning(
            CHECK,
            "kernel.max_routes",
            f"{total} routes are more than its {limit} ({config.kernel.max_routes_action})",
            "raise it, or filter the routes in the BGP daemon",
        )


def _why_none(config: Config, routes: KernelRoutes) -> str:
    others = {p: n for p, n in routes.by_protocol.items() if p not in NOT_ROUTING_DAEMONS}
    if others:
        named = ", ".join(f"{n} of protocol {protocol_name(p)}" for p, n in sorted(others.items()))
        return f"the tables have {named}: name the right ones by kernel.protocols"
    running = sorted(_running() & set(DAEMONS))
    if not running:
        return "start the BGP daemon: no process named bird, bgpd, zebra or gobgpd is seen here"
    tables = config.kernel.tables_text
    return (
        f"{', '.join(running)} runs: see that it exports its routes to the kernel (BIRD: `protocol "
        f"kernel {{ ipv4 {{ export all; }}; }}`, and the same for ipv6; `birdc show route export "
        f"kernel1`), that into a table that is mirrored ({tables}; kernel.tables), and in the "
        "network namespace that is read (kernel.namespace)"
    )


def _running() -> set[str]:
    names = set()
    for file in Path("/proc").glob("[0-9]*/comm"):
        try:
            names.add(file.read_text().strip())
        except OSError:
            # It has ended, or belongs to another user.
            continue
    return names
