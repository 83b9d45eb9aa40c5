"""Why routes are held, in sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bgpreflector.routes.listing import link_names
from bgpreflector.routes.paths import DROP_PATH_TYPES

if TYPE_CHECKING:
    from bgpreflector import _core
    from bgpreflector.daemon.daemon import Daemon
    from bgpreflector.vpp import VppEntry

_BY_INDEX = re.compile(r"the kernel's interface (\d+)$")
"""How ``HoldReason::NoInterface`` of the core ends."""

_BY_NUMBER = re.compile(r"^encapsulation (\d+)")
"""How ``HoldReason::Encapsulation`` of the core begins."""

_ENCAPSULATIONS = (
    "",
    "mpls",
    "ip",
    "ila",
    "ip6",
    "seg6",
    "bpf",
    "seg6local",
    "rpl",
    "ioam6",
    "xfrm",
)
"""iproute2's names by number (``enum lwtunnel_encap_types`` of ``linux/lwtunnel.h``)."""

_UNUSABLE = "none of its next hops can be used"
"""How ``HoldReason::NoUsableNextHop`` of the core begins."""

_CRASHES = ("VPP crashed", "a drop of this prefix")
"""How ``HoldReason::CrashedVpp`` and ``VppFault`` of the core begin: VPP must have nothing."""

_OVER_LIMIT = "VPP has as many prefixes"
"""How ``HoldReason::OverLimit`` of the core begins."""

SUBSTITUTES = {
    "drop": "VPP drops what goes there (vpp.unmapped)",
    "punt": "VPP hands what goes there to the kernel, which forwards it where linux-cp or the like "
    "takes it (vpp.unmapped)",
    "next_hops": "VPP has those of its next hops that it can have (vpp.unmapped_next_hops)",
}


def named_reason(reason: str | None, names: Mapping[int, str]) -> str | None:
    """The core's hold reason, with the interface and the encapsulation by name.

    The core knows both by number, as the kernel's routes do.
    """
    if reason is None:
        return None
    interface, number = _BY_INDEX.search(reason), _BY_NUMBER.match(reason)
    if interface is not None and int(interface[1]) in names:
        return _BY_INDEX.sub(f"{names[int(interface[1])]} (vpp.interfaces)", reason)
    if number is not None and int(number[1]) < len(_ENCAPSULATIONS):
        return _BY_NUMBER.sub(f'encapsulation "{_ENCAPSULATIONS[int(number[1])]}"', reason)
    return reason


def held_reason(daemon: Daemon, view: _core.RouteView, longest: VppEntry | None) -> str:
    """Why a route is held, and what VPP does with its packets."""
    reason = named_reason(view.reason, link_names(daemon.engine)) or ""
    if view.substitute is not None:
        return f"{view.prefix} is not in VPP as it is: {reason}; {SUBSTITUTES[view.substitute]}"
    if longest is None or longest.prefix == view.prefix:
        return f"{view.prefix} is not in VPP: {reason}"
    drops = all(path_type in DROP_PATH_TYPES for path_type, *_ in longest.paths)
    return (
        f"{view.prefix} is not in VPP: {reason}; VPP {'drops' if drops else 'forwards'} it by "
        f"{longest.prefix}{_decided_by(daemon, reason)}"
    )


def _decided_by(daemon: Daemon, reason: str) -> str:
    """Which setting decides that VPP has no substitute for a route."""
    if reason.startswith(_UNUSABLE):
        return ", and the kernel passes over the route too"
    if reason.startswith(_CRASHES):
        return ""
    if reason.startswith(_OVER_LIMIT) or daemon.config.vpp.unmapped != "hold":
        return f' (kernel.max_routes_action is "{daemon.config.kernel.max_routes_action}")'
    return " (vpp.unmapped says what it does)"
