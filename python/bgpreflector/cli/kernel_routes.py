"""The kernel's routes through our decoder, without a daemon."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from bgpreflector import _core
from bgpreflector.config import Config
from bgpreflector.control.routes import MIRRORED
from bgpreflector.reflector import kernel_engine
from bgpreflector.routes.listing import link_names
from bgpreflector.routes.rows import route_row

PAGE = 1000


def kernel_routes(config: Config, *, every: bool) -> Iterator[dict[str, object]]:
    """The routes of the mirrored tables; ``every``: of other protocols and not the best ones too.

    IPv4 first, by table and prefix, and a page at a time: no list of a million is ever made.
    """
    engine = cast("_core.Engine", kernel_engine(config))
    try:
        engine.start()
        engine.resync()
        names = link_names(engine)
        listing = _core.RouteListing(engine, states=() if every else MIRRORED)
        while (page := listing.next(PAGE)) is not None:
            for view in page:
                yield route_row(view, names)
    finally:
        engine.close()
