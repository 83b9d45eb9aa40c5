"""Routes counted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bgpreflector.config.protocols import protocol_name
from bgpreflector.routes.listing import link_names

from .routes import RouteSelection, route_groups

if TYPE_CHECKING:
    from bgpreflector.daemon.daemon import Daemon


def route_summary(daemon: Daemon, selection: RouteSelection) -> dict[str, object]:
    """How many routes there are, and how many by state, protocol, next hop and interface: one of
    several next hops counts with each of these. The most come first.

    Raises :class:`bgpreflector.control.RefusedError`.
    """
    states: Counter[str] = Counter()
    protocols: Counter[str] = Counter()
    hops: Counter[tuple[str | None, str]] = Counter()
    interfaces: Counter[str] = Counter()
    names = link_names(daemon.engine)
    for state, protocol, _, next_hops, count in route_groups(daemon, selection):
        states[state] += count
        protocols[protocol_name(protocol)] += count
        through = {(_text(hop.gateway), _name(names, hop.interface)) for hop in next_hops}
        hops.update(dict.fromkeys(through, count))
        interfaces.update(dict.fromkeys({name for _, name in through}, count))
    return {
        "routes": states.total(),
        "states": dict(states.most_common()),
        "protocols": dict(protocols.most_common()),
        "next_hops": [
            {"gateway": gateway, "interface": interface, "routes": count}
            for (gateway, interface), count in hops.most_common()
        ],
        "interfaces": dict(interfaces.most_common()),
    }


def _text(gateway: object) -> str | None:
    return None if gateway is None else str(gateway)


def _name(names: dict[int, str], index: int) -> str:
    return names.get(index, str(index))
