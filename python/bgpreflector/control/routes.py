"""Routes as rows, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from bgpreflector import _core
from bgpreflector.config.suggest import did_you_mean
from bgpreflector.routes.listing import link_names, listing_groups
from bgpreflector.routes.paths import path_rows
from bgpreflector.routes.rows import route_row

from .hold_reasons import named_reason
from .lines import Row
from .protocol import RefusedError

if TYPE_CHECKING:
    from bgpreflector.daemon.daemon import Daemon

PAGE = 500
"""Routes in a page."""

STATES = ("installed", "queued", "held", "rejected", "not_best", "foreign")
"""``RouteState::name`` of the core."""

MIRRORED = ("installed", "queued", "held", "rejected")
"""States of forwarding routes of mirrored protocols."""


@dataclass(frozen=True)
class RouteSelection:
    """Which routes."""

    states: Sequence[str] = ()
    """Those in one of these states; by default the mirrored ones."""

    within: str | None = None
    """Those to this prefix and within it."""

    next_hop: IPv4Address | IPv6Address | None = None
    """Those with this gateway."""

    interface: str | None = None
    """Those out of this interface of the kernel."""

    every: bool = False
    """Of other protocols, and not the best ones, too."""


def listing_of(daemon: Daemon, selection: RouteSelection) -> _core.RouteListing:
    """A listing of the selected routes. Raises :class:`RefusedError`."""
    unknown = [state for state in selection.states if state not in STATES]
    if unknown:
        raise RefusedError(
            "arguments", f"no state {', '.join(unknown)}; there are: {', '.join(STATES)}"
        )
    try:
        return _core.RouteListing(
            daemon.engine,
            states=selection.states or (STATES if selection.every else MIRRORED),
            within=selection.within,
            gateway=selection.next_hop,
            interface=None if selection.interface is None else _index(daemon, selection.interface),
        )
    except ValueError as error:
        raise RefusedError("arguments", str(error)) from error


def _index(daemon: Daemon, interface: str) -> int:
    links = link_names(daemon.engine)
    index = {name: index for index, name in links.items()}.get(interface)
    if index is None:
        hint = did_you_mean(interface, links.values())
        raise RefusedError("arguments", f"the kernel has no interface {interface}{hint}")
    return index


def route_pages(daemon: Daemon, selection: RouteSelection) -> Iterator[Sequence[Row]]:
    """The selected routes, IPv4 before IPv6, by table and prefix. Raises :class:`RefusedError`."""
    listing = listing_of(daemon, selection)
    while (views := listing.next(PAGE)) is not None:
        names, vpp_names = link_names(daemon.engine), vpp_interface_names(daemon)
        yield [mirrored_row(daemon, view, names, vpp_names) for view in views]


def route_groups(daemon: Daemon, selection: RouteSelection) -> Iterator[_core._RouteGroup]:
    """The selected routes counted by what they share. Raises :class:`RefusedError`."""
    yield from listing_groups(listing_of(daemon, selection))


def routes_to(daemon: Daemon, text: str) -> list[Row]:
    """All routes of a prefix, or of the longest one that an address is in, in all mirrored tables.

    Raises :class:`RefusedError`.
    """
    names, vpp_names = link_names(daemon.engine), vpp_interface_names(daemon)
    tables = daemon.kernel_tables
    if "/" in text:
        found = [_routes_of(daemon, table, text) for table in tables]
    else:
        try:
            address = ip_address(text)
        except ValueError as error:
            raise RefusedError("arguments", f"{text!r} is neither address nor prefix") from error
        found = [longest_match(daemon, table, address) for table in tables]
    return [mirrored_row(daemon, view, names, vpp_names) for views in found for view in views]


def _routes_of(daemon: Daemon, table: int, prefix: str) -> list[_core.RouteView]:
    try:
        return daemon.engine.routes_of(table, prefix)
    except ValueError as error:
        raise RefusedError("arguments", str(error)) from error


def longest_match(
    daemon: Daemon, table: int, address: IPv4Address | IPv6Address
) -> list[_core.RouteView]:
    """The routes of the longest prefix that an address is in; none if nothing matches."""
    return next(matches(daemon, table, address, address.max_prefixlen), [])


def matches(
    daemon: Daemon, table: int, address: IPv4Address | IPv6Address, longest: int
) -> Iterator[list[_core.RouteView]]:
    """The routes of each prefix that an address is in, from this length on, the longest first."""
    for length in range(longest, -1, -1):
        prefix = ip_network((address, length), strict=False)
        views = daemon.engine.routes_of(table, str(prefix))
        if views:
            yield views


def mirrored_row(
    daemon: Daemon,
    view: _core.RouteView,
    names: Mapping[int, str],
    vpp_names: Mapping[int, str],
) -> Row:
    """A route of the table, with what VPP has of it."""
    return route_row(view, names) | {
        "source": view.source,
        "vpp_table": daemon.vpp_table(view.table),
        "state": view.state,
        "reason": named_reason(view.reason, names),
        "substitute": view.substitute,
        "installed": path_rows(view.installed_paths, vpp_names),
    }


def vpp_interface_names(daemon: Daemon) -> dict[int, str]:
    """VPP's interfaces by ``sw_if_index``, as they were when it was looked at last."""
    return daemon.sink.vpp_state.interfaces.names
