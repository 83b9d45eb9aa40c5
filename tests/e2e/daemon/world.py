"""A kernel with routes and a daemon that reflects them: what the operator's commands look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from daemon.running import RunningDaemon, running_daemon
from lab import Namespace, ip_batch
from lab.vpp import Vpp, wait_routes

COUNT = 300
"""Routes of each family that VPP can have."""


def route(number: int, family: int = 4) -> str:
    """A prefix of the kernel's."""
    return f"30.{number >> 8}.{number & 255}.0/24" if family == 4 else f"2001:db8:{number:x}::/48"


def routes(verb: str) -> list[str]:
    """Lines of ``ip -batch`` for `COUNT` routes of each family."""
    return [
        f"route {verb} {route(n, family)} via {gateway} proto 12"
        for family, gateway in ((4, "10.0.0.2"), (6, "fd00::2"))
        for n in range(COUNT)
    ]


def make_links(kernel: Namespace) -> None:
    """Two with addresses: ``f0``, which tests give VPP, and ``g0``."""
    kernel.add_link("f0", "10.0.0.1/24", "fd00::1/64")
    kernel.add_link("g0", "10.9.0.1/24")


def kernel_of(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """Two links, routes of both families, and one each that VPP cannot or must not have."""
    kernel = make_namespace("operator")
    make_links(kernel)
    lines = [
        *routes("add"),
        "route add 40.0.0.0/24 via 10.9.0.2 proto 12",
        "route add 40.0.1.0/24 via 10.0.0.2 tos 0x10 proto 12",
        "route add 40.0.2.0/24 via 10.0.0.2 proto 4",
        "route add blackhole 40.0.3.0/24 proto 12",
    ]
    ip_batch(kernel, lines)
    return kernel


HELD = 2
"""Of the four: through a link that VPP does not have, and with a TOS."""

MIRRORED = 2 * COUNT + 1
"""The routes, and the blackhole."""


@contextmanager
def reflecting(
    kernel: Namespace, vpp: Vpp, log: Path, *arguments: str, wait: bool = True
) -> Iterator[RunningDaemon]:
    """A daemon, by default once it is in sync."""
    given = ("--socket", str(vpp.socket), "--interface", f"f0={vpp.interface}", *arguments)
    with running_daemon(log, *given, namespace=kernel) as daemon:
        if "--control" not in arguments:
            daemon.wait_listening()
        if wait:
            wait_routes(vpp, MIRRORED)
            daemon.wait_in_sync()
        yield daemon
