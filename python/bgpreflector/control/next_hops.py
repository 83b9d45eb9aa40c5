"""Next-hop sets as rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bgpreflector.routes.rows import next_hop_row

from .protocol import Row
from .routes import PAGE, link_names, named_reason

if TYPE_CHECKING:
    from bgpreflector.daemon.daemon import Daemon


def next_hop_pages(daemon: Daemon) -> Iterator[Sequence[Row]]:
    """The next-hop sets that kernel routes share, and what they mean for VPP now."""
    names = link_names(daemon)
    cursor: int | None = 0
    while cursor is not None:
        views, cursor = daemon.engine.next_hop_sets(cursor, PAGE)
        yield [
            {
                "family": view.family,
                "type": view.route_type,
                "next_hop_id": view.next_hop_id,
                "next_hops": [next_hop_row(hop, names) for hop in view.next_hops],
                "routes": view.routes,
                "paths": view.paths,
                "reason": named_reason(view.reason, names),
            }
            for view in views
        ]
