"""Random operations, as lines of `ip -batch`, from a seed.

A line that begins with ``-4`` or ``-6`` is for `ip` of that family; an operation of several lines
has them separated by ``; ``. Three more words: ``quiet`` is a moment in which all must agree,
``commit`` sends VPP what waits in the middle of changes, and ``resync`` dumps the kernel there.
Those of `more_operations` are described there.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

QUIET = "quiet"
COMMIT = "commit"
RESYNC = "resync"

LINKS = ("o0", "o1", "o2")
TABLES = (254, 1000)
PREFIXES = {
    4: (
        "198.18.0.0/24",
        "198.18.1.0/24",
        "198.18.1.1/32",
        "198.18.0.0/16",
        "10.7.1.0/24",
        "0.0.0.0/0",
    ),
    6: (
        "2001:db8:1::/48",
        "2001:db8:2::/48",
        "2001:db8:2::1/128",
        "2001:db8::/32",
        "fd07:1::/64",
        "::/0",
    ),
}
METRICS = {4: ("", " metric 10", " metric 20"), 6: ("", " metric 10", " metric 1024")}
PROTOCOLS = ("12", "12", "12", "12", "4", "186")
"""Always numbers: of names, `ip` remembers wrong ones from line to line."""
OBJECTS = {4: (1, 2, 3), 6: (11, 12, 13)}
GROUPS = {4: (101, 102), 6: (111, 112)}
MIXED = 121
"""A group of objects of both families: good for IPv4 routes only."""
RESILIENT = {4: 103, 6: 113}
SPECIAL = ("blackhole", "unreachable", "prohibit", "throw")
WEIGHTS = (1, 1, 1, 3, 200)
MOST_IN_A_ROW = 8
"""Operations between two moments of quiet."""


def gateway(family: int, link: int, host: int) -> str:
    """The address of a neighbour on one of the links; IPv6 host 4 has only a link-local one."""
    if family == 4:
        return f"10.7.{link}.{host}"
    return f"fe80::{host}" if host == 4 else f"fd07:{link}::{host}"


def link_lines(link: int, index: int, addresses: Sequence[int]) -> tuple[str, ...]:
    """Makes a link, up, with the addresses of these families; the peer's index is 100 higher."""
    name = LINKS[link]
    return (
        f"link add {name} index {index} type veth peer name {name}p index {index + 100}",
        f"link set {name}p up",
        f"link set {name} up",
        *(address_line("add", family, link) for family in addresses),
    )


def address_line(verb: str, family: int, link: int) -> str:
    """Adds or deletes our address on a link."""
    if family == 4:
        return f"addr {verb} 10.7.{link}.1/24 dev {LINKS[link]}"
    nodad = " nodad" if verb == "add" else ""
    return f"addr {verb} fd07:{link}::1/64 dev {LINKS[link]}{nodad}"


def is_operation(line: str) -> bool:
    """Whether it is for the kernel."""
    return line not in (QUIET, COMMIT, RESYNC)


def is_about_routes(line: str) -> bool:
    """Whether it is for the kernel's routes alone: the kernel tells all that follows from it."""
    return is_operation(line) and all("route " in part for part in line.split("; "))


Kinds = tuple[tuple[float, Callable[[], str]], ...]
"""What to draw from, by weight."""


class Generator:
    """Draws operations; the same seed draws the same ones."""

    extras = 0.08
    """How many routes have what `_extra` gives them."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._next_index = 20
        self._put_before: list[tuple[int, str, str, str]] = []
        """Family, prefix, rest of the key and next hops: most of what is deleted must exist."""
        self._down: set[str] = set()
        self._without: set[tuple[int, int]] = set()
        """Links (after their family) that lack their address."""
        self._objects_before: dict[int, set[int]] = {4: set(), 6: set()}
        self._routes: Kinds = (
            (36, self._put),
            (2, self._put_again),
            (9, self._delete),
            (4, self._delete_next_hop),
            (0.6, self._flush),
        )
        self._others: Kinds = (
            (10, self._object),
            (3, self._delete_object),
            (6, self._link),
            (1, self._recreate),
            (5, self._address),
            (0.3, self._loopback),
        )

    def draw(self, count: int) -> list[str]:
        """``count`` operations, with moments of quiet among them and one at the end.

        Between most of these moments there are operations on routes only: after any other the
        engine dumps the kernel to verify, which would repair what went wrong with a route.
        """
        lines: list[str] = []
        while count > 0:
            kinds = self._routes if self._chance(0.6) else self._routes + self._others
            for _ in range(min(count, self._random.randint(1, MOST_IN_A_ROW))):
                lines.append(self._one(kinds))
                count -= 1
                if self._chance(0.03):
                    lines.append(self._random.choice((COMMIT, COMMIT, RESYNC)))
            lines.append(QUIET)
        return lines

    def _one(self, kinds: Kinds) -> str:
        return self._random.choices([k for _, k in kinds], [w for w, _ in kinds])[0]()

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _family(self) -> int:
        return self._random.choice((4, 6))

    def _link_number(self) -> int:
        return self._random.randrange(len(LINKS))

    def _key(self, family: int) -> tuple[str, str]:
        prefix = self._random.choice(PREFIXES[family])
        metric = self._random.choice(METRICS[family])
        table = self._random.choice((TABLES[0], TABLES[0], TABLES[1]))
        tos = " tos 8" if family == 4 and self._chance(0.05) else ""
        return prefix, f"{tos}{metric} table {table}"

    def _hop(self, family: int) -> str:
        link = self._link_number()
        host = self._random.randrange(2, 5)
        kind = self._random.random()
        if kind < 0.12:
            return f"dev {LINKS[link]}"
        if family == 4 and kind < 0.22:
            return f"via inet6 {gateway(6, link, host)} dev {LINKS[link]}"
        onlink = " onlink" if kind < 0.30 else ""
        return f"via {gateway(family, link, host)} dev {LINKS[link]}{onlink}"

    def _next_hops(self, family: int) -> str:
        count = self._random.randrange(2, 4)
        return " ".join(
            f"nexthop {self._hop(family)} weight {self._random.choice(WEIGHTS)}"
            for _ in range(count)
        )

    def _object_id(self, family: int) -> int:
        known = set(self._objects_before[family])
        if family == 4:
            # An IPv4 route may use an object with an IPv6 gateway, too.
            known |= self._objects_before[6]
        return self._random.choice(sorted(known) or OBJECTS[family])

    def _put(self) -> str:
        verbs = ("add", "replace", "replace", "replace", "change", "append", "append", "prepend")
        verb = self._random.choice(verbs)
        family, prefix, key, _ = self._target(0.9 if verb == "change" else 0.4)
        protocol = self._random.choice(PROTOCOLS)
        kind = self._random.random()
        if kind < 0.12:
            special = self._random.choice(SPECIAL)
            self._put_before.append((family, prefix, key, ""))
            return f"-{family} route {verb} {special} {prefix}{key} proto {protocol}"
        if kind < 0.37:
            hops = self._next_hops(family)
        elif kind < 0.52:
            hops = f"nhid {self._object_id(family)}"
        else:
            hops = self._hop(family)
        self._put_before.append((family, prefix, key, hops))
        extra = self._extra(family, hops) if self._chance(self.extras) else ""
        return f"-{family} route {verb} {prefix}{key} proto {protocol}{extra} {hops}"

    def _put_again(self) -> str:
        """A route like another one, but for what VPP does not see."""
        family, prefix, key, hops = self._target(1)
        verb = self._random.choice(("append", "prepend"))
        return f"-{family} route {verb} {prefix}{key} proto 12{self._extra(family, hops)} {hops}"

    def _target(self, known: float) -> tuple[int, str, str, str]:
        """Something put before, one of the latest, with the chance ``known``; else any."""
        if self._put_before and self._chance(known):
            return self._random.choice(self._put_before[-12:])
        family = self._family()
        return (family, *self._key(family), self._hop(family))

    def _extra(self, family: int, hops: str) -> str:
        """What makes a route by these next hops another one to the kernel, and not to VPP."""
        link = self._link_number()
        if family == 6:
            return self._random.choice((f" src fd07:{link}::1", " mtu 1400"))
        return self._random.choice((f" src 10.7.{link}.1", " mtu 1400", " scope link"))

    def _delete(self) -> str:
        family, prefix, key, _ = self._target(0.8)
        protocol = self._random.choice((" proto 12", "", "", "", " proto 4"))
        return f"-{family} route del {prefix}{key}{protocol}"

    def _delete_next_hop(self) -> str:
        family, prefix, key, hops = self._target(0.8)
        next_hops = [f"nexthop {next_hop}" for next_hop in hops.split("nexthop ")[1:]]
        if next_hops and self._chance(0.7):
            # One of them, named as a route of its own, or some, named as next hops.
            some = self._random.sample(next_hops, self._random.randrange(1, len(next_hops) + 1))
            hops = (
                some[0].split(" weight")[0][8:]
                if self._chance(0.6)
                else " ".join(map(str.strip, some))
            )
        return f"-{family} route del {prefix}{key} {hops}".rstrip()

    def _object(self) -> str:
        family = self._family()
        if self._chance(0.4):
            return self._group(family)
        name = self._random.choice(OBJECTS[family])
        self._objects_before[family].add(name)
        kind = self._random.random()
        if kind < 0.1:
            return f"-{family} nexthop replace id {name} blackhole"
        link = self._link_number()
        if kind < 0.2:
            return f"-{family} nexthop replace id {name} dev {LINKS[link]}"
        via = gateway(family, link, self._random.randrange(2, 5))
        onlink = " onlink" if kind < 0.3 else ""
        return f"-{family} nexthop replace id {name} via {via} dev {LINKS[link]}{onlink}"

    def _group(self, family: int) -> str:
        kind = self._random.random()
        name = self._random.choice(GROUPS[family])
        among = self._objects_before[family] & set(OBJECTS[family])
        suffix = ""
        if kind < 0.1:
            among |= self._objects_before[10 - family] & set(OBJECTS[10 - family])
            family, name = 4, MIXED
        elif kind < 0.2:
            name, suffix = RESILIENT[family], " type resilient buckets 8"
        self._objects_before[family].add(name)
        members = self._random.sample(
            sorted(among) or OBJECTS[family], self._random.randrange(1, 1 + min(3, len(among) or 1))
        )
        weighted = "/".join(f"{member},{self._random.choice((1, 2, 200))}" for member in members)
        return f"nexthop replace id {name} group {weighted}{suffix}"

    def _delete_object(self) -> str:
        if self._chance(0.1):
            return f"nexthop flush dev {LINKS[self._link_number()]}"
        family = self._family()
        names = sorted(self._objects_before[family]) or OBJECTS[family]
        return f"nexthop del id {self._random.choice(names)}"

    def _link(self) -> str:
        if self._down and self._chance(0.7):
            name = self._random.choice(sorted(self._down))
            self._down.remove(name)
            return f"link set {name} up"
        # The peer's end decides about the carrier.
        link = self._link_number()
        name = LINKS[link] + self._random.choice(("", "", "p"))
        self._down.add(name)
        if name in LINKS:
            self._without.add((6, link))
        return f"link set {name} down"

    def _recreate(self) -> str:
        """The link goes, and one of its name comes, with the same index or with another one."""
        link = self._link_number()
        index = 10 + link
        if self._chance(0.5):
            index, self._next_index = self._next_index, self._next_index + 1
        self._down -= {LINKS[link], f"{LINKS[link]}p"}
        self._without -= {(4, link), (6, link)}
        addresses = self._random.choice(((), (4,), (4, 6), (4, 6), (4, 6), (4, 6)))
        self._without |= {(family, link) for family in (4, 6) if family not in addresses}
        return "; ".join((f"link del {LINKS[link]}", *link_lines(link, index, addresses)))

    def _address(self) -> str:
        if self._without and self._chance(0.7):
            family, link = self._random.choice(sorted(self._without))
            self._without.remove((family, link))
            return address_line("add", family, link)
        link = self._link_number()
        if self._chance(0.2):
            self._without |= {(4, link), (6, link)}
            return f"addr flush dev {LINKS[link]}"
        family = self._family()
        self._without.add((family, link))
        return address_line("del", family, link)

    def _flush(self) -> str:
        family = self._family()
        if self._chance(0.3):
            return f"-{family} route flush table all proto 12 dev {LINKS[self._link_number()]}"
        return f"-{family} route flush table {self._random.choice(TABLES)} proto 12"

    def _loopback(self) -> str:
        return f"link set lo {self._random.choice(('up', 'up', 'down'))}"
