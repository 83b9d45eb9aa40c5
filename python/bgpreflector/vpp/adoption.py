"""Adopt the routes that VPP has under our FIB source as the installed state."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bgpreflector.log_fields import fields
from bgpreflector.units import counted

from .engine import RouteEngine
from .papi_fallback import PapiRoutes
from .session import Table

_log = logging.getLogger(__name__)

MAX_HIDING = 1000
"""The most prefixes of better sources that are checked for hidden routes through ``vpp_papi``."""


def adopt(engine: RouteEngine, source: int, hiding: Sequence[int]) -> int:
    """Read VPP's routes over the bulk connection; return their number.

    ``hiding`` are the sources whose routes may hide routes of ours. Raises
    :class:`~bgpreflector.errors.VppLostError`.
    """
    adopted = engine.adopt(source, better=hiding)
    _log_adopted(adopted.routes)
    if adopted.other_tables:
        _log.warning(
            "VPP has %s under our source in tables that are not configured: they are left alone",
            counted(adopted.other_tables, "route"),
            extra=fields("routes in other tables", routes=adopted.other_tables),
        )
    return adopted.routes


def adopt_by_papi(
    engine: RouteEngine,
    papi: PapiRoutes,
    tables: Sequence[Table],
    source: int,
    hiding: Sequence[int],
) -> int:
    """Do the same through ``vpp_papi``."""
    engine.begin_adoption()
    count = 0
    for table, prefix, paths in papi.dump(tables, source):
        count += engine.adopt_route(table, prefix, paths)
    _log_adopted(count)
    shadowed = [(t, p) for other in hiding for t, p, _ in papi.dump(tables, other)]
    if len(shadowed) > MAX_HIDING:
        _log.warning(
            "VPP has %s of FIB sources that take precedence over ours: routes of an earlier "
            "run behind them stay until `bgpreflector flush` removes them",
            counted(len(shadowed), "route"),
            extra=fields("routes of other sources", routes=len(shadowed)),
        )
        return count
    for table, prefix in shadowed:
        engine.assume_shadowed(table, prefix)
    return count


def _log_adopted(routes: int) -> None:
    _log.info(
        "VPP has %s under our source",
        counted(routes, "route"),
        extra=fields("routes found in VPP", routes=routes),
    )
