"""What the kernel forwards by, read from `ip -json`: written without a look at our own code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

from lab.kernel import prefix_of

from .iproute import Entry, Ip
from .operations import TABLES

Hop = tuple[str, str, int]
"""Gateway ("" for none), device, weight."""

Meaning = str | list[Hop]
"""A route type, or the sorted hops."""

Forwarding = dict[tuple[int, str], Meaning]
"""By table and prefix."""

Objects = dict[int, Entry]

THROW = "9"
TYPES = {"6": "blackhole", "7": "unreachable", "8": "prohibit", THROW: "throw"}
PREFERENCES = {"high": 0, "medium": 1, "low": 2}


Key = tuple[int, str]
"""Table and prefix."""


@dataclass(frozen=True)
class Listing:
    """What `ip` lists at one time."""

    every: Mapping[Key, Sequence[Entry]]
    """The routes of each prefix with TOS 0, in the kernel's order."""

    objects: Objects
    links: Mapping[int, str]
    """Names by index."""

    down: frozenset[str]

    @cached_property
    def routes(self) -> Mapping[Key, Sequence[Entry]]:
        """Those of each prefix that can forward, the one first that does."""
        ranked = {key: _ranked(key, every) for key, every in self.every.items()}
        return {key: routes for key, routes in ranked.items() if routes}

    def members(self, number: int) -> frozenset[int]:
        """The ids of a group's members, or of an object alone its own."""
        group = self.objects.get(number, {}).get("group", ())
        return frozenset(int(member["id"]) for member in group) or frozenset({number})

    def completed(self, route: Entry) -> Entry:
        """A route with devices by index, as a lookup answers it, in the list's words."""
        named = _named(route, self.links)
        named = _expanded(named, self.objects)
        _mark_dead([named], self.down)
        return named


def listing(ip: Ip) -> Listing:
    """Lists routes, next-hop objects and links."""
    objects = {int(entry["id"]): entry for entry in ip.objects()}
    links = ip.links()
    names = {int(link["ifindex"]): str(link["ifname"]) for link in links}
    down = frozenset(str(link["ifname"]) for link in links if "UP" not in link["flags"])
    found: dict[Key, list[Entry]] = {}
    for family in (4, 6):
        routes = [_expanded(route, objects) for route in ip.routes(family)]
        _mark_dead(routes, down)
        for route in routes:
            key = (int(route["table"]), prefix_of(str(route["dst"]), family))
            if key[0] in TABLES and route.get("tos", "0x00") == "0x00":
                found.setdefault(key, []).append(route)
    return Listing(found, objects, names, down)


def forwarding(ip: Ip, protocol: str = "12", *, foreign: str = "hide") -> Forwarding:
    """The protocol's routes that forward, by table and prefix."""
    return of_listing(listing(ip), protocol, foreign=foreign)


def of_listing(listed: Listing, protocol: str = "12", *, foreign: str = "hide") -> Forwarding:
    """The same of what was listed; ``foreign`` is ``kernel.foreign_routes``."""
    result: Forwarding = {}
    for key, routes in listed.every.items():
        counted = [r for r in routes if foreign == "hide" or r["protocol"] == protocol]
        first = next(iter(_ranked(key, counted)), None)
        if first is not None and first["protocol"] == protocol and is_for_vpp(first):
            result[key] = meaning(first)
    return result


def is_for_vpp(route: Entry) -> bool:
    """Whether VPP can have it: it has nothing like a route that makes the lookup go on in another
    table, and an encapsulation has to be configured there as a tunnel."""
    live = (hop for hop in _hops(route) if not _dead(hop))
    return route["type"] != THROW and not any("encap" in hop for hop in (route, *live))


def _named(route: Entry, links: Mapping[int, str]) -> Entry:
    named = dict(route)
    if "dev" in route:
        named["dev"] = links.get(int(route["dev"]), "?")
    if "nexthops" in route:
        named["nexthops"] = [_named(hop, links) for hop in route["nexthops"]]
    return named


def _mark_dead(routes: Iterable[Entry], down: AbstractSet[str]) -> None:
    """Marks the hops of links that are down as dead: of merged IPv6 routes and what stands between
    them, the kernel cleans up but the first (`fib6_clean_node`), and drops what goes there."""
    for hop in (hop for route in routes for hop in _hops(route)):
        if hop.get("dev") in down:
            hop["flags"] = [*hop.get("flags", []), "dead"]


def _expanded(route: Entry, objects: Objects) -> Entry:
    """The route with the next hops of its object, where the kernel does not write them down."""
    if "nhid" not in route or "dev" in route or "nexthops" in route:
        return route
    entry = objects[int(route["nhid"])]
    if "blackhole" in entry:
        return route | {"type": "6"}
    group = entry.get("group")
    if group is None:
        return route | {"nexthops": [entry]} if "dev" in entry else route
    members = [objects[int(member["id"])] | {"weight": member.get("weight", 1)} for member in group]
    if any("blackhole" in member for member in members):
        return route | {"type": "6"}
    return route | {"nexthops": members}


def _ranked(key: Key, routes: Sequence[Entry]) -> list[Entry]:
    """Those that can forward, the one first that does: by metric; of IPv6 by preference (RFC 4191)
    within the first metric, and where none of that can be used within all others together; but an
    object that is a blackhole ends the search (``find_rr_leaf``)."""

    def metric(route: Entry) -> int:
        return int(route.get("metric", 0))

    def preference(route: Entry) -> int:
        ends = "nhid" in route and route["type"] == "6"
        return -1 if ends else PREFERENCES.get(str(route.get("pref")), 1)

    ordered = sorted(routes, key=metric)
    alive = [route for route in ordered if usable(route)]
    if ":" not in key[1]:
        return alive
    first = [route for route in alive if metric(route) == metric(ordered[0])]
    others = [route for route in alive if metric(route) != metric(ordered[0])]
    return sorted(first, key=preference) + sorted(others, key=preference)


def is_merged(route: Entry) -> bool:
    """Whether an IPv6 route has been merged of several."""
    return "nexthops" in route and "nhid" not in route


def usable(route: Entry) -> bool:
    """Whether it can forward: it has not expired, and a next hop is alive."""
    if int(route.get("expires", 1)) < 0 and not is_merged(route):
        # Of merged ones only the first next hop's lifetime is shown.
        return False
    return route["type"] != "1" or any(not _dead(hop) for hop in _hops(route))


def _hops(route: Entry) -> list[Entry]:
    hops: list[Entry] = route.get("nexthops", [route])
    return hops


def _dead(hop: Entry) -> bool:
    return "dead" in hop.get("flags", [])


def meaning(route: Entry) -> Meaning:
    """The next hops of a route, or its special type."""
    if route["type"] != "1":
        return TYPES.get(route["type"], str(route["type"]))
    if "blackhole" in route.get("flags", []):
        return "blackhole"
    weights: dict[tuple[str, str], int] = {}
    for hop in _hops(route):
        if not _dead(hop):
            next_hop = (_gateway(hop), str(hop["dev"]))
            # Next hops that are equal but for their weight are one path in VPP.
            weights[next_hop] = weights.get(next_hop, 0) + int(hop.get("weight", 1))
    return sorted((*next_hop, weight) for next_hop, weight in _shares(weights).items())


def _shares(weights: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """In VPP's range, 1 to 255."""
    if len(weights) <= 1:
        # The only next hop takes everything, whatever its weight; none are left of dead ones.
        return dict.fromkeys(weights, 1)
    heaviest = max(weights.values())
    if heaviest <= 255:
        return weights
    return {
        next_hop: max(1, round(weight * 255 / heaviest)) for next_hop, weight in weights.items()
    }


def _gateway(hop: Entry) -> str:
    via = hop.get("via")
    return str(via["host"]) if via else str(hop.get("gateway", ""))
