"""Check zebra as the source of routes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bgpreflector.config import FRR_PROTOCOLS, Config
from bgpreflector.daemon.report import FpmStatus
from bgpreflector.errors import ControlError
from bgpreflector.units import counted

from .client import daemon_client
from .finding import Finding, error, ok, warning
from .routes import KernelRoutes

CHECK = "fpm"
ROUTES = "routes"


def fpm_findings(config: Config) -> Iterator[Finding]:
    """Check the configuration, if zebra is the source."""
    if not config.is_fpm:
        return
    yield ok(CHECK, "source.kind", f"zebra is the source of the routes, at {config.fpm.listen}")
    if not config.fpm.address.host.is_loopback:
        yield warning(
            CHECK,
            "fpm.listen",
            f"{config.fpm.listen} is no loopback address: anybody who can connect can put routes "
            "into VPP, as FPM has no authentication",
            "listen at 127.0.0.1 and run zebra on this host, or let a firewall admit zebra only",
        )
    if not set(config.kernel.protocols) & set(FRR_PROTOCOLS):
        yield error(
            CHECK,
            "kernel.protocols",
            "none of them is one that zebra marks routes with, so none of its routes is mirrored",
            'leave kernel.protocols out for all of FRR\'s, or name some, such as ["bgp"]',
        )


def connection_finding(fpm: FpmStatus) -> Finding:
    """Check a running daemon."""
    if fpm.listen is None:
        return warning(
            CHECK,
            "fpm.listen",
            "the daemon does not listen for zebra yet",
            "look again; `bgpreflector status` shows what the daemon waits for",
        )
    if fpm.peer is None:
        return warning(
            CHECK,
            fpm.listen,
            "zebra is not connected: VPP keeps its routes and gets no changes",
            "start zebra with `-M dplane_fpm_nl` and configure `fpm address` (vtysh: `show fpm "
            "counters`)",
        )
    if fpm.refused:
        return warning(
            CHECK,
            fpm.listen,
            f"zebra at {fpm.peer} is connected, and {fpm.refused} further connections were refused",
            "give only one zebra this address in its `fpm address`",
        )
    shown = "has shown its routes" if fpm.synchronised else "is sending its routes"
    return ok(CHECK, fpm.listen, f"zebra at {fpm.peer} is connected and {shown}")


def zebra_routes(config: Config) -> KernelRoutes | None:
    """The routes that the running daemon has of zebra; ``None`` without one of this version."""
    if config.control.socket is None:
        return None
    try:
        with daemon_client(config.control.socket) as client:
            status: Any = client.ask("status").end
            interfaces: list[Any] = list(client.ask("interfaces"))
    except ControlError:
        return None
    try:
        return _found(status, interfaces)
    except (KeyError, TypeError, AttributeError):
        # Of another version: the finding on the daemon itself says so.
        return None


def _found(status: Any, interfaces: list[Any]) -> KernelRoutes:
    counts = status["prefixes"].values()
    # Held routes may follow, too.
    missing = sum(c["mirrored"] - c["installed"] for c in counts)
    found = KernelRoutes(complete=True, missing=missing)
    for table in status["tables"]:
        found.by_place[table["table"], table["family"]] = table["prefixes"]["mirrored"]
    for row in interfaces:
        if row["index"] is not None:
            found.names[row["index"]] = row["interface"]
            if row["routes"] and row["mapped_by"] != "vrf":
                found.by_interface[row["index"]] = row["routes"]
    return found


def zebra_findings(routes: KernelRoutes | None) -> Iterator[Finding]:
    """Check that there are routes to mirror."""
    if routes is None:
        yield warning(
            CHECK,
            ROUTES,
            "zebra sends its routes to a daemon alone, and none of this version answers: neither "
            "they nor the interfaces that they need are checked (the kernel's are not looked at)",
            "start the daemon, and look again",
        )
        return
    if not sum(routes.by_place.values()):
        yield error(
            CHECK,
            ROUTES,
            "the daemon has no route of zebra",
            "vtysh: `show fpm counters`, and `show ip route` for what zebra has itself",
        )
    for (table, family), count in sorted(routes.by_place.items()):
        yield ok(CHECK, f"table {table} {family}", f"{counted(count, 'route')} of zebra")
