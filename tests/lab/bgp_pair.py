"""Two BIRDs on a veth pair that speak BGP: one announces, the other fills its kernel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from .bird import Bird, running_bird
from .bird_config import BirdConfig, Session
from .kernel import (
    MAIN,
    Forwarding,
    NextHop,
    RouteCounts,
    RouteKey,
    count_routes,
    read_forwarding,
)
from .netns import connect, namespace
from .prefixes import Family, prefixes
from .wait import wait_until

DEVICE = "uplink"
CONVERGE = 90.0
"""Seconds that BGP and the kernel get for a full set."""

SUBNETS: dict[Family, str] = {4: "192.168.100.{host}", 6: "fd00:100::{host:x}"}
LENGTHS: dict[Family, int] = {4: 24, 6: 64}
SPEAKER, ROUTER = 1, 2
"""Host numbers on the link; next hops are other hosts of it, from 10 on."""


@dataclass
class BgpPair:
    """The pair; ``speaker`` announces, and ``router``'s kernel gets the routes of protocol 12.

    The operations return when the speaker's BIRD has taken them over; `wait_kernel` waits until
    the router's kernel has followed.
    """

    speaker: Bird
    router: Bird
    _announced: dict[Family, list[str]] = field(default_factory=dict)
    _hosts: tuple[int, ...] = (10,)

    def announce(
        self,
        count: int,
        hosts: Sequence[int] | None = None,
        families: Sequence[Family] = (4, 6),
        first: int = 0,
    ) -> None:
        """Announces ``count`` prefixes of each family and withdraws all others.

        ``hosts`` are the host numbers (10 to 250) of the next hops; several make multipath routes.
        ``first`` is the number of the first prefix.
        """
        self._announced = {family: prefixes(family, count, first=first) for family in families}
        self._hosts = tuple(hosts) if hosts is not None else self._hosts
        self._configure()

    def change_next_hop(self, *hosts: int) -> None:
        """Sends all prefixes that are announced to other hosts of the link.

        From one host to another no prefix is withdrawn in between, and in the router's kernel its
        route is replaced.
        """
        self._hosts = hosts
        self._configure()

    def kill(self) -> None:
        """Kills the router's BIRD (SIGKILL): the routes stay in its kernel."""
        self.router.kill()

    def restart(self) -> None:
        """Starts the router's BIRD again and waits for its sessions."""
        self.router.restart()
        self.wait_established()

    def wait_established(self) -> None:
        """Waits until both sides' sessions are up."""
        self.speaker.wait_established()
        self.router.wait_established()

    def expected(self) -> dict[RouteKey, Forwarding]:
        """What the router's kernel has to hold once it has followed."""
        expected: dict[RouteKey, Forwarding] = {}
        for family, announced in self._announced.items():
            next_hops = frozenset(NextHop(address(family, host), DEVICE) for host in self._hosts)
            expected |= {RouteKey(family, MAIN, prefix): next_hops for prefix in announced}
        return expected

    def _expected_counts(self) -> RouteCounts:
        routes: dict[Family, int] = {4: 0, 6: 0}
        gateways: Counter[str] = Counter()
        for family, announced in self._announced.items():
            routes[family] = len(announced)
            if announced:
                hosts = (address(family, host) for host in self._hosts)
                gateways.update(dict.fromkeys(hosts, len(announced)))
        return RouteCounts(routes, dict(gateways))

    def kernel(self) -> dict[RouteKey, Forwarding]:
        """What the router's kernel holds of protocol 12 in its main table."""
        return read_forwarding(self.router.namespace)

    def wait_kernel(self) -> dict[RouteKey, Forwarding]:
        """Waits until the router's kernel holds exactly what is announced; returns that.

        Routes are read and compared one by one once there are as many as expected.
        """
        expected = self.expected()
        counts = self._expected_counts()
        wait_until(
            lambda: count_routes(self.router.namespace),
            CONVERGE,
            f"as many routes in the router's kernel as are announced, {counts}",
            accept=lambda found: found == counts,
            interval=0.1,
        )
        wait_until(
            lambda: _differences(self.kernel(), expected),
            CONVERGE,
            "differences between the router's kernel and what is announced",
            accept=lambda differences: not differences,
            interval=0.1,
        )
        return expected

    def _configure(self) -> None:
        routes = {
            address(family, host): announced
            for family, announced in self._announced.items()
            for host in self._hosts
        }
        self.speaker.configure(replace(self.speaker.config, routes=routes))


@contextmanager
def running_bgp_pair() -> Iterator[BgpPair]:
    """A pair with established sessions and nothing announced."""
    with namespace("speaker") as speaker, namespace("router") as router:
        connect(speaker, router, DEVICE, _addresses(SPEAKER), _addresses(ROUTER))
        with (
            running_bird(speaker, _config(SPEAKER, ROUTER)) as announcing,
            running_bird(router, replace(_config(ROUTER, SPEAKER), install=True)) as installing,
        ):
            pair = BgpPair(announcing, installing)
            pair.wait_established()
            yield pair


def address(family: Family, host: int) -> str:
    """The address of a host on the link."""
    return SUBNETS[family].format(host=host)


def _addresses(host: int) -> list[str]:
    return [f"{address(family, host)}/{LENGTHS[family]}" for family in LENGTHS]


def _config(local: int, neighbour: int) -> BirdConfig:
    return BirdConfig(
        router_id=address(4, local),
        sessions=[
            Session(
                address(family, local), address(family, neighbour), 65000 + local, 65000 + neighbour
            )
            for family in LENGTHS
        ],
    )


def _differences(
    found: dict[RouteKey, Forwarding], expected: dict[RouteKey, Forwarding]
) -> dict[str, object]:
    missing = expected.keys() - found.keys()
    surplus = found.keys() - expected.keys()
    other = [key for key in expected.keys() & found.keys() if found[key] != expected[key]]
    if not (missing or surplus or other):
        return {}
    return {
        "missing": len(missing),
        "surplus": len(surplus),
        "different": len(other),
        "for instance": [
            (key, found.get(key), expected.get(key))
            for key in sorted([*missing, *surplus, *other])[:3]
        ],
    }
