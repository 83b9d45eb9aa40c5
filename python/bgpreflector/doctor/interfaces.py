"""Check that each interface that routes use has a VPP interface."""

from __future__ import annotations

from collections.abc import Iterator

from bgpreflector import _core
from bgpreflector.fib_types import INDEX_INVALID
from bgpreflector.units import counted
from bgpreflector.vpp import FibProgrammer

from .finding import Finding, error, ok, warning
from .routes import KernelRoutes

CHECK = "interfaces"
ADMIN_UP = 1
"""``IF_STATUS_API_FLAG_ADMIN_UP`` of VPP."""


def interface_findings(
    engine: _core.Engine, sink: FibProgrammer, routes: KernelRoutes
) -> Iterator[Finding]:
    """Of the interfaces that mirrored routes use, those most used first."""
    mapping = sink.vpp_state.interface_map
    vpp_names = sink.vpp_state.interfaces.names
    up = _up(sink)
    for name in mapping.missing:
        yield error(
            CHECK,
            name,
            "VPP has no such interface, and vpp.interfaces names it",
            f"correct the name: VPP has {', '.join(sorted(vpp_names.values()))}",
        )
    used = [(routes.names.get(i, str(i)), n) for i, n in routes.by_interface.most_common() if i]
    found = engine.mapped_interfaces()
    nowhere = all(name not in found for name, _ in used) and mapping.unmapped is None
    for name, count in used:
        sw_if_index = found.get(name, mapping.unmapped)
        if sw_if_index is not None:
            yield _mapped(name, count, sw_if_index, vpp_names.get(sw_if_index, "?"), up)
        elif mapping.recursive:
            yield ok(
                CHECK,
                name,
                f"{counted(count, 'route')}: VPP's own FIB finds the interface of their gateways",
            )
        else:
            say = error if nowhere else warning
            alike = name in sink.vpp_state.interfaces.by_name
            same = ", whose interface of this name has another hardware address" if alike else ""
            yield say(
                CHECK,
                name,
                f"{counted(count, 'route')} through it, and no VPP interface mapped to it{same}: "
                "held",
                f'name one in vpp.interfaces.map ({name} = "..."; VPP has '
                f"{', '.join(sorted(vpp_names.values()))}), pair it by linux-cp (`lcp create`), or "
                "set vpp.interfaces.main_interface for all; vpp.unmapped says what VPP does until "
                "then",
            )


def _mapped(name: str, count: int, sw_if_index: int, vpp_name: str, up: set[int] | None) -> Finding:
    mapped = f"{counted(count, 'route')}; mapped to VPP's {vpp_name} (sw_if_index {sw_if_index})"
    if up is None or sw_if_index in up:
        return ok(CHECK, name, mapped)
    return warning(
        CHECK,
        name,
        f"{mapped}, which is down: VPP drops what these routes forward",
        f"`vppctl set interface state {vpp_name} up`",
    )


def _up(sink: FibProgrammer) -> set[int] | None:
    details = sink.session.call(
        "sw_interface_dump", sw_if_index=INDEX_INVALID, name_filter_valid=False
    )
    return {int(d.sw_if_index) for d in details if int(d.flags) & ADMIN_UP}
