"""Kernel, table and VPP, and what all of them are waited for to say."""

from __future__ import annotations

from collections.abc import Mapping

from lab import wait_until
from oracle.expected import Meaning, forwarding
from oracle.operations import gateway
from oracle.world import World

TIMEOUT = 10.0
"""Seconds."""

PREFIX = {4: "198.18.0.0/24", 6: "2001:db8:1::/48"}
"""What most tests are about."""

V4, V6 = PREFIX[4], PREFIX[6]
FAMILIES = (4, 6)
OWN, FOREIGN = "proto 12", "proto 4"
"""The protocol that is mirrored, and another one, as `ip` reads them."""


def via(family: int, link: int, host: int = 2) -> str:
    """A next hop as `ip` reads it."""
    return f"via {gateway(family, link, host)} dev o{link}"


def hop(family: int, link: int, host: int = 2, weight: int = 1) -> tuple[str, str, int]:
    """The same as it is shown."""
    return gateway(family, link, host).replace("fd07:0::", "fd07::"), f"o{link}", weight


def agreed(router: World, expected: Mapping[str, Meaning], table: int = 254) -> None:
    """Waits until kernel, table and VPP have exactly these prefixes, all in one kernel table."""
    whole = {(table, prefix): meaning for prefix, meaning in expected.items()}

    def said() -> tuple[object, object, object]:
        router.settle(0)
        return forwarding(router.ip), router.table(), router.vpp()

    wait_until(
        said,
        TIMEOUT,
        f"kernel, table and VPP say {whole}",
        accept=lambda seen: seen == (whole, whole, whole),
    )


def vpp_has(router: World, count: int) -> None:
    """Waits until VPP has that many routes."""

    def has() -> int:
        router.settle(0)
        return len(router.vpp())

    wait_until(has, TIMEOUT, f"{count} routes in VPP", accept=lambda seen: seen == count)


def do(router: World, *operations: str) -> None:
    """Runs operations of `ip`, each as ``-4 route add …``. Raises where the kernel refuses."""
    for operation in operations:
        router.namespace.ip(*operation.split())


def add_route(router: World, family: int) -> str:
    """Adds a route through the first link, and waits until all have it; its prefix."""
    prefix = PREFIX[family]
    do(router, f"-{family} route add {prefix} {OWN} {via(family, 0)}")
    agreed(router, {prefix: [hop(family, 0)]})
    return prefix


def refused(router: World, operation: str) -> bool:
    """Whether the kernel refuses an operation of `ip`."""
    try:
        do(router, operation)
    except RuntimeError:
        return True
    return False


def drifted(router: World) -> list[tuple[int, str, str]]:
    """What an audit finds, but for the kernel's own routes: those come as links come up."""
    own = ("10.7.", "fd07:", "fe80:", "ff00:")
    return [found for found in router.engine.audit().drifted if not found[1].startswith(own)]
