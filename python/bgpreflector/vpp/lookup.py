"""Look up one prefix in VPP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .papi_fallback import path_tuple
from .request_event import RequestEvent
from .resolved import Resolved, resolved
from .session import VppSession

if TYPE_CHECKING:
    from bgpreflector._core import _PathTuple


@dataclass(frozen=True)
class VppEntry:
    """The FIB entry by which VPP forwards a prefix or an address."""

    table: int
    prefix: str
    source: int | None
    """Its FIB source; ``None`` if this VPP does not report it."""

    paths: Sequence[_PathTuple]

    resolved: Resolved | None = None
    """What VPP resolved it to, for an address, if VPP reports it."""

    entered: bool = True
    """Whether the table has an interface, for an address."""


def lookup(session: VppSession, table: int, prefix: str, *, exact: bool) -> VppEntry | None:
    """VPP's entry for a prefix: ``exact``, or the longest match with what VPP resolved it to;
    ``None`` if there is none."""
    message = "ip_route_lookup_v2" if session.has("ip_route_lookup_v2") else "ip_route_lookup"
    reply = session.call(message, table_id=table, exact=int(exact), prefix=prefix)
    if reply.retval != 0:
        return None
    route = reply.route
    source = int(route.src) if message.endswith("_v2") else None
    paths = [path_tuple(path) for path in route.paths[: route.n_paths]]
    found = str(route.prefix)
    end = None if exact else resolved(session, table, found)
    return VppEntry(table, found, source, paths, end)


@dataclass(frozen=True)
class FibQuery:
    """A prefix in a VPP table; ``exact``, or the entry that is its longest match."""

    table: int
    prefix: str
    exact: bool


class VppLookup(RequestEvent[list[VppEntry | None]]):
    """Look up entries in VPP: one answer for each query."""

    def __init__(self, queries: Sequence[FibQuery]) -> None:
        super().__init__()
        self.queries = tuple(queries)

    @property
    def name(self) -> str:
        """The name of all events of this type."""
        return "VPP Lookup"
