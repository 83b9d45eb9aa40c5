"""Changes of a kernel's routes to draw from, as lines of ``ip -batch``."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from lab import prefixes
from lab.prefixes import Family
from oracle.operations import GROUPS, LINKS, METRICS, OBJECTS, PREFIXES, SPECIAL, TABLES, gateway

BIRD = "12"
OTHERS = ("static", "186")
"""Protocols whose routes replace ours or hide them."""

BLOCK = 300
"""Routes that are added or removed at once."""

families: st.SearchStrategy[Family] = st.sampled_from((4, 6))
weights = st.sampled_from((1, 1, 3))


@st.composite
def hops(draw: st.DrawFn, family: Family) -> str:
    """One next hop."""
    link = draw(st.sampled_from(range(len(LINKS))))
    host = draw(st.sampled_from((2, 3)))
    ways = [f"via {gateway(family, link, host)}", ""]
    if family == 4:
        ways.append(f"via inet6 {gateway(6, link, host)}")
    return f"{draw(st.sampled_from(ways))} dev {LINKS[link]}".strip()


@st.composite
def next_hops(draw: st.DrawFn, family: Family) -> str:
    """One next hop, or several with weights."""
    count = draw(st.sampled_from((1, 1, 2, 3)))
    if count == 1:
        return draw(hops(family))
    next_hops = [f"nexthop {draw(hops(family))} weight {draw(weights)}" for _ in range(count)]
    return " ".join(next_hops)


@st.composite
def keys(draw: st.DrawFn, family: Family) -> str:
    """Prefix, metric and table."""
    prefix = draw(st.sampled_from(PREFIXES[family]))
    metric = draw(st.sampled_from(METRICS[family]))
    table = draw(st.sampled_from((TABLES[0], TABLES[0], TABLES[1])))
    return f"{prefix}{metric} table {table}"


@st.composite
def puts(draw: st.DrawFn) -> str:
    """A route that is added, replaced, or added beside another."""
    family = draw(families)
    verb = draw(st.sampled_from(("replace", "replace", "add", "append", "prepend")))
    key = draw(keys(family))
    protocol = draw(st.sampled_from((BIRD, BIRD, BIRD, *OTHERS)))
    kind = draw(st.sampled_from(("unicast", "unicast", "unicast", "special", "object")))
    if kind == "special":
        special = draw(st.sampled_from(SPECIAL))
        return f"-{family} route {verb} {special} {key} proto {protocol}"
    if kind == "object":
        number = draw(st.sampled_from(OBJECTS[family] + GROUPS[family]))
        return f"-{family} route {verb} {key} proto {protocol} nhid {number}"
    return f"-{family} route {verb} {key} proto {protocol} {draw(next_hops(family))}"


@st.composite
def deletes(draw: st.DrawFn) -> str:
    """A route that goes."""
    family = draw(families)
    protocol = draw(st.sampled_from((f" proto {BIRD}", "", " proto static")))
    return f"-{family} route del {draw(keys(family))}{protocol}"


@st.composite
def objects(draw: st.DrawFn) -> str:
    """A next-hop object or a group that is made, changed, or removed."""
    family = draw(families)
    if draw(st.sampled_from((False, False, False, True))):
        return f"-{family} nexthop del id {draw(st.sampled_from(OBJECTS[family] + GROUPS[family]))}"
    if draw(st.booleans()):
        members = draw(st.lists(st.sampled_from(OBJECTS[family]), min_size=1, unique=True))
        group = "/".join(f"{member},{draw(weights)}" for member in members)
        return f"-{family} nexthop replace id {draw(st.sampled_from(GROUPS[family]))} group {group}"
    link = draw(st.sampled_from(range(len(LINKS))))
    via = gateway(family, link, draw(st.sampled_from((2, 3))))
    number = draw(st.sampled_from(OBJECTS[family]))
    return f"-{family} nexthop replace id {number} via {via} dev {LINKS[link]}"


links = st.builds(
    lambda link, end, state: [f"-4 link set {link}{end} {state}"],
    st.sampled_from(LINKS),
    # The far end decides about the carrier.
    st.sampled_from(("", "", "p")),
    st.sampled_from(("up", "up", "down")),
)
flushes = st.builds(
    lambda family, table: [f"-{family} route flush table {table} proto {BIRD}"],
    families,
    st.sampled_from(TABLES),
)
changes = st.lists(st.one_of(puts(), puts(), puts(), deletes(), objects()), min_size=1, max_size=6)


@dataclass(frozen=True)
class Block:
    """Some hundred routes that are replaced or deleted at once."""

    family: Family
    number: int
    way: int | None
    """One of the links, one more for all of them at once, None for no routes."""

    host: int
    """The neighbour on the link."""

    def lines(self) -> list[str]:
        """The commands, one a route."""
        verb, hop = ("del", "") if self.way is None else ("replace", self._hop(self.way))
        found = prefixes(self.family, BLOCK, first=self.number * BLOCK)
        return [f"-{self.family} route {verb} {prefix} proto {BIRD} {hop}" for prefix in found]

    def _hop(self, way: int) -> str:
        via = [
            f"via {gateway(self.family, number, self.host)} dev {name}"
            for number, name in enumerate(LINKS)
        ]
        return via[way] if way < len(via) else " ".join(f"nexthop {hop}" for hop in via)


blocks = st.builds(
    Block,
    family=families,
    number=st.sampled_from(range(3)),
    way=st.sampled_from((0, 1, 2, 3, None)),
    host=st.sampled_from((2, 3)),
)


def set_up() -> list[str]:
    """The links of a new namespace, each with an address of both families."""
    lines = []
    for number, link in enumerate(LINKS):
        lines += [
            f"link add {link} type veth peer name {link}p",
            f"link set {link}p up",
            f"link set {link} up",
            f"addr add {gateway(4, number, 1)}/24 dev {link}",
            f"addr add {gateway(6, number, 1)}/64 dev {link} nodad",
        ]
    return lines
