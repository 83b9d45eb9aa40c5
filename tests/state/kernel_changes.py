"""Changes of a kernel's routes to draw from, as lines of ``ip -batch``."""

from __future__ import annotations

from hypothesis import strategies as st

from lab import prefixes
from lab.prefixes import Family
from oracle.operations import GROUPS, LINKS, METRICS, OBJECTS, PREFIXES, SPECIAL, TABLES, gateway

BIRD = "12"
OTHERS = ("static", "186")
"""Protocols whose routes replace ours or hide them."""

BLOCK = 300
"""Routes that are added or removed at once."""

BLOCKS = range(3)

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
    legs = [f"nexthop {draw(hops(family))} weight {draw(weights)}" for _ in range(count)]
    return " ".join(legs)


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
        return f"nexthop del id {draw(st.sampled_from(OBJECTS[family] + GROUPS[family]))}"
    if draw(st.booleans()):
        members = draw(st.lists(st.sampled_from(OBJECTS[family]), min_size=1, unique=True))
        group = "/".join(f"{member},{draw(weights)}" for member in members)
        return f"nexthop replace id {draw(st.sampled_from(GROUPS[family]))} group {group}"
    link = draw(st.sampled_from(range(len(LINKS))))
    via = gateway(family, link, draw(st.sampled_from((2, 3))))
    number = draw(st.sampled_from(OBJECTS[family]))
    return f"-{family} nexthop replace id {number} via {via} dev {LINKS[link]}"


@st.composite
def links(draw: st.DrawFn) -> str:
    """A link, or the far end that decides about its carrier, up or down."""
    link = draw(st.sampled_from(LINKS))
    end = draw(st.sampled_from(("", "", "p")))
    return f"link set {link}{end} {draw(st.sampled_from(('up', 'up', 'down')))}"


flushes = st.builds(
    lambda family, table: f"-{family} route flush table {table} proto {BIRD}",
    families,
    st.sampled_from(TABLES),
)
changes = st.lists(st.one_of(puts(), puts(), puts(), deletes(), objects()), min_size=1, max_size=6)


def block_put(family: Family, number: int, way: int, host: int) -> list[str]:
    """Replaces a block of routes: through one of the links, or through all of them."""
    link = f"via {gateway(family, way, host)} dev {LINKS[way]}" if way < len(LINKS) else ""
    legs = (f"nexthop via {gateway(family, n, host)} dev {name}" for n, name in enumerate(LINKS))
    hop = link or " ".join(legs)
    return [
        f"-{family} route replace {prefix} proto {BIRD} {hop}" for prefix in _block(family, number)
    ]


def block_delete(family: Family, number: int) -> list[str]:
    """Deletes a block of routes."""
    return [f"-{family} route del {prefix} proto {BIRD}" for prefix in _block(family, number)]


def _block(family: Family, number: int) -> list[str]:
    return prefixes(family, BLOCK, first=number * BLOCK)


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
