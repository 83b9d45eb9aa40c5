"""Random changes of a zebra, each compared with what VPP has and zebra's results."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address

from bgpreflector import _core
from lab import wait_until
from oracle.forwarder import Maker, embedded
from oracle.operations import LINKS, TABLES
from oracle.world import World, world

from . import wire
from .wire import Hop
from .zebra import PORT, Key, Route, Zebra

QUIET = 0.3
"""Seconds of quiet that count as the end of what zebra shows."""

MIRRORED = (186, 196)
PROTOCOLS = (186, 186, 186, 196, 188, 2)
"""bgp, static, and two that are not mirrored: ospf, kernel."""

PREFIXES = (
    *(f"198.18.{number}.0/24" for number in range(6)),
    "0.0.0.0/0",
    "198.18.1.1/32",
    "2001:db8:1::/48",
    "2001:db8:2::/64",
    "::/0",
    "2001:db8:1::1/128",
)
KEYS: tuple[Key, ...] = tuple((table, prefix) for table in TABLES for prefix in PREFIXES)
NAMES = {10 + link: name for link, name in enumerate(LINKS)}
TIMEOUT = 20.0


@contextmanager
def fpm_world(stale_routes_time: float = 0.0, make: Maker = embedded) -> Iterator[World]:
    """The oracle's world, with zebra in the kernel's place."""
    listener = (f"127.0.0.1:{PORT}", QUIET, stale_routes_time)
    with world(make=make, protocols=list(MIRRORED), fpm=listener) as made:
        yield made


def fpm_status(router: World) -> _core.FpmStatus:
    """The status of zebra's connection."""
    status = router.engine.fpm()
    assert status is not None
    return status


@dataclass
class Sequence:
    """A zebra that changes at random."""

    world: World
    rng: random.Random
    zebra: Zebra = field(init=False)
    down: set[int] = field(default_factory=set)
    sweeps: int = 0

    def __post_init__(self) -> None:
        """Makes the zebra: by next-hop groups or not, with replacements in one message or two."""
        self.zebra = Zebra(self.world.namespace, replaces=self.rng.random() < 0.5)
        self.by_groups = self.rng.random() < 0.7

    def step(self) -> str:
        """Does one thing; returns what it was."""
        weights = {
            self._set: 8, self._delete: 3, self._change_group: 2, self._link: 2,
            self._break_off: 1, self._connect: 3, self._restart: 1,
        }  # fmt: skip
        change = self.rng.choices(list(weights), list(weights.values()))[0]
        change()
        return change.__name__

    def settle(self) -> None:
        """Connects, if need be, shows everything and waits for the sweep."""
        if not self.zebra.is_connected:
            self._connect(whole=True)

    def _set(self) -> None:
        key = self.rng.choice(KEYS)
        family = 6 if ":" in key[1] else 4
        kind = self.rng.choice((1, 1, 1, 1, 6, 7, 8))
        hops = self._hops(family) if kind == 1 else ()
        route = Route(self.rng.choice(PROTOCOLS), kind, hops, run=self.zebra.run)
        if hops and self.by_groups:
            known = [n for run, n in self.zebra.groups if run == self.zebra.run]
            same = [n for n in known if self._family(n) == family]
            group = self.rng.choice(same) if same and self.rng.random() < 0.5 else None
            group = group or self.zebra.new_group(hops)
            route = Route(route.protocol, kind, (), group, self.zebra.run)
        self.zebra.install(key, route)

    def _hops(self, family: int) -> tuple[Hop, ...]:
        places = [(link, host) for link in range(len(LINKS)) for host in (2, 3, 4)]
        chosen = self.rng.sample(places, self.rng.choice((1, 1, 2, 3)))
        gateway = "10.7.{}.{}" if family == 4 else "fd07:{}::{}"
        return tuple(
            Hop(
                str(ip_address(gateway.format(link, host))),
                10 + link,
                self.rng.choice((1, 1, 2, 7)),
            )
            for link, host in chosen
        )

    def _family(self, group: int) -> int:
        hops = self.zebra.groups[self.zebra.run, group]
        return 6 if ":" in hops[0].gateway else 4

    def _delete(self) -> None:
        if self.zebra.rib:
            self.zebra.delete(self.rng.choice(list(self.zebra.rib)))

    def _change_group(self) -> None:
        used = sorted({route.group for route in self.zebra.rib.values() if route.group})
        # While it is not connected nothing is announced, and earlier routes keep their next hops.
        if used and self.zebra.is_connected:
            group = self.rng.choice(used)
            self.zebra.change_group(group, self._hops(self._family(group)))

    def _link(self) -> None:
        index = self.rng.choice(list(NAMES))
        verb = "up" if index in self.down else "down"
        self.down ^= {index}
        self.world.namespace.ip("link", "set", NAMES[index], verb)

    def _break_off(self) -> None:
        half = wire.frame(wire.withdrawal(PREFIXES[0], protocol=186))
        self.zebra.disconnect(half[: self.rng.randrange(len(half))])

    def _restart(self) -> None:
        routes = list(self.zebra.rib)
        self.zebra.restart()
        # It learns some of it again, under other ids.
        for key in self.rng.sample(routes, len(routes) // 2):
            hops = self._hops(6 if ":" in key[1] else 4)
            group = self.zebra.new_group(hops) if self.by_groups else None
            self.zebra.rib[key] = Route(186, 1, () if group else hops, group, self.zebra.run)

    def _connect(self, *, whole: bool = False) -> None:
        if self.zebra.is_connected:
            return
        self.sweeps = fpm_status(self.world).sweeps
        connections = fpm_status(self.world).connections
        self._wait("the old connection's end", lambda: fpm_status(self.world).peer is None)
        self.zebra.connect()
        self._wait("a connection", lambda: fpm_status(self.world).connections > connections)
        keys = list(self.zebra.rib)
        if not whole and self.rng.random() < 0.3:
            # Some of it, and then it breaks off.
            self.zebra.show(keys[: len(keys) // 2])
            self._break_off()
            return
        if not keys:
            return
        self.zebra.show(end=self.rng.random() < 0.5)
        self._wait("a sweep", lambda: fpm_status(self.world).sweeps > self.sweeps)
        self.zebra.swept()

    def _wait(self, what: str, done: Callable[[], object]) -> None:
        def look() -> bool:
            self.world.settle(0)
            self.zebra.hear()
            return bool(done())

        wait_until(look, TIMEOUT, what)

    def difference(self) -> list[str]:
        """Where VPP, the results and zebra do not agree now."""
        self.world.settle(0)
        self.zebra.hear()
        failure = self.world.engine.failure()
        if failure is not None:
            return [f"the engine has ended: {failure}"]
        if not self.world.engine.status().synchronised:
            return []
        expected = self.zebra.expected(MIRRORED, self.down, NAMES)
        vpp = self.world.vpp()
        keys = sorted(expected.keys() | vpp.keys())
        lines = [
            f"{key}: VPP {vpp.get(key)}, zebra {expected.get(key)}; {self.world.shown(key)}"
            for key in keys
            if vpp.get(key) != expected.get(key)
        ]
        if not self.zebra.is_connected:
            return lines
        for key in sorted(self.zebra.sent & expected.keys()):
            result, route = self.zebra.results.get(key), self.zebra.rib[key]
            right = result is not None and (result.installed, result.protocol, result.group) == (
                True, route.protocol, route.group,
            )  # fmt: skip
            if not right:
                lines.append(f"{key}: result {result}, of {route}; {self.world.shown(key)}")
        return lines

    def compare(self) -> None:
        """Waits until VPP, the results and zebra agree."""
        wait_until(self.difference, TIMEOUT, "VPP as zebra says", accept=lambda lines: not lines)
