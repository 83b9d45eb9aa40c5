"""Operations beyond routes, objects and links: what else decides about forwarding, and lives.

Beside the lines of `operations` there are these:

``ra LINK ROUTER LIFETIME PREFERENCE [PREFIX PREFERENCE]``
    a router advertisement that comes in at a link, with a route of its own (RFC 4191) or without;
``expire``
    waits until nothing is left that expires within two seconds;
``many LINE``
    the line for `MANY` prefixes, where it says ``{}``;
``stop``, ``restart``
    the engine ends (the next ``quiet`` starts another), or ends and begins again at once;
``recreate``
    the namespace is deleted, and another of its name is made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .operations import LINKS, OBJECTS, PREFIXES, TABLES, Generator, Kinds, gateway

EXPIRE = "expire"
STOP, RESTART = "stop", "restart"
RECREATE = "recreate"
RA, MANY_LINES = "ra ", "many "

MANY = 200
MANY_PREFIXES = {4: "198.19.{}.0/24", 6: "2001:dba:{:x}::/48"}
ROUTERS = ("fe80::4", "fe80::99")
PREFERENCES = ("low", "medium", "high")


@dataclass(frozen=True)
class Variant:
    """A kind of world, and what happens in it."""

    name: str
    sysctls: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    restarts: float = 0.0
    recreates: float = 0.0
    many: float = 0.4
    churn: bool = False
    """Routes that have nothing to do with the others come and go, a hundred times a second."""

    settled: float = 2.0
    """The bound: so many seconds after an operation no stale route is left and all agree,
    whatever else changes."""


COMPAT = ("net.ipv4.nexthop_compat_mode=1",)
PLAIN = ("net.ipv4.nexthop_compat_mode=0", "net.ipv6.route.skip_notify_on_dev_down=1")
SMALL_BUFFER = 8 << 10

VARIANTS = (
    Variant("compat", COMPAT),
    Variant("plain", PLAIN),
    Variant("ignore", COMPAT, {"foreign_routes": "ignore"}),
    Variant("restarts", PLAIN, restarts=3.0),
    Variant(
        "overruns",
        COMPAT,
        {"receive_buffer": SMALL_BUFFER},
        restarts=0.3,
        many=6.0,
        churn=True,
        settled=10.0,
    ),
    Variant("recreated", COMPAT, restarts=0.3, recreates=1.5, settled=5.0),
)


def variant_of(seed: int) -> Variant:
    """The variant of a seed."""
    return VARIANTS[seed % len(VARIANTS)]


def many_lines(line: str) -> list[str]:
    """The lines of `ip` that a ``many`` line stands for."""
    wanted = line.removeprefix(MANY_LINES)
    family = 6 if wanted.startswith("-6") else 4
    return [wanted.replace("{}", MANY_PREFIXES[family].format(n)) for n in range(MANY)]


class MoreOperations(Generator):
    """A generator that also draws these operations."""

    extras = 0.25

    def __init__(self, seed: int, variant: Variant) -> None:
        super().__init__(seed)
        self._many_use: dict[int, int] = {}
        """The object that the many routes of a family lead to."""

        more: Kinds = (
            (4, self._advertise),
            (1, self._expiring),
            (0.4, lambda: EXPIRE),
            (variant.many, self._many),
            (variant.many, self._many_change_or_go),
        )
        lives: Kinds = (
            (variant.restarts, lambda: self._random.choice((STOP, RESTART))),
            (variant.recreates, self._recreate_namespace),
        )
        self._others = (*self._others, *more, *(kind for kind in lives if kind[0]))

    def _extra(self, family: int, hops: str) -> str:
        kind = self._random.random()
        if kind < 0.4:
            return super()._extra(family, hops)
        if kind < 0.5:
            end = gateway(family, 0, 9)
            return f" encap {'ip' if family == 4 else 'ip6'} id 7 dst {end}"
        if family == 4:
            return f" realm {self._random.randrange(1, 4)}"
        if "via" in hops:
            # IPv6 may merge it: each next hop then has a preference, and only one of them is shown.
            return super()._extra(family, hops)
        return f" pref {self._random.choice(PREFERENCES)}"

    def _expiring(self) -> str:
        family, prefix, key, hops = 6, *self._key(6), self._hop(6)
        self._put_before.append((family, prefix, key, hops))
        verb = self._random.choice(("add", "replace", "append"))
        if verb == "append" and "via" in hops:
            # IPv6 may merge it: each next hop then has a lifetime, and only one of them is shown.
            verb = "replace"
        # BIRD's and others' alike: what hides a route of ours may end, too.
        protocol = self._random.choice(("12", "12", "4"))
        seconds = self._random.choice((1, 1, 2, 100))
        return f"-6 route {verb} {prefix}{key} proto {protocol} expires {seconds} {hops}"

    def _advertise(self) -> str:
        lifetime = self._random.choice((0, 1, 1800, 1800, 1800))
        words = [
            "ra",
            LINKS[self._link_number()],
            self._random.choice(ROUTERS),
            str(lifetime),
            self._random.choice(PREFERENCES),
        ]
        if self._chance(0.5):
            words += [self._random.choice(PREFIXES[6][:4]), self._random.choice(PREFERENCES)]
        return " ".join(words)

    def _many(self) -> str:
        family = self._family()
        number = self._object_id(family)
        self._many_use[family] = number
        hops = self._random.choice((f"nhid {number}", f"nhid {number}", self._hop(family)))
        return f"many -{family} route replace {{}} table {TABLES[0]} proto 12 {hops}"

    def _many_change_or_go(self) -> str:
        family = self._random.choice(sorted(self._many_use) or (4, 6))
        number = self._many_use.get(family, OBJECTS[family][0])
        kind = self._random.random()
        if kind < 0.4:
            return f"nexthop del id {number}"
        if kind < 0.6:
            via = gateway(family, self._link_number(), 3)
            device = LINKS[self._link_number()]
            return f"-{family} nexthop replace id {number} via {via} dev {device} onlink"
        if kind < 0.8:
            return f"many -{family} route del {{}} table {TABLES[0]}"
        return f"-{family} route flush table {TABLES[0]} proto 12"

    def _recreate_namespace(self) -> str:
        self._put_before.clear()
        self._down.clear()
        self._without.clear()
        self._objects_before = {4: set(), 6: set()}
        self._many_use.clear()
        return RECREATE
