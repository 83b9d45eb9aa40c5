"""Remove the IP tables that we created."""

from __future__ import annotations

import logging
from collections.abc import Collection

from bgpreflector.log_fields import fields
from bgpreflector.routes.names import family_name

from .session import Table, VppSession

_log = logging.getLogger(__name__)

EMPTY = ("special", "default-route")
"""FIB sources of the routes that VPP adds to every new table."""


def remove_own_tables(
    session: VppSession, *, among: Collection[Table] | None = None
) -> list[Table]:
    """Delete the empty IP tables with our name; return them.

    ``among``: only these.
    VPP keeps the routes of a deleted table and shows them again when its id is reused, so a table
    with routes of any source stays.
    """
    names = {source.id: source.name for source in session.fib_sources()}
    removed = []
    for table in session.own_tables():
        if among is not None and table not in among:
            continue
        family = family_name(is_ip6=table[1])
        there = session.sources_in(table)
        if there is None:
            _log.warning(
                "VPP's %s table %d stays: VPP does not report its FIB sources",
                family,
                table[0],
                extra=fields("table stays", family=family, vpp_table=table[0]),
            )
            continue
        users = sorted(
            name for name in (names.get(id_, str(id_)) for id_ in there) if name not in EMPTY
        )
        if users:
            _log.warning(
                "VPP's %s table %d stays, though we created it: it has routes of %s",
                family,
                table[0],
                ", ".join(users),
                extra=fields("table stays", family=family, vpp_table=table[0], fib_sources=users),
            )
            continue
        session.remove_table(table)
        removed.append(table)
        extra = fields("table removed", family=family, vpp_table=table[0])
        _log.info("Removed VPP's %s table %d", family, table[0], extra=extra)
    return removed
