"""Routes into a VPP without a kernel: they are announced by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from typing import cast

from bgpreflector import _core
from bgpreflector.config import VppConfig
from bgpreflector.controller import CommitResult
from bgpreflector.vpp import FibProgrammer
from lab import Namespace, ip_batch
from lab.vpp import Vpp

BIRD = 12
MAIN = 254
DEVICE = "uplink"
GATEWAY = "192.168.100.12"
"""On the subnet of the laboratory VPPs' first loopback."""


def prefixes(count: int) -> list[str]:
    """``count`` IPv4 prefixes."""
    return [f"{30 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.0/24" for n in range(count)]


def kernel_with_routes(namespace: Namespace, count: int) -> Namespace:
    """Gives a namespace the link :data:`DEVICE` and the first routes of :func:`prefixes`."""
    namespace.ip("link", "add", DEVICE, "type", "veth", "peer", "name", "peer")
    namespace.ip("address", "add", "192.168.100.1/24", "dev", DEVICE)
    for device in (DEVICE, "peer"):
        namespace.ip("link", "set", device, "up")
    route = f"via {GATEWAY} proto {BIRD} metric 32"
    ip_batch(namespace, (f"route add {prefix} {route}" for prefix in prefixes(count)))
    return namespace


class _Mistaken:
    """An engine that takes every VPP for one version."""

    def __init__(self, engine: _core.Engine, version: str) -> None:
        self._engine, self._version = engine, version

    def set_vpp_version(self, _: str) -> int:
        return self._engine.set_vpp_version(self._version)

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)


class Programmer:
    """An engine and its sink; every interface is VPP's first loopback unless settings differ."""

    def __init__(self, vpp: Vpp, *, taken_for: str | None = None, **settings: object) -> None:
        """``taken_for`` is a version that VPP is taken for in place of its own."""
        settings = {"interfaces": {"main_interface": vpp.interface}} | settings
        self.config = VppConfig.model_validate({"api_socket": str(vpp.socket)} | settings)
        self.engine = _core.Engine(
            protocols=[BIRD],
            tables=self.config.tables,
            families=["ipv4", "ipv6"],
            foreign_routes="hide",
            receive_buffer=1 << 20,
        )
        tables = [
            (table, is_ip6) for table in self.config.tables.values() for is_ip6 in (False, True)
        ]
        engine = self.engine if taken_for is None else _Mistaken(self.engine, taken_for)
        made = cast("_core.Engine", engine)
        self.sink = FibProgrammer(made, self.config, tables=tables, protocol=BIRD)

    @staticmethod
    @contextmanager
    def of(vpp: Vpp, *, taken_for: str | None = None, **settings: object) -> Iterator[Programmer]:
        """One that is connected; closed at the end."""
        made = Programmer(vpp, taken_for=taken_for, **settings)
        try:
            made.sink.connect()
            yield made
        finally:
            made.sink.close()
            made.engine.close()

    def announce(
        self, wanted: Iterable[str], *gateways: str, table: int = MAIN, interface: int = 0
    ) -> None:
        """Announces routes to the engine."""
        hops = [(ip_address(gateway), interface, 1) for gateway in gateways or (GATEWAY,)]
        for prefix in wanted:
            self.engine.announce(table, prefix, hops, protocol=BIRD)

    def announce_special(self, route_type: str, prefix: str, table: int = MAIN) -> None:
        """Enters a route that forwards nothing: ``blackhole``, ``unreachable``, ``prohibit``."""
        self.engine.announce(table, prefix, [], protocol=BIRD, route_type=route_type)

    def withdraw(self, gone: Iterable[str], *gateways: str, table: int = MAIN) -> None:
        """Withdraws routes from the engine."""
        hops = [(ip_address(gateway), 0, 1) for gateway in gateways or (GATEWAY,)]
        for prefix in gone:
            self.engine.withdraw(table, prefix, hops, protocol=BIRD)

    def install(self, wanted: Sequence[str], *gateways: str, table: int = MAIN) -> CommitResult:
        """Announces routes and sends them to VPP."""
        self.announce(wanted, *gateways, table=table)
        return self.sink.flush()
