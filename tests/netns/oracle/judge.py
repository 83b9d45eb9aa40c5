"""What VPP must have and forward by: from what the kernel answers, on top of what `ip` lists.

Five things cannot be had from one lookup. Which of several next hops a packet takes is its hash's
business, so the whole set is compared. Of IPv6 routes that share a next-hop object, or a member of
their groups, it may show another one, or none where that one is gone. At a route that drops, the
kernel says an error and not the route, which the list then tells. Of several IPv4 default routes of
one metric the kernel takes one by what it knows of neighbours (`fib_select_default`): there the
list's first one counts. What foreign routes hide does not show where those are ignored: they are
deleted at the end of a run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from .addresses import OUTSIDE, Prefixes, around, network
from .expected import (
    THROW,
    TYPES,
    Forwarding,
    Key,
    Listing,
    Meaning,
    is_for_vpp,
    is_merged,
    meaning,
    of_listing,
    usable,
)
from .iproute import Entry
from .lookups import Answer, FibQuery
from .operations import PREFIXES, TABLES

PROTOCOL = "12"
ANY_IPV4 = "0.0.0.0/0"


UNKNOWN = ""
"""In place of the prefix of a route that the list hides, where the answer does not tell it."""


@dataclass(frozen=True)
class Ours:
    """An address is forwarded by this route of ours."""

    prefix: str
    meaning: Meaning


@dataclass(frozen=True)
class Shorter:
    """None of our routes to an address may be as long as this one, which VPP does not have."""

    length: int


Verdict = Ours | Shorter


@dataclass(frozen=True)
class Judgement:
    """What the kernel's answers mean for VPP."""

    routes: Forwarding
    addresses: Mapping[FibQuery, Verdict]
    hidden: Mapping[Key, Collection[Meaning | None] | None]
    """Also correct, as the list hides IPv6 routes between merged next hops (``fib6_dump_node``
    continues after the last one): a drop's owner is unknown, and a reader that missed the
    route's notification cannot have it. None: anything, if foreign routes are ignored."""

    def allows(self, key: Key, found: Meaning | None) -> bool:
        """Whether this is right for a prefix, or None."""
        if found == self.routes.get(key):
            return True
        hidden = self.hidden.get(key, ())
        return hidden is None or found in hidden

    def broken_by(self, routes: Forwarding) -> Iterable[tuple[FibQuery, Verdict, str | None]]:
        """The addresses that these routes would forward otherwise, and the prefix that does."""
        by_table = {table: Prefixes(p for t, p in routes if t == table) for table in TABLES}
        for (table, address), verdict in self.addresses.items():
            found = by_table[table].longest(address)
            if isinstance(verdict, Ours):
                right = found == verdict.prefix and routes[table, found] == verdict.meaning
            else:
                right = found is None or network(found).prefixlen < verdict.length
            if not right:
                yield (table, address), verdict, found


def queries(listed: Listing, more: Iterable[Key] = ()) -> list[FibQuery]:
    """Addresses inside and beside all prefixes: those that are there, and that were or will be."""
    known = {prefix for _, prefix in listed.routes} | {prefix for _, prefix in more}
    known.update(*PREFIXES.values())
    addresses = set(OUTSIDE).union(*map(around, known))
    return sorted((table, a) for table in TABLES for a in addresses if _can_be_asked(a))


def _can_be_asked(address: str) -> bool:
    host = network(address).network_address
    return not (host.is_multicast or host.is_link_local or host.is_unspecified)


def judge(
    listed: Listing, answers: Mapping[FibQuery, Answer | None], foreign: str = "hide"
) -> Judgement:
    """``foreign`` is ``kernel.foreign_routes``; where foreign routes are ignored, the kernel's
    answer counts where it is a route of ours, and else the list."""
    judged = _Judge(listed, answers, foreign)
    return Judgement(judged.routes(), judged.addresses(), judged.hidden)


class _Judge:
    def __init__(
        self, listed: Listing, answers: Mapping[FibQuery, Answer | None], foreign: str
    ) -> None:
        self._listed = listed
        self._answers = answers
        self._foreign = foreign
        self._prefixes = {
            table: Prefixes(p for t, p in listed.routes if t == table) for table in TABLES
        }
        self.hidden: dict[Key, Collection[Meaning | None] | None] = {}

    def routes(self) -> Forwarding:
        """Verdicts by table and prefix."""
        found = of_listing(self._listed, PROTOCOL, foreign=self._foreign)
        if self._foreign != "hide":
            self.hidden.update(dict.fromkeys(filter(self._may_hide, self._listed.every)))
            return found
        for key in self._listed.routes:
            table, prefix = key
            address = self._prefixes[table].own_address(prefix)
            answer = self._answers.get((table, address)) if address else None
            if answer is None or self._is_undecided(key):
                continue
            shown = found.pop(key, None)
            route = self._route((table, str(address)), answer)
            if route is not None and route[0] == prefix and _is_ours(route[1]):
                found[key] = meaning(route[1])
            if answer.route is None and self._may_hide(key):
                self.hidden[key] = (None, shown, TYPES[answer.kind or THROW])
            elif route is not None and route[0] == UNKNOWN and shown is not None:
                found[key] = shown
                if "nhid" in route[1] and self._may_hide(key):
                    self.hidden[key] = (meaning(route[1]),)
            elif route is not None and self._is_hidden((table, route[0]), route[1]):
                self.hidden[key] = (shown,)
        return found

    def addresses(self) -> dict[FibQuery, Verdict]:
        """Verdicts by table and address."""
        found: dict[FibQuery, Verdict] = {}
        for query, answer in self._answers.items():
            verdict = self._verdict(query, answer) if answer else None
            if verdict is not None and (isinstance(verdict, Ours) or self._foreign == "hide"):
                found[query] = verdict
        return found

    def _verdict(self, query: FibQuery, answer: Answer) -> Verdict | None:
        table, address = query
        longest = self._prefixes[table].longest(address)
        if answer.route is None and longest and self._may_hide((table, longest)):
            return None
        route = self._route(query, answer)
        if route is None:
            # What ends here goes on in another table: VPP has no such thing.
            ends = [
                network(prefix).prefixlen
                for prefix in self._prefixes[table].holding(address)
                if any(r["type"] == THROW for r in self._listed.routes[table, prefix])
            ]
            return Shorter(max(ends, default=0))
        prefix, entry = route
        key = table, prefix
        if prefix == UNKNOWN or self._is_undecided(key) or self._is_hidden(key, entry):
            return None
        return (
            Ours(prefix, meaning(entry)) if _is_ours(entry) else Shorter(network(prefix).prefixlen)
        )

    def _route(self, query: FibQuery, answer: Answer) -> tuple[str, Entry] | None:
        """The prefix and the route that were found."""
        table, address = query
        if answer.kind is not None:
            holding = list(self._prefixes[table].holding(address))
            for prefix in holding:
                for route in self._listed.routes[table, prefix]:
                    if route["type"] == answer.kind or "blackhole" in route.get("flags", []):
                        return prefix, route
            hidden = any(self._may_hide((table, prefix)) for prefix in holding)
            return UNKNOWN if hidden else "?", {"type": answer.kind, "protocol": PROTOCOL}
        if answer.route is None:
            return (UNKNOWN, {}) if self._may_be_orphaned(query) else None
        route = self._listed.completed(answer.route)
        if not usable(route):
            # What is between merged next hops may outlive its link: it drops packets.
            return UNKNOWN, route
        if "nhid" in route and network(address).version == 6:
            return self._of_object(query, route)
        return str(route["dst"]), route | {"protocol": self._protocol(table, route)}

    def _of_object(self, query: FibQuery, route: Entry) -> tuple[str, Entry]:
        """What IPv6 caches of a lookup belongs to the next-hop object, of a group to the member
        (``rt6_get_pcpu_route``), and shows the first route by it that was looked up, by whichever
        group: only that the object takes part is an answer."""
        table, address = query
        cached = self._listed.members(int(route["nhid"]))
        for prefix in self._prefixes[table].holding(address):
            for listed in self._listed.routes[table, prefix]:
                if "nhid" in listed and cached & self._listed.members(int(listed["nhid"])):
                    return prefix, listed
            if prefix == route["dst"]:
                # The list hides it between merged next hops.
                return prefix, route
            if self._may_hide((table, prefix)):
                # So it may one by that object; the answer then names another prefix.
                return UNKNOWN, route
        return UNKNOWN, route

    def _protocol(self, table: int, route: Entry) -> str:
        """Of merged IPv6 routes a lookup names the chosen next hop's, the list the first's."""
        if "nexthops" in route and "nhid" not in route:
            for listed in self._listed.routes.get((table, str(route["dst"])), ()):
                if listed.get("metric", 0) == route["metric"] and meaning(listed) == meaning(route):
                    return str(listed["protocol"])
        return str(route["protocol"])

    def _may_be_orphaned(self, query: FibQuery) -> bool:
        """What IPv6 caches at a next-hop object outlives the route that it was made for, and still
        forwards; asked for it, the kernel misses that route (``rt->from``): ``ENETUNREACH``."""
        table, address = query
        return network(address).version == 6 and any(
            "nhid" in route
            for prefix in self._prefixes[table].holding(address)
            for route in self._listed.routes[table, prefix]
        )

    def _may_hide(self, key: Key) -> bool:
        return any(map(is_merged, self._listed.every.get(key, ()))) and ":" in key[1]

    def _is_hidden(self, key: Key, route: Entry) -> bool:
        listed = self._listed.every.get(key, ())
        return self._may_hide(key) and not any(
            _metric(r) == _metric(route) and meaning(r) == meaning(route) for r in listed
        )

    def _is_undecided(self, key: Key) -> bool:
        routes = self._listed.routes.get(key, ()) if key[1] == ANY_IPV4 else ()
        first = [r for r in routes if _metric(r) == _metric(routes[0])]
        return len(first) > 1


def _metric(route: Entry) -> int:
    return int(route.get("metric", 0))


def _is_ours(route: Entry) -> bool:
    return route["protocol"] == PROTOCOL and is_for_vpp(route)
