"""Next-hop sets as rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bgpreflector.routes.listing import link_names
from bgpreflector.routes.paths import path_rows
from bgpreflector.routes.rows import next_hop_row

from .hold_reasons import named_reason
from .lines import Row
from .routes import PAGE, RouteSelection, listing_of, vpp_interface_names

if TYPE_CHECKING:
    from bgpreflector.daemon.daemon import Daemon


def next_hop_pages(daemon: Daemon, *, every: bool) -> Iterator[Sequence[Row]]:
    """The next-hop sets that mirrored routes share, and what they mean for VPP now.

    ``every``: those of other routes too.
    """
    listing = listing_of(daemon, RouteSelection(every=every))
    names, vpp_names = link_names(daemon.engine), vpp_interface_names(daemon)
    cursor: int | None = 0
    while cursor is not None:
        views, cursor = listing.next_hop_sets(cursor, PAGE)
        yield [
            {
                "family": view.family,
                "type": view.route_type,
                "next_hop_id": view.next_hop_id,
                "next_hops": [next_hop_row(hop, names) for hop in view.next_hops],
                "routes": view.routes,
                "paths": path_rows(view.paths, vpp_names),
                "reason": named_reason(view.reason, names),
            }
            for view in views
        ]
