"""Routes by MPLS label as rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bgpreflector.config.protocols import protocol_name
from bgpreflector.routes.listing import link_names

from .lines import Row
from .routes import PAGE

if TYPE_CHECKING:
    from bgpreflector.daemon.daemon import Daemon

REASON = "MPLS routes are not mirrored"


def label_route_pages(daemon: Daemon) -> Iterator[Sequence[Row]]:
    """The routes by label of every protocol, none of which VPP gets."""
    names = link_names(daemon.engine)
    rows: list[Row] = [
        {
            "label": label,
            "protocol": protocol,
            "protocol_name": protocol_name(protocol),
            "next_hops": [
                {
                    "gateway": None if gateway is None else str(gateway),
                    "interface": names.get(interface, str(interface)),
                    "labels": labels,
                }
                for labels, gateway, interface in hops
            ],
            "reason": REASON,
        }
        for label, protocol, hops in daemon.engine.label_routes()
    ]
    for start in range(0, len(rows), PAGE):
        yield rows[start : start + PAGE]
