"""A router with the links `uplink` and `side`, judged by `ip route get ADDRESS fibmatch`."""

from __future__ import annotations

from dataclasses import dataclass

from bgpreflector import _core
from lab import Namespace, wait_until
from lab.router_advertisement import advertise

from .following import desired

TIMEOUT = 10.0
RTPROT_RA = 9
UPLINK, SIDE = "uplink", "side"
LINKS = (UPLINK, SIDE)
VIA_UPLINK = "via fd00::2 sw_if_index 1"
VIA_SIDE = "via fd00:9::2 sw_if_index 2"
ADDRESS = {"::/0": "2001:db8:ffff::1", "2001:db8:1::/48": "2001:db8:1::1"}
PREFIX = "2001:db8:1::/48"


@dataclass(frozen=True)
class TwoLinks:
    """A router with two links, and its neighbour on the second."""

    router: Namespace
    neighbour: Namespace

    def ip(self, *lines: str) -> None:
        """Changes routes."""
        for line in lines:
            self.router.ip(*line.split())

    def forwards_by(self, prefix: str) -> str:
        """The device that the kernel forwards a prefix's packets to; "" where there is none."""
        family = "-6" if ":" in prefix else "-4"
        try:
            found = self.router.ip_json(family, "route", "get", ADDRESS[prefix], "fibmatch")
        except RuntimeError:
            return ""
        return str(found[0].get("dev", "")) if found else ""

    def advertise(self, lifetime: int, preference: str = "medium") -> None:
        """The neighbour says that it is a default router for so many seconds."""
        advertise(self.neighbour, f"{SIDE}p", lifetime=lifetime, preference=preference)

    def await_kernel(self, prefix: str, device: str) -> None:
        """Waits until the kernel forwards to the device."""
        wait_until(
            lambda: self.forwards_by(prefix),
            TIMEOUT,
            f"the kernel forwards to {device!r}",
            accept=lambda seen: seen == device,
        )

    def await_routes(self, prefix: str, count: int) -> None:
        """Waits until the kernel has so many IPv6 routes of the prefix."""
        wait_until(
            lambda: self.router.ip_json("-6", "route", "show", "exact", prefix),
            TIMEOUT,
            f"{count} routes of {prefix}",
            accept=lambda seen: len(seen) == count,
        )


def make_two_links(router: Namespace, neighbour: Namespace) -> TwoLinks:
    """A new one, which takes router advertisements and forwards."""
    router.sysctl("ipv6/conf/all/forwarding", 1)
    for number, name in ((0, UPLINK), (9, SIDE)):
        router.ip("link", "add", name, "type", "veth", "peer", "name", f"{name}p")
        router.ip("address", "add", f"10.{number}.0.1/24", "dev", name)
        address = "fd00:9::1/64" if number else "fd00::1/64"
        router.ip("address", "add", address, "dev", name, "nodad")
        router.sysctl(f"ipv6/conf/{name}/accept_ra", 2)
        router.ip("link", "set", name, "up")
    router.ip("link", "set", f"{UPLINK}p", "up")
    router.ip("link", "set", f"{SIDE}p", "netns", neighbour.name)
    neighbour.ip("link", "set", f"{SIDE}p", "up")
    for side in (router, neighbour):
        wait_until(
            lambda side=side: side.ip("-6", "address", "show", "scope", "link", "-tentative"),  # type: ignore[misc]
            TIMEOUT,
            "link-local addresses",
            accept=lambda shown: shown.count("fe80:") >= 1,
        )
    return TwoLinks(router, neighbour)


def mirrored(engine: _core.Engine, prefix: str, expected: list[str] | None) -> None:
    """Waits until those are the prefix's desired paths."""
    wait_until(
        lambda: desired(engine).get(prefix),
        TIMEOUT,
        f"{expected} for {prefix}",
        accept=lambda seen: seen == expected,
    )
