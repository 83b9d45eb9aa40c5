"""The IP tables that we created, and their end."""

from __future__ import annotations

import logging
from collections.abc import Collection

from .session import Table, VppSession

_log = logging.getLogger(__name__)

EMPTY = ("special", "default-route")
"""FIB sources of the routes that VPP itself puts into every new table."""


def remove_own_tables(
    session: VppSession, *, among: Collection[Table] | None = None
) -> list[Table]:
    """Delete the IP tables of our name in which nobody has routes; those that were deleted.

    ``among``: only of these.
    VPP hides the routes of a table that is deleted and shows them again when its id is used
    anew, so ours must be gone before, and a table with anybody's routes stays.
    """
    names = {source.id: source.name for source in session.fib_sources()}
    removed = []
    for table in session.own_tables():
        if among is not None and table not in among:
            continue
        family = "IPv6" if table[1] else "IPv4"
        there = session.sources_in(table)
        if there is None:
            _log.warning(
                "VPP's %s table %d stays: it cannot be told what is in it", family, table[0]
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
            )
            continue
        session.remove_table(table)
        removed.append(table)
        _log.info("Removed VPP's %s table %d", family, table[0])
    return removed
