"""What VPP itself says of one prefix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .asked import AskedEvent
from .papi_fallback import path_tuple
from .resolved import Resolved, resolved
from .session import VppSession

if TYPE_CHECKING:
    from bgpreflector._core import _PathTuple


@dataclass(frozen=True)
class VppEntry:
    """The entry that VPP forwards a prefix, or an address, by."""

    table: int
    prefix: str
    source: int | None
    """The FIB source whose route it is; ``None`` where this VPP does not say."""

    paths: Sequence[_PathTuple]

    resolved: Resolved | None = None
    """What that comes to, where it was asked for an address and VPP says so."""

    entered: bool = True
    """Whether an interface of VPP is in the table, where it was asked for an address."""


def lookup(session: VppSession, table: int, prefix: str, *, exact: bool) -> VppEntry | None:
    """VPP's entry for a prefix, ``exact`` or the longest match, which is looked at down to what VPP
    has resolved; ``None`` where it has none."""
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


class VppLookup(AskedEvent[list[VppEntry | None]]):
    """Which entries VPP has: the answer is one for each question."""

    def __init__(self, questions: Sequence[FibQuery]) -> None:
        super().__init__()
        self.questions = tuple(questions)

    @property
    def name(self) -> str:
        """The name of all events of this type."""
        return "VPP Lookup"
