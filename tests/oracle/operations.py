"""Random operations, as lines of `ip -batch`, from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable

LINKS = ("o0", "o1", "o2")
TABLES = (254, 1000)
PREFIXES = {
    4: ("198.18.0.0/24", "198.18.1.0/24", "198.18.1.1/32", "198.18.0.0/16", "default"),
    6: ("2001:db8:1::/48", "2001:db8:2::/48", "2001:db8:2::1/128", "2001:db8::/32", "default"),
}
METRICS = {4: ("", " metric 10", " metric 20"), 6: ("", " metric 10", " metric 1024")}
PROTOCOLS = ("12", "12", "12", "12", "static", "186")
OBJECTS = {4: (1, 2, 3), 6: (11, 12, 13)}
GROUPS = {4: (101, 102), 6: (111, 112)}
SPECIAL = ("blackhole", "unreachable", "prohibit")


def gateway(family: int, link: int, host: int) -> str:
    """The address of a neighbour on one of the links."""
    return f"10.7.{link}.{host}" if family == 4 else f"fd07:{link}::{host}"


class Generator:
    """Draws operations; the same seed draws the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def draw(self, count: int) -> list[str]:
        """``count`` operations."""
        return [self._one() for _ in range(count)]

    def _one(self) -> str:
        kinds: tuple[tuple[int, Callable[[], str]], ...] = (
            (30, self._put),
            (12, self._delete),
            (3, self._delete_leg),
            (5, self._object),
            (2, self._delete_object),
            (5, self._link),
            (2, self._address),
            (1, self._flush),
        )
        draw = self._random.choices([k for _, k in kinds], [w for w, _ in kinds])[0]
        return draw()

    def _family(self) -> int:
        return self._random.choice((4, 6))

    def _key(self, family: int) -> tuple[str, str]:
        prefix = self._random.choice(PREFIXES[family])
        metric = self._random.choice(METRICS[family])
        table = self._random.choice((TABLES[0], TABLES[0], TABLES[1]))
        tos = " tos 8" if family == 4 and self._random.random() < 0.05 else ""
        return prefix, f"{tos}{metric} table {table}"

    def _hop(self, family: int) -> str:
        link = self._random.randrange(len(LINKS))
        host = self._random.randrange(2, 5)
        kind = self._random.random()
        if kind < 0.12:
            return f"dev {LINKS[link]}"
        if family == 4 and kind < 0.22:
            return f"via inet6 {gateway(6, link, host)} dev {LINKS[link]}"
        if kind < 0.30:
            return f"via {gateway(family, link, host)} dev {LINKS[link]} onlink"
        return f"via {gateway(family, link, host)} dev {LINKS[link]}"

    def _legs(self, family: int) -> str:
        count = self._random.randrange(2, 4)
        return " ".join(
            f"nexthop {self._hop(family)} weight {self._random.choice((1, 1, 3))}"
            for _ in range(count)
        )

    def _put(self) -> str:
        family = self._family()
        verb = self._random.choice(("add", "replace", "replace", "append", "prepend"))
        prefix, key = self._key(family)
        protocol = self._random.choice(PROTOCOLS)
        kind = self._random.random()
        if kind < 0.15:
            kind_name = self._random.choice(SPECIAL)
            return f"-{family} route {verb} {kind_name} {prefix}{key} proto {protocol}"
        if kind < 0.40:
            hops = self._legs(family)
        elif kind < 0.55:
            hops = f"nhid {self._random.choice(OBJECTS[family] + GROUPS[family])}"
        else:
            hops = self._hop(family)
        return f"-{family} route {verb} {prefix}{key} proto {protocol} {hops}"

    def _delete(self) -> str:
        family = self._family()
        prefix, key = self._key(family)
        protocol = self._random.choice((" proto 12", "", " proto static"))
        return f"-{family} route del {prefix}{key}{protocol}"

    def _delete_leg(self) -> str:
        family = self._family()
        prefix, key = self._key(family)
        return f"-{family} route del {prefix}{key} {self._hop(family)}"

    def _object(self) -> str:
        family = self._family()
        if self._random.random() < 0.4:
            members = self._random.sample(OBJECTS[family], self._random.randrange(1, 4))
            group = "/".join(f"{member},{self._random.choice((1, 2))}" for member in members)
            name = self._random.choice(GROUPS[family])
            return f"nexthop replace id {name} group {group}"
        name = self._random.choice(OBJECTS[family])
        if self._random.random() < 0.1:
            return f"-{family} nexthop replace id {name} blackhole"
        link = self._random.randrange(len(LINKS))
        via = gateway(family, link, self._random.randrange(2, 5))
        return f"-{family} nexthop replace id {name} via {via} dev {LINKS[link]}"

    def _delete_object(self) -> str:
        family = self._family()
        return f"nexthop del id {self._random.choice(OBJECTS[family] + GROUPS[family])}"

    def _link(self) -> str:
        link = self._random.choice(LINKS)
        # The peer's end decides about the carrier.
        name = link if self._random.random() < 0.7 else f"{link}p"
        return f"link set {name} {self._random.choice(('up', 'up', 'down'))}"

    def _address(self) -> str:
        link = self._random.randrange(len(LINKS))
        verb = self._random.choice(("add", "add", "del"))
        if self._random.random() < 0.5:
            return f"addr {verb} 10.7.{link}.1/24 dev {LINKS[link]}"
        nodad = " nodad" if verb == "add" else ""
        return f"addr {verb} fd07:{link}::1/64 dev {LINKS[link]}{nodad}"

    def _flush(self) -> str:
        family = self._family()
        table = self._random.choice(TABLES)
        return f"-{family} route flush table {table} proto 12"
