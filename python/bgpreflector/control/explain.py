"""``show route``: what the kernel, the table and VPP have for it, and why they differ."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from itertools import groupby
from typing import TYPE_CHECKING, Any

from bgpreflector import _core
from bgpreflector.config.protocols import protocol_name
from bgpreflector.errors import VppError
from bgpreflector.routes.listing import link_names
from bgpreflector.routes.paths import path_rows, path_text
from bgpreflector.routes.rows import route_row
from bgpreflector.vpp import FibQuery, VppEntry

from .hold_reasons import held_reason
from .lookup_comparison import KernelLookup
from .protocol import RefusedError
from .routes import RouteSelection, matches, mirrored_row, route_pages, vpp_interface_names

if TYPE_CHECKING:
    from bgpreflector.daemon.daemon import Daemon

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

LOOKUP_TIMEOUT = 10.0
"""Seconds to wait for VPP's answer, behind other events."""

LOCAL_ROUTE_TYPES = {
    "local": "is one of its own addresses",
    "broadcast": "is a broadcast address",
    "anycast": "is an anycast address of its own",
    "multicast": "is a multicast group",
}
"""RTN_LOCAL, RTN_BROADCAST, RTN_ANYCAST, RTN_MULTICAST: what the kernel does not forward."""

LOOKUP_ERRORS = {
    errno.ENETUNREACH: "the kernel has no route to it",
    errno.EINVAL: "the kernel drops what goes there: a blackhole route",
    errno.EHOSTUNREACH: "the kernel answers that it cannot be reached: an unreachable route",
    errno.EACCES: "the kernel answers that it is prohibited: a prohibit route",
}


@dataclass(frozen=True)
class TableMatch:
    """The longest match in one mirrored table, for packets without a type of service."""

    table: int
    vpp_table: int
    views: Sequence[_core.RouteView]
    """The routes of its prefix; none if nothing matches."""

    by_tos: Sequence[_core.RouteView]
    """The routes of longer prefixes, which are all for a type of service."""

    @property
    def forwarding(self) -> _core.RouteView | None:
        """The route of a mirrored protocol that forwards, if one does."""
        found = (v for v in self.views if v.state not in ("not_best", "foreign"))
        return next((view for view in found if view.tos == 0), None)


def explain_prefix(daemon: Daemon, prefix: IPNetwork) -> dict[str, object]:
    """As :func:`explain`, for an address of the prefix that no longer kernel prefix covers.

    Raises :class:`RefusedError` where no mirrored table has the prefix.
    """
    text = str(prefix)
    table = next((t for t in daemon.kernel_tables if daemon.engine.routes_of(t, text)), None)
    if table is None:
        has = _source_specific(daemon, text) or f"no mirrored table has a route to {prefix}"
        raise RefusedError(
            "arguments",
            f"{has}; `bgpreflector show route {prefix.network_address}` shows what forwards an "
            "address of it",
        )
    (checked,) = daemon.engine.check_lookups([(table, text)])
    return explain(daemon, checked.address, text)


def _source_specific(daemon: Daemon, prefix: str) -> str | None:
    """What is held of an IPv6 prefix that is in no table: its routes are source-specific."""
    if ":" not in prefix:
        return None
    pages = route_pages(daemon, RouteSelection(states=("held",), within=prefix))
    reasons = [row["reason"] for page in pages for row in page if row["prefix"] == prefix]
    return f"{prefix} is not in VPP: {', '.join(map(str, reasons))}" if reasons else None


def explain(daemon: Daemon, address: IPAddress, prefix: str | None = None) -> dict[str, object]:
    """An object with ``kernel``, ``tables`` (ours and VPP's side by side) and ``why``.

    It is of the longest match for the address, or of the prefix where that is given.
    """
    names, vpp_names = link_names(daemon.engine), vpp_interface_names(daemon)
    kernel, number = daemon.engine.lookup(address)
    found = [_match(daemon, table, address, prefix) for table in daemon.kernel_tables]
    entries, unanswered = _ask_vpp(daemon, found, address)
    why = [
        None if unanswered is None else f"VPP could not be asked: {unanswered}",
        _kernel_side(daemon, kernel, number, found),
    ]
    lookup = KernelLookup(daemon, address, kernel, number or 0)
    tables = []
    for match, (exact, longest) in zip(found, entries, strict=True):
        reasons: list[str | None] = [*_for_some_packets(match)]
        if unanswered is None:
            reasons.append(_vpp_side(daemon, match, exact, longest))
            reasons.append(lookup.compare(match, longest))
        why += [
            _with_table(match, reason) if len(found) > 1 else reason
            for reason in reasons
            if reason is not None
        ]
        tables.append(
            {
                "table": match.table,
                "vpp_table": match.vpp_table,
                "routes": [
                    mirrored_row(daemon, view, names, vpp_names)
                    for view in (*match.by_tos, *match.views)
                ],
                "vpp": _entry(daemon, exact),
                "vpp_forwards_by": _entry(daemon, longest),
                "vpp_resolved": _resolved(longest),
            }
        )
    return {
        "address": str(address),
        "prefix": prefix,
        "kernel": None if kernel is None else route_row(kernel, names),
        "kernel_error": None if number is None else os.strerror(number),
        "tables": tables,
        "why": [reason for reason in why if reason is not None],
    }


def _with_table(match: TableMatch, reason: str) -> str:
    """What is said of one of several tables."""
    where = f"VPP's table {match.vpp_table}"
    return reason if reason.startswith(f"{where} ") else f"{where}: {reason}"


def _match(daemon: Daemon, table: int, address: IPAddress, prefix: str | None) -> TableMatch:
    longest: int = address.max_prefixlen
    if prefix is not None and daemon.engine.routes_of(table, prefix):
        longest = ip_network(prefix).prefixlen
    by_tos: list[_core.RouteView] = []
    for views in matches(daemon, table, address, longest):
        if any(view.tos == 0 for view in views):
            return TableMatch(table, daemon.vpp_table(table), views, by_tos)
        by_tos += views
    return TableMatch(table, daemon.vpp_table(table), [], by_tos)


def _for_some_packets(match: TableMatch) -> Iterator[str]:
    """Longer prefixes that do not count, as their routes are for some packets only."""
    others = f"the others go by {match.views[0].prefix}" if match.views else "nothing is for others"
    for prefix, views in groupby(match.by_tos, key=lambda view: view.prefix):
        values = ", ".join(str(view.tos) for view in views)
        yield f"{prefix} is for packets with TOS {values} only, which VPP cannot tell; {others}"


Entries = list[tuple[VppEntry | None, VppEntry | None]]


def _ask_vpp(
    daemon: Daemon, matches: Sequence[TableMatch], address: IPAddress
) -> tuple[Entries, str | None]:
    """VPP's entries for the prefix and the address in each table, or why there are none."""
    host = f"{address}/{address.max_prefixlen}"
    queries = [
        query
        for match in matches
        for query in (
            FibQuery(match.vpp_table, match.views[0].prefix if match.views else host, exact=True),
            FibQuery(match.vpp_table, host, exact=False),
        )
    ]
    try:
        answers = daemon.look_up(queries, LOOKUP_TIMEOUT)
    except TimeoutError:
        reason = f"the event loop was busy for {LOOKUP_TIMEOUT:.0f} s"
    except VppError as error:
        reason = str(error)
    else:
        pairs = zip(queries[::2], answers[::2], answers[1::2], strict=True)
        return [(later_entry(query, *pair), pair[1]) for query, *pair in pairs], None
    return [(None, None)] * len(matches), reason


def later_entry(
    query: FibQuery, exact: VppEntry | None, longest: VppEntry | None
) -> VppEntry | None:
    """VPP's entry for the prefix, corrected by the later answer for an address of it: the routes
    may have changed in between."""
    found = None if longest is None else longest.prefix
    if found == query.prefix:
        return longest
    if exact is None or found is None:
        return exact
    is_shorter = ip_network(found).prefixlen < ip_network(exact.prefix).prefixlen
    return None if is_shorter else exact


def _kernel_side(
    daemon: Daemon,
    kernel: _core.KernelRoute | None,
    number: int | None,
    matches: Sequence[TableMatch],
) -> str | None:
    """Why the kernel forwards by another route than the tables hold."""
    if kernel is None:
        reason = LOOKUP_ERRORS.get(number or 0, f"the kernel says: {os.strerror(number or 0)}")
        return reason + (_cached(matches) if number == errno.ENETUNREACH else "")
    own = LOCAL_ROUTE_TYPES.get(kernel.route_type)
    if own is not None:
        return f"the kernel takes it in itself and forwards nothing: {kernel.prefix} {own}"
    by = f"the kernel forwards it by {kernel.prefix}"
    if kernel.table not in daemon.kernel_tables:
        return f"{by} in table {kernel.table}, which is not mirrored (kernel.tables)"
    match = next(match for match in matches if match.table == kernel.table)
    agree = match.views and match.views[0].prefix == kernel.prefix
    return None if agree else f"{by}{_cached([match]) or _why_not_in_table(daemon, kernel)}"


def _cached(matches: Sequence[TableMatch]) -> str:
    """IPv6 returns the cached route of a next-hop object (``rt6_get_pcpu_route``)."""
    for view in (view for match in matches for view in match.views):
        if view.next_hop_id is not None and ":" in view.prefix:
            return (
                f", or so it seems: IPv6 answers by what it has cached at next-hop object "
                f"{view.next_hop_id}, be it of another prefix or of one that is gone; see "
                f"`ip -6 route show {view.prefix}`"
            )
    return ""


def _why_not_in_table(daemon: Daemon, kernel: _core.KernelRoute) -> str:
    settings = daemon.config.kernel
    family = "ipv6" if ":" in kernel.prefix else "ipv4"
    if family not in settings.families:
        return f": {family} is not mirrored (kernel.families)"
    if kernel.protocol not in settings.protocols:
        name = protocol_name(kernel.protocol)
        return f" of protocol {name}, which is not mirrored (kernel.protocols)"
    return (
        ", which the table does not hold: the prefix lists leave it out (kernel.allow, "
        "kernel.deny), or its notification is still to come"
    )


def _vpp_side(
    daemon: Daemon,
    match: TableMatch,
    entry: VppEntry | None,
    longest: VppEntry | None,
) -> str | None:
    """How VPP differs from the table for the prefix; ``None`` if it does not."""
    if not match.views:
        return None
    view = match.forwarding
    prefix = match.views[0].prefix
    if view is None:
        protocols = sorted({v.protocol for v in match.views if v.state == "foreign" and v.tos == 0})
        return (
            f"{prefix} is none of ours: its route is of protocol "
            f"{', '.join(map(protocol_name, protocols))}, which is not mirrored (kernel.protocols)"
        )
    if view.state == "held":
        return held_reason(daemon, view, longest)
    if view.state == "rejected":
        return f"VPP refused {prefix}: {view.reason}; it is tried again at the next resync"
    if view.state == "queued":
        paused = "; the daemon is paused: see `bgpreflector resume`" if daemon.paused else ""
        return f"a request for {prefix} waits for VPP's answer{paused}"
    return _installed(daemon, prefix, entry, _difference(daemon, match, entry))


def _installed(
    daemon: Daemon, prefix: str, entry: VppEntry | None, difference: str | None
) -> str | None:
    repair = "`bgpreflector resync` repairs it"
    if entry is None:
        return f"VPP had acknowledged {prefix} and does not have it now: {repair}"
    if entry.source is not None and entry.source != daemon.sink.source:
        name = daemon.sink.fib_sources.name(entry.source)
        if entry.source not in daemon.sink.fib_sources.better:
            return (
                f"VPP had acknowledged {prefix} and does not have it now: it forwards it by a "
                f"route of the FIB source {name}, which comes behind ours; {repair}"
            )
        return (
            f"VPP forwards {prefix} by a route of the FIB source {name}, which overrides ours "
            "(vpp.fib_source.priority)"
        )
    if difference is not None:
        return f"VPP has other paths for {prefix} than it had acknowledged: {repair}"
    return None


def _difference(daemon: Daemon, match: TableMatch, entry: VppEntry | None) -> str | None:
    if entry is None or not match.views:
        return None
    return daemon.engine.compare_route(match.vpp_table, entry.prefix, entry.paths)[1]


def _resolved(entry: VppEntry | None) -> dict[str, object] | None:
    return None if entry is None or entry.resolved is None else entry.resolved.as_object()


def _entry(daemon: Daemon, entry: VppEntry | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    source = None if entry.source is None else daemon.sink.fib_sources.name(entry.source)
    paths = path_rows(entry.paths, vpp_interface_names(daemon))
    return {"prefix": entry.prefix, "source": source, "paths": sorted(paths, key=path_text)}
