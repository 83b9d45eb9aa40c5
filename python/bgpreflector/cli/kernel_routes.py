"""The kernel's routes through our decoder, without a daemon."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from bgpreflector import _core
from bgpreflector.config import Config
from bgpreflector.reflector import kernel_engine
from bgpreflector.routes.rows import route_row

PAGE = 1000


def kernel_routes(config: Config, *, every: bool) -> Iterator[dict[str, object]]:
    """The routes of the mirrored tables; ``every``: of other protocols and not the best ones too.

    A page at a time: no list of a million is ever made.
    """
    engine = cast("_core.Engine", kernel_engine(config))
    try:
        engine.start()
        engine.resync()
        names = {index: name for index, name, _ in engine.links()}
        cursor: int | None = 0
        while cursor is not None:
            page, cursor = engine.routes(cursor, PAGE)
            for view in page:
                if every or view.state not in ("foreign", "not_best"):
                    yield route_row(view, names)
    finally:
        engine.close()
