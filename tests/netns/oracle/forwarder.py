"""The VPP that is compared: the embedded one, or a real one where ``vpp`` is on PATH."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from lab.vpp import RealVpp, SimulatedVpp
from lab.vpp.api import SPECIAL

from .addresses import Prefixes, network
from .expected import Forwarding, Hop, Meaning
from .fib_lookups import FibLookups, Found
from .lookups import FibQuery
from .operations import LINKS, TABLES

SOURCE = "oracle"
KINDS = {"drop": "blackhole", "icmp-unreach": "unreachable", "icmp-prohibit": "prohibit"}


@dataclass
class Forwarder:
    """One VPP, its tables numbered as the kernel's."""

    user: SimulatedVpp | RealVpp
    interfaces: dict[int, str]
    """Kernel links by the ``sw_if_index`` that stands for them."""

    source: int = 0
    """Id of our FIB source."""

    @cached_property
    def lookups(self) -> FibLookups:
        """Asks it."""
        return FibLookups(self.user, self._longest)

    @property
    def socket(self) -> Path:
        """Its API socket."""
        return self.user.socket

    def version(self) -> str:
        """As it says."""
        return str(self.user.api.show_version().version)

    def routes(self) -> Forwarding:
        """All under our source."""
        if isinstance(self.user, SimulatedVpp):
            return {
                (table, prefix): self._meaning(paths)
                for table, prefix, paths in self.user.simulator.snapshot(SOURCE)
            }
        return {
            (table, str(details.route.prefix)): self._of_route(details.route)
            for table in TABLES
            for is_ip6 in (False, True)
            for details in self.user.api.ip_route_v2_dump(
                table={"table_id": table, "is_ip6": is_ip6}, src=self.source
            )
        }

    def refused(self) -> int:
        """Requests that it refused, where it counts them."""
        if isinstance(self.user, SimulatedVpp):
            return self.user.simulator.statistics()["refused"]
        return 0

    def broken(self, asked: Sequence[FibQuery], routes: Forwarding) -> Iterator[str]:
        """Asks what VPP forwards addresses by (`ip_route_lookup_v2`), and says where that is not
        the longest of the routes that it shows."""
        by_table = {table: Prefixes(p for t, p in routes if t == table) for table in TABLES}
        for (table, address), (found, meaning) in self.lookups.ask(asked):
            expected = by_table[table].longest(address)
            if meaning is None:
                right = expected is None or network(expected).prefixlen < network(found).prefixlen
            else:
                right = expected == found and routes[table, found] == meaning
            if not right:
                yield (
                    f"table {table} {address}: VPP forwards by {found} {meaning}, shows {expected}"
                )

    def _longest(self, route: Any) -> Found:
        ours = int(route.src) == self.source
        return str(route.prefix), self._of_route(route) if ours else None

    def _of_route(self, route: Any) -> Meaning:
        # A host that is attached is shown as its own next hop.
        host = str(route.prefix.network_address)
        paths = [_path(path) for path in route.paths[: route.n_paths]]
        return self._meaning(
            [("" if hop == host else hop, index, weight) for hop, index, weight in paths]
        )

    def _meaning(self, paths: Sequence[tuple[str, int, int]]) -> Meaning:
        first = paths[0][0]
        if first in KINDS:
            return KINDS[first]
        hops: list[Hop] = [
            (gateway, self.interfaces.get(index, str(index)), weight)
            for gateway, index, weight in paths
        ]
        return sorted(hops)


def _path(path: Any) -> tuple[str, int, int]:
    special = SPECIAL.get(int(path.type))
    if special is not None:
        return special, int(path.sw_if_index), 1
    text = str(path.nh.address.ip6 if int(path.proto) == 1 else path.nh.address.ip4)
    gateway = "" if text in ("0.0.0.0", "::") else text
    return gateway, int(path.sw_if_index), int(path.weight)


@contextmanager
def _closing(made: Forwarder) -> Iterator[Forwarder]:
    try:
        yield made
    finally:
        made.lookups.close()


@contextmanager
def embedded(directory: Path) -> Iterator[Forwarder]:
    """The embedded VPP with an interface for each link."""
    user = SimulatedVpp(directory / "api.sock", LINKS)
    try:
        with _closing(Forwarder(user, dict(enumerate(LINKS, 1)))) as made:
            yield made
    finally:
        user.close()
        user.simulator.stop()


@contextmanager
def real(directory: Path) -> Iterator[Forwarder]:
    """A real VPP with a loopback for each link."""
    with RealVpp.running(directory) as user:
        version = str(user.api.show_version().version)
        if version.lstrip("v") < "26":
            pytest.skip("release: an ICMP error outside table 0 crashes VPP before 26.02")
        # Its first one has addresses, whose routes would go before ours.
        assert user.api.delete_loopback(sw_if_index=1).retval == 0
        interfaces: dict[int, str] = {}
        for link in LINKS:
            made = user.api.create_loopback()
            assert made.retval == 0, made
            assert (
                user.api.sw_interface_set_flags(sw_if_index=made.sw_if_index, flags=1).retval == 0
            )
            interfaces[int(made.sw_if_index)] = link
        with _closing(Forwarder(user, interfaces)) as forwarder:
            yield forwarder


Maker = Callable[[Path], Any]
"""`embedded` or `real`."""
