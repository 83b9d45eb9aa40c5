"""Compare how VPP and the kernel forward an address, by the kernel's own lookup."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Protocol

from bgpreflector.fib_types import PathType
from bgpreflector.routes.listing import link_names
from bgpreflector.routes.paths import (
    DROP_PATH_TYPES,
    path_rows,
    path_text,
    with_names,
)
from bgpreflector.routes.rows import hops_text, route_row
from bgpreflector.vpp import VppEntry, not_entered

from .hold_reasons import named_reason
from .routes import vpp_interface_names

if TYPE_CHECKING:
    from bgpreflector import _core
    from bgpreflector.daemon.daemon import Daemon

DROP_ERRORS = (errno.EINVAL, errno.EHOSTUNREACH, errno.EACCES)
"""The kernel's errors for IPv4's blackhole, unreachable and prohibit routes."""

LOCAL_ROUTE_TYPE = "local"
"""RTN_LOCAL"""


class Matched(Protocol):
    """The longest match in one mirrored table."""

    @property
    def table(self) -> int:
        """Kernel table."""

    @property
    def vpp_table(self) -> int:
        """VPP's table for it."""

    @property
    def views(self) -> Sequence[_core.RouteView]:
        """The routes of its prefix."""


@dataclass(frozen=True)
class KernelLookup:
    """The kernel's lookup result for an address."""

    daemon: Daemon
    address: IPv4Address | IPv6Address
    route: _core.KernelRoute | None
    number: int
    """Its ``errno`` where it has no route."""

    def compare(self, match: Matched, entry: VppEntry | None) -> str | None:
        """How VPP forwards the address, and whether the kernel does the same.

        ``entry`` is what VPP forwards the address by, in the table of the match. ``None`` if
        there is nothing to report.
        """
        if entry is None or (self._elsewhere(match) and _drops(entry)):
            return self._without_entry(match, entry)
        if self.route is not None and self.route.route_type == LOCAL_ROUTE_TYPE:
            return self._of_its_own(match, entry)
        if self.route is not None and self.route.table == match.table:
            return self._compare(self.route, match, entry)
        if not entry.entered:
            return f"VPP resolves {self.address} by {entry.prefix}, and {not_entered(entry.table)}"
        if self.route is None:
            return (
                f"VPP forwards {self.address} by {entry.prefix}, and not as the kernel, which does "
                f"not forward it: {os.strerror(self.number)}"
            )
        return (
            f"VPP's table {match.vpp_table} forwards {self.address} by {entry.prefix}, and not "
            f"as the kernel, which decides by {self.route.prefix} in its table "
            f"{self.route.table}: policy rules (`ip rule`) have that come first"
        )

    def _elsewhere(self, match: Matched) -> bool:
        return self.route is None or self.route.table != match.table

    def _without_entry(self, match: Matched, entry: VppEntry | None) -> str | None:
        if self.route is not None:
            if self._elsewhere(match):
                return None
            return f"VPP has nothing for {self.address} in its table {match.vpp_table}"
        prefix = match.views[0].prefix if match.views else None
        if entry is not None and entry.prefix == prefix and self.number in DROP_ERRORS:
            return f"VPP forwards {prefix} as the kernel does: it drops what goes there"
        return None

    def _of_its_own(self, match: Matched, entry: VppEntry) -> str:
        where = f"{entry.prefix} in its table {match.vpp_table}"
        if any(path[0] == PathType.LOCAL for path in entry.paths):
            return f"VPP takes {self.address} in itself too: {where}"
        return f"VPP forwards {self.address} by {where}, and the kernel takes it in itself"

    def _compare(self, kernel: _core.KernelRoute, match: Matched, entry: VppEntry) -> str:
        same, desired, hold_reason = self.daemon.engine.compare_with_kernel(
            kernel, match.vpp_table, entry.prefix, entry.paths
        )
        if not same:
            reason = named_reason(hold_reason, link_names(self.daemon.engine))
            names = vpp_interface_names(self.daemon)
            means = reason or f"for VPP that is {with_names(', '.join(desired), names)}"
            return (
                f"VPP does not forward {self.address} as the kernel: the kernel by {kernel.prefix} "
                f"{self._hops(kernel)} ({means}), VPP by {self._paths(entry)}"
            )
        trouble = _trouble(entry)
        if trouble is not None:
            return (
                f"VPP has the kernel's next hops for {entry.prefix}, and does not forward so: "
                f"{trouble}"
            )
        if entry.prefix == kernel.prefix:
            return f"VPP forwards {entry.prefix} as the kernel does"
        return (
            f"VPP forwards {self.address} by {entry.prefix}, to the same next hops as the kernel "
            f"by {kernel.prefix}"
        )

    def _hops(self, kernel: _core.KernelRoute) -> str:
        return hops_text(route_row(kernel, link_names(self.daemon.engine)))

    def _paths(self, entry: VppEntry) -> str:
        paths = path_rows(entry.paths, vpp_interface_names(self.daemon))
        return f"{entry.prefix} {', '.join(sorted(map(path_text, paths))) or 'no paths'}"


def _trouble(entry: VppEntry) -> str | None:
    if entry.resolved is not None and entry.resolved.trouble is not None:
        return entry.resolved.trouble
    return None if entry.entered else not_entered(entry.table)


def _drops(entry: VppEntry) -> bool:
    return all(path[0] in DROP_PATH_TYPES for path in entry.paths)
