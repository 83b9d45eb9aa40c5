"""The kernel's routes as iproute2 shows them, in a form that compares."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from .netns import Namespace, run
from .prefixes import Family

BIRD = 12
"""RTPROT_BIRD: what BIRD writes into rtm_protocol."""

MAIN = 254
"""RT_TABLE_MAIN."""


class RouteKey(NamedTuple):
    """What the kernel looks up by; ``prefix`` always has its length (``::/0``, ``10.0.0.1/32``)."""

    family: Family
    table: int
    prefix: str


class NextHop(NamedTuple):
    """One next hop of a route; the weight is at least 1."""

    gateway: str | None
    device: str | None
    weight: int = 1


Forwarding: TypeAlias = frozenset[NextHop] | str
"""Where a prefix goes: its live next hops, or the type of a route that has none (blackhole)."""


@dataclass(frozen=True)
class KernelRoute:
    """A route as the kernel holds it."""

    key: RouteKey
    protocol: int
    metric: int
    tos: int
    kind: str
    next_hops: tuple[NextHop, ...]
    dead: frozenset[NextHop]
    """Next hops that do not forward (RTNH_F_DEAD)."""

    @property
    def forwarding(self) -> Forwarding:
        """Where packets go."""
        if self.kind != "unicast":
            return self.kind
        return frozenset(self.next_hops) - self.dead


def read_routes(
    namespace: Namespace,
    *,
    table: int | str = MAIN,
    protocol: int | None = BIRD,
    families: Iterable[Family] = (4, 6),
) -> list[KernelRoute]:
    """The routes of a table (``"all"`` for all of them) in the kernel's own order.

    ``protocol`` None means those of every protocol.
    """
    return [
        _route(entry, family)
        for family in families
        for entry in namespace.ip_json(*_show(family, table, protocol))
    ]


@dataclass(frozen=True)
class RouteCounts:
    """How many routes there are."""

    routes: Mapping[Family, int]
    gateways: Mapping[str, int]
    """Next hops, dead ones too, by gateway."""


def count_routes(
    namespace: Namespace,
    *,
    table: int | str = MAIN,
    protocol: int | None = BIRD,
    families: Iterable[Family] = (4, 6),
) -> RouteCounts:
    """Counts what `read_routes` returns, in a tenth of its time."""
    routes: dict[Family, int] = {}
    gateways: Counter[str] = Counter()
    for family in families:
        shown = namespace.ip("-N", *_show(family, table, protocol))
        routes[family] = len(_ROUTE.findall(shown))
        gateways.update(_GATEWAY.findall(shown))
    return RouteCounts(routes, dict(gateways))


_ROUTE = re.compile(r"^\S", re.MULTILINE)
"""The start of a route: each next hop of several has a line of its own, indented."""

_GATEWAY = re.compile(r" via (?:inet6 )?(\S+)")


def _show(family: Family, table: int | str, protocol: int | None) -> list[str]:
    chosen = [] if protocol is None else ["proto", str(protocol)]
    return [f"-{family}", "route", "show", "table", str(table), *chosen]


def forwarding(routes: Iterable[KernelRoute]) -> dict[RouteKey, Forwarding]:
    """Where each prefix goes: by the lowest metric, among equals by the kernel's order; TOS 0."""
    best: dict[RouteKey, KernelRoute] = {}
    for route in routes:
        known = best.get(route.key)
        if route.tos == 0 and (known is None or route.metric < known.metric):
            best[route.key] = route
    return {key: route.forwarding for key, route in best.items()}


def read_forwarding(
    namespace: Namespace,
    *,
    table: int | str = MAIN,
    protocol: int | None = BIRD,
    families: Iterable[Family] = (4, 6),
) -> dict[RouteKey, Forwarding]:
    """`forwarding` of `read_routes`."""
    return forwarding(read_routes(namespace, table=table, protocol=protocol, families=families))


def ip_batch(namespace: Namespace, lines: Iterable[str]) -> None:
    """Runs lines like ``route add 10.0.0.0/8 via 192.0.2.1 proto 12`` in one process.

    About 100,000 routes a second. Raises ``RuntimeError`` at the first line that fails.
    """
    run("ip", "-netns", namespace.name, "-batch", "-", stdin="\n".join(lines) + "\n")


def _route(entry: Mapping[str, Any], family: Family) -> KernelRoute:
    next_hops = [(shown, _next_hop(shown)) for shown in entry.get("nexthops", [entry])]
    kind = str(entry.get("type", "unicast"))
    return KernelRoute(
        key=RouteKey(family, int(entry.get("table", MAIN)), prefix_of(str(entry["dst"]), family)),
        protocol=int(entry.get("protocol", 0)),
        metric=int(entry.get("metric", 0)),
        tos=int(str(entry.get("tos", "0")), 16),
        kind=_KINDS.get(kind, kind),
        next_hops=tuple(next_hop for _, next_hop in next_hops),
        dead=frozenset(
            next_hop for shown, next_hop in next_hops if "dead" in shown.get("flags", ())
        ),
    )


_KINDS = {"1": "unicast", "6": "blackhole", "7": "unreachable", "8": "prohibit", "9": "throw"}
"""Route types by number (RTN_*): iproute2 may write either."""


def _next_hop(next_hop: Mapping[str, Any]) -> NextHop:
    via = next_hop.get("via")
    gateway = next_hop.get("gateway") or (via["host"] if via else None)
    return NextHop(gateway, next_hop.get("dev"), int(next_hop.get("weight", 1)))


def prefix_of(destination: str, family: int) -> str:
    """``ip``'s destination with its length: it leaves a host's out, and says ``default``."""
    if destination == "default":
        return "0.0.0.0/0" if family == 4 else "::/0"
    if "/" in destination:
        return destination
    return f"{destination}/{32 if family == 4 else 128}"
