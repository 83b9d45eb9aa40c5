"""How VPP resolved the routes that it has acknowledged, read from its debug CLI.

VPP's API shows a route's paths as they were requested, resolved or not. How packets are
forwarded is at the end of ``show ip fib``, below ``forwarding:`` (``fib_entry_format`` in
``fib_entry.c``): the load balance and its buckets, each an adjacency, or a drop where VPP
resolved nothing, as with an interface that is down or a recursive loop (``fib_path.c``).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from bgpreflector.errors import VppError, VppLostError

from .session import VppSession

_log = logging.getLogger(__name__)

MAX_CHECKED = 1000
"""The most routes to check, at about a millisecond each."""

LOCAL0 = 0
"""``sw_if_index`` of ``local0``, which every VPP has and which receives no packets."""

_SOURCE = re.compile(r"^  (\S.*?) refs:\d+ (.*)$", re.MULTILINE)
_PATH = re.compile(r"^\s+path:.* pref=\d+ (\S+):(.*)$", re.MULTILINE)
_DPO = re.compile(r"\[@\d+\]: (.+)$", re.MULTILINE)
_VIA = re.compile(r"\bvia (\S+) ([^\s:]+)")
_STACKED = ("dpo-load-balance", "dpo-replicate", "mpls-label")
"""DPOs that are stacked on further ones."""

ADVICE = (
    "see that the interface is up (`vppctl show interface`) and that VPP itself reaches the next "
    "hop"
)


@dataclass(frozen=True)
class Resolved:
    """What VPP does with packets for a prefix."""

    source: str
    """The FIB source that forwards."""

    special: bool
    """Whether the route is a drop, unreachable or prohibit route."""

    dpos: Sequence[str]
    """The data-path objects (DPOs) that packets end at, as ``show ip fib`` prints them."""

    unresolved: int
    """Unresolved paths."""

    loops: bool
    """Whether there is a recursive loop."""

    @property
    def drops(self) -> bool:
        """Whether everything is dropped."""
        return all("drop" in dpo for dpo in self.dpos)

    @property
    def trouble(self) -> str | None:
        """Why VPP does not forward by the route's paths; ``None`` if it does."""
        if self.special or not self.dpos:
            return None
        if self.loops:
            return (
                "VPP drops it, as its next hop is looked up in a circle; give the interface in "
                "vpp.interfaces, or let VPP have a route to the next hop that does not lead back"
            )
        if self.drops:
            return f"VPP drops it, as it has resolved none of its paths; {ADVICE}"
        if self.unresolved:
            return f"VPP has not resolved {self.unresolved} of its paths; {ADVICE}"
        return None

    def as_object(self) -> dict[str, object]:
        """For JSON."""
        return {
            "source": self.source,
            "special": self.special,
            "dpos": list(self.dpos),
            "unresolved": self.unresolved,
            "loop": self.loops,
        }


def resolved(session: VppSession, table: int, prefix: str) -> Resolved | None:
    """How VPP forwards a prefix or an address in a table; ``None`` if it does not report it.

    Raises :class:`VppLostError`.
    """
    family = "ip6" if ":" in prefix else "ip"
    try:
        reply = session.call("cli_inband", cmd=f"show {family} fib table {table} {prefix}")
    except VppLostError:
        raise
    except VppError as error:
        _log.debug("Cannot tell how VPP resolved %s: %s", prefix, error)
        return None
    return read(str(reply.reply)) if reply.retval == 0 else None


def read(text: str) -> Resolved | None:
    """Parse ``show ip fib`` for one prefix; ``None`` for an unknown format."""
    route, found, forwarding = text.partition("\n forwarding:")
    if not found:
        return None
    marks = [*_SOURCE.finditer(route), None]
    for mark, after in pairwise(marks):
        if mark is not None and "active" in mark[2]:
            paths = _PATH.findall(route[mark.end() : None if after is None else after.start()])
            dpos = [dpo.strip() for dpo in _DPO.findall(forwarding) if not dpo.startswith(_STACKED)]
            return Resolved(
                source=mark[1],
                special=bool(paths) and all(kind in ("special", "receive") for kind, _ in paths),
                dpos=tuple(_short(dpo) for dpo in dpos),
                unresolved=sum(
                    kind not in ("special", "receive") and "oper-flags:resolved" not in flags
                    for kind, flags in paths
                ),
                loops=any("recursive-loop" in flags for _, flags in paths),
            )
    return None


def _short(dpo: str) -> str:
    """Strip the rewrite's bytes and counters."""
    via = _VIA.search(dpo)
    return f"via {via[1]} {via[2]}" if via else dpo.partition(": mtu")[0]


def unresolved(
    session: VppSession, source: str, examples: Iterable[tuple[int, str, list[int]]]
) -> Iterator[tuple[int, str, str]]:
    """Our routes that VPP has and does not forward by: VPP table, prefix, reason.

    ``examples`` are one route for each set of paths. Raises :class:`VppLostError`.
    """
    for table, prefix, _ in islice(examples, MAX_CHECKED):
        found = resolved(session, table, prefix)
        if found is not None and found.source == source and found.trouble is not None:
            yield table, prefix, found.trouble


def is_entered(session: VppSession, table: int, interfaces: Iterable[int], *, is_ip6: bool) -> bool:
    """Whether a VPP table has an interface, so that packets are looked up there.

    Also true if this VPP does not report it. Raises :class:`VppError`.
    """
    message = "sw_interface_get_table"
    if not session.has(message):
        return True
    for index in interfaces:
        if index != LOCAL0:
            reply = session.call(message, sw_if_index=index, is_ipv6=is_ip6)
            if reply.retval == 0 and reply.vrf_id == table:
                return True
    return False


def not_entered(table: int) -> str:
    """The message for a table without interfaces."""
    return (
        f"no interface of VPP is in its table {table}, so that no packet is looked up there: put "
        f"them into it (`vppctl set interface ip table INTERFACE {table}`), or map the kernel's "
        "table to the one that they are in (kernel.tables)"
    )
