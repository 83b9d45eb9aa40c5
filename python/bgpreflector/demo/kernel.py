"""A namespace of the demonstration's own, and the kernel routes in it."""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bgpreflector.errors import KernelError

LINK = "demo0"
"""The kernel's interface that all routes go through; the embedded VPP has one of this name."""

IPV6 = 6
GATEWAYS = 64
PROTOCOL = 12
METRIC = 32
"""What BIRD gives its routes."""

INSIDE = "BGPREFLECTOR_DEMO_NAMESPACE"


def enter_namespace() -> None:
    """Run this program again in a network namespace of its own; return if that cannot be had.

    Root makes one; an ordinary user makes a user namespace around it, where the system allows.
    """
    if os.environ.get(INSIDE) == "1" or shutil.which("ip") is None:
        return
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    unshare = ["unshare", *user, "--net", "--"]
    try:
        subprocess.run([*unshare, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return
    environment = os.environ | {INSIDE: "1"}
    command = [*unshare, sys.executable, "-m", "bgpreflector", *sys.argv[1:]]
    os.execvpe(command[0], command, environment)  # noqa: S606 - there is no shell to want


def inside_namespace() -> bool:
    """Whether :func:`enter_namespace` has done its work."""
    return os.environ.get(INSIDE) == "1"


@dataclass(frozen=True)
class DemoRoute:
    """A kernel route of the demonstration."""

    prefix: str
    gateway: str

    @property
    def family(self) -> str:
        """The option of ``ip`` for its family."""
        return "-6" if ":" in self.prefix else "-4"


def gateway(family: int, number: int) -> str:
    """One of the peers' addresses on the link."""
    host = 2 + number % GATEWAYS
    return f"fd00::{host:x}" if family == IPV6 else f"10.0.0.{host}"


def routes(count: int) -> Iterator[DemoRoute]:
    """``count`` prefixes: nine of ten IPv4 /24, the others IPv6 /48."""
    v6 = count // 10
    base4 = int(ipaddress.IPv4Address("20.0.0.0"))
    base6 = int(ipaddress.IPv6Address("2001:db8::"))
    for number in range(count - v6):
        address = ipaddress.IPv4Address(base4 + number * 256)
        yield DemoRoute(f"{address}/24", gateway(4, number))
    for number in range(v6):
        address6 = ipaddress.IPv6Address(base6 + (number << 80))
        yield DemoRoute(f"{address6}/48", gateway(6, number))


def make_link() -> None:
    """Set up the link and its addresses."""
    commands = [
        "link set lo up",
        f"link add {LINK} type veth peer name demo1",
        f"addr add 10.0.0.1/24 dev {LINK}",
        f"addr add fd00::1/64 dev {LINK} nodad",
        "link set demo1 up",
        f"link set {LINK} up",
    ]
    _ip([], commands)


def install(wanted: Sequence[DemoRoute]) -> None:
    """Put routes into the kernel, in place of those of the same prefix."""
    _batch("replace", wanted)


def withdraw(wanted: Sequence[DemoRoute]) -> None:
    """Take routes out of the kernel."""
    _batch("del", wanted)


def _batch(operation: str, wanted: Sequence[DemoRoute]) -> None:
    for family in ("-4", "-6"):
        lines = [
            f"route {operation} {r.prefix} via {r.gateway} dev {LINK} "
            f"proto {PROTOCOL} metric {METRIC}"
            for r in wanted
            if r.family == family
        ]
        if lines:
            _ip([family], lines)


def _ip(options: list[str], lines: Sequence[str]) -> None:
    try:
        subprocess.run(
            ["ip", *options, "-batch", "-"],
            input="\n".join(lines).encode(),
            check=True,
            capture_output=True,
        )
    except subprocess.CalledProcessError as error:
        raise KernelError(f"ip -batch failed: {error.stderr.decode().strip()}") from error


def routes_by_prefix() -> dict[str, frozenset[str]]:
    """The gateways of each protocol-12 prefix as ``ip`` shows them: a second opinion."""
    if shutil.which("ip") is None:
        raise KernelError("the `ip` command is missing: install iproute2")
    found: dict[str, frozenset[str]] = {}
    for family, bits, default in (("-4", 32, "0.0.0.0/0"), ("-6", 128, "::/0")):
        output = subprocess.run(
            ["ip", "-json", family, "route", "show", "table", "main", "proto", str(PROTOCOL)],
            check=True,
            capture_output=True,
        ).stdout
        for route in json.loads(output or b"[]"):
            destination = str(route["dst"])
            if destination == "default":
                destination = default
            elif "/" not in destination:
                destination = f"{destination}/{bits}"
            hops = route.get("nexthops", [route])
            found[destination] = frozenset(_gateway(hop) for hop in hops)
    return found


def _gateway(hop: dict[str, object]) -> str:
    via = hop.get("via")
    if isinstance(via, dict):
        return str(via["host"])
    return str(hop.get("gateway", ""))
