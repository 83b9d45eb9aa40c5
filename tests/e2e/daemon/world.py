"""A kernel with routes and a daemon that reflects them: what the operator's commands look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from daemon.running import RunningDaemon, running_daemon
from lab import Namespace, ip_batch, wait_until
from lab.vpp import Vpp

COUNT = 300
"""Routes of each family that VPP can have."""


def route(number: int, family: int = 4) -> str:
    """A prefix of the kernel's."""
    return f"30.{number >> 8}.{number & 255}.0/24" if family == 4 else f"2001:db8:{number:x}::/48"


def make_links(kernel: Namespace) -> None:
    """Two with addresses: ``f0``, which tests give VPP, and ``g0``."""
    for link in ("f0", "g0"):
        kernel.ip("link", "add", link, "type", "veth", "peer", "name", f"{link}p")
        kernel.ip("link", "set", f"{link}p", "up")
        kernel.ip("link", "set", link, "up")
    kernel.ip("addr", "add", "10.0.0.1/24", "dev", "f0")
    kernel.ip("addr", "add", "fd00::1/64", "dev", "f0", "nodad")
    kernel.ip("addr", "add", "10.9.0.1/24", "dev", "g0")


def kernel_of(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """Two links, routes of both families, and one each that VPP cannot or must not have."""
    kernel = make_namespace("operator")
    make_links(kernel)
    lines = [f"route add {route(n)} via 10.0.0.2 proto 12" for n in range(COUNT)]
    lines += [f"route add {route(n, 6)} via fd00::2 proto 12" for n in range(COUNT)]
    lines += [
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
            wait_until(daemon.answers, 30, "it listens")
        if wait:
            wait_until(vpp.routes, 30, "all", accept=lambda seen: len(seen) == MIRRORED)
            daemon.wait_in_sync()
        yield daemon
