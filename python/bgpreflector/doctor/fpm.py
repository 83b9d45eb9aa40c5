"""zebra as the source of routes: what of its configuration can be seen from here."""

from __future__ import annotations

from collections.abc import Iterator

from bgpreflector.config import FRR_PROTOCOLS, Config
from bgpreflector.daemon.report import FpmStatus

from .finding import Finding, error, ok, warning

CHECK = "fpm"


def fpm_findings(config: Config) -> Iterator[Finding]:
    """Of the configuration, if zebra is to tell of the routes."""
    if not config.is_fpm:
        return
    yield ok(CHECK, "source.kind", f"zebra tells of the routes, at {config.fpm.listen}")
    if not config.fpm.address.host.is_loopback:
        yield warning(
            CHECK,
            "fpm.listen",
            f"{config.fpm.listen} is no loopback address: whoever reaches it can put routes into "
            "VPP, as FPM has no authentication",
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
    """Of a running daemon."""
    if fpm.peer is None:
        return warning(
            CHECK,
            str(fpm.listen),
            "zebra is not connected: VPP keeps the routes that it has, and learns nothing new",
            "start zebra with `-M dplane_fpm_nl` and configure `fpm address` (vtysh: `show fpm "
            "counters`)",
        )
    if fpm.refused:
        return warning(
            CHECK,
            str(fpm.listen),
            f"zebra at {fpm.peer} is connected, and {fpm.refused} further connections were refused",
            "let one zebra only have this address in its `fpm address`",
        )
    shown = "has shown its routes" if fpm.settled else "is showing its routes"
    return ok(CHECK, str(fpm.listen), f"zebra at {fpm.peer} is connected and {shown}")
