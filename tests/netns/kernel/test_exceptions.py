"""Exception routes (RTM_F_CLONED): what the kernel learns of a path's MTU is no route of ours."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress

import pytest

from lab import Namespace, wait_until
from oracle.world import World

from .agreement import FAMILIES, PREFIX, TIMEOUT, add_route, agreed, do, hop

pytestmark = pytest.mark.root

NARROW = 1280
TARGET = {4: "198.18.0.9", 6: "2001:db8:1::9"}
FORWARDING = {4: "ipv4/conf/all/forwarding", 6: "ipv6/conf/all/forwarding"}
DISCOVER = {4: (socket.IPPROTO_IP, 10, 2), 6: (socket.IPPROTO_IPV6, 23, 2)}
"""IP_MTU_DISCOVER and IPV6_MTU_DISCOVER: fragment nothing (IP_PMTUDISC_DO)."""


def narrow_neighbour(router: World, neighbour: Namespace) -> None:
    """Behind the first link: a router whose next link is too narrow for a full packet."""
    do(router, f"link set o0p netns {neighbour.name}")
    neighbour.ip("link", "set", "o0p", "up")
    neighbour.ip("address", "add", "10.7.0.2/24", "dev", "o0p")
    neighbour.ip("address", "add", "fd07:0::2/64", "dev", "o0p", "nodad")
    neighbour.ip("link", "add", "narrow", "mtu", str(NARROW), "type", "veth", "peer", "name", "far")
    for device in ("narrow", "far"):
        neighbour.ip("link", "set", device, "mtu", str(NARROW), "up")
    for family in FAMILIES:
        neighbour.sysctl(FORWARDING[family], 1)
        neighbour.ip(f"-{family}", "route", "add", PREFIX[family], "dev", "narrow")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_learned_mtu_is_no_route(
    router: World, make_namespace: Callable[[str], Namespace], family: int
) -> None:
    """The kernel holds it beside the route and shows it to who asks for the cache only."""
    narrow_neighbour(router, make_namespace("narrow"))
    prefix = add_route(router, family)
    number = {4: socket.AF_INET, 6: socket.AF_INET6}[family]
    with router.namespace.call(lambda: socket.socket(number, socket.SOCK_DGRAM)) as sender:
        sender.setsockopt(*DISCOVER[family])
        sender.connect((TARGET[family], 9))

        def learned() -> list[str]:
            # EMSGSIZE, once the kernel has learned it.
            with suppress(OSError):
                sender.send(bytes(1400))
            shown = router.namespace.ip_json(f"-{family}", "route", "show", "cache")
            return [str(entry["dst"]) for entry in shown]

        wait_until(learned, TIMEOUT, "an exception", accept=lambda seen: TARGET[family] in seen)
    assert router.engine.resync().complete
    agreed(router, {prefix: [hop(family, 0)]})
    assert len(router.engine.routes_of(254, prefix)) == 1
    host = f"{TARGET[family]}/{32 if family == 4 else 128}"
    assert router.engine.routes_of(254, host) == []
