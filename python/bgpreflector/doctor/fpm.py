"""Check zebra as the source of routes."""

from __future__ import annotations

from collections.abc import Iterator

from bgpreflector.config import FRR_PROTOCOLS, Config
from bgpreflector.daemon.report import FpmStatus

from .finding import Finding, error, ok, warning

CHECK = "fpm"


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
    if fpm.peer is None:
        return warning(
            CHECK,
            str(fpm.listen),
            "zebra is not connected: VPP keeps its routes and gets no changes",
            "start zebra with `-M dplane_fpm_nl` and configure `fpm address` (vtysh: `show fpm "
            "counters`)",
        )
    if fpm.refused:
        return warning(
            CHECK,
            str(fpm.listen),
            f"zebra at {fpm.peer} is connected, and {fpm.refused} further connections were refused",
            "give only one zebra this address in its `fpm address`",
        )
    shown = "has shown its routes" if fpm.settled else "is sending its routes"
    return ok(CHECK, str(fpm.listen), f"zebra at {fpm.peer} is connected and {shown}")
