"""Routes into a VPP without a kernel: tests announce them to the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import cast

from bgpreflector import _core
from bgpreflector.config import VppConfig
from bgpreflector.controller import CommitResult
from bgpreflector.vpp import FibProgrammer, FibQuery, VppEntry, VppSession
from bgpreflector.vpp.resolved import Resolved
from lab import Namespace, ip_batch
from lab.vpp import SimulatedVpp, Vpp

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
    namespace.add_link(DEVICE, "192.168.100.1/24")
    route = f"via {GATEWAY} proto {BIRD} metric 32"
    ip_batch(namespace, (f"route add {prefix} {route}" for prefix in prefixes(count)))
    return namespace


def vpp_options(vpp: Vpp) -> tuple[str, ...]:
    """Options of ``run``: a VPP, whose first loopback is mapped to :data:`DEVICE`."""
    return ("--socket", str(vpp.socket), "--interface", f"{DEVICE}={vpp.interface}")


def use_papi(vpp: SimulatedVpp) -> None:
    """Gives the route message a CRC that the encoder does not know: routes go through vpp_papi."""
    vpp.fault("change_crc", message="ip_route_add_del_v2", crc="0badcafe")


def session_at(socket: Path, **settings: object) -> VppSession:
    """A session, not connected yet, with settings of the ``vpp`` section."""
    return VppSession(VppConfig.model_validate({"api_socket": str(socket)} | settings))


def make_engine(tables: Mapping[int, int]) -> _core.Engine:
    """An engine that reads no kernel; ``tables`` are kernel tables to VPP tables."""
    return _core.Engine(
        protocols=[BIRD],
        tables=dict(tables),
        families=["ipv4", "ipv6"],
        foreign_routes="hide",
        receive_buffer=1 << 20,
    )


class _EngineForVersion:
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
        self.engine = make_engine(self.config.tables)
        tables = [
            (table, is_ip6) for table in self.config.tables.values() for is_ip6 in (False, True)
        ]
        engine = self.engine if taken_for is None else _EngineForVersion(self.engine, taken_for)
        made = cast("_core.Engine", engine)
        self.sink = FibProgrammer(made, self.config, tables=tables, protocol=BIRD)

    @staticmethod
    @contextmanager
    def of(vpp: Vpp, *, taken_for: str | None = None, **settings: object) -> Iterator[Programmer]:
        """One that is connected; closed at the end."""
        programmer = Programmer(vpp, taken_for=taken_for, **settings)
        try:
            programmer.sink.connect()
            yield programmer
        finally:
            programmer.sink.close()
            programmer.engine.close()

    def announce(
        self, prefixes: Iterable[str], *gateways: str, table: int = MAIN, interface: int = 0
    ) -> None:
        """Announces routes to the engine."""
        hops = [(ip_address(gateway), interface, 1) for gateway in gateways or (GATEWAY,)]
        for prefix in prefixes:
            self.engine.announce(table, prefix, hops, protocol=BIRD)

    def announce_special(self, route_type: str, prefix: str, table: int = MAIN) -> None:
        """Announces a route that forwards nothing: ``blackhole``, ``unreachable``, ``prohibit``."""
        self.engine.announce(table, prefix, [], protocol=BIRD, route_type=route_type)

    def withdraw(self, prefixes: Iterable[str], *gateways: str, table: int = MAIN) -> None:
        """Withdraws routes from the engine."""
        hops = [(ip_address(gateway), 0, 1) for gateway in gateways or (GATEWAY,)]
        for prefix in prefixes:
            self.engine.withdraw(table, prefix, hops, protocol=BIRD)

    def install(self, prefixes: Iterable[str], *gateways: str, table: int = MAIN) -> CommitResult:
        """Announces routes and sends them to VPP."""
        self.announce(prefixes, *gateways, table=table)
        return self.sink.flush()

    def look_up(self, prefix: str, table: int = 0) -> tuple[VppEntry, Resolved]:
        """What VPP forwards the first address of a prefix by: the prefix's entry, resolved."""
        host = prefix.partition("/")[0] + ("/128" if ":" in prefix else "/32")
        (entry,) = self.sink.fib.look_up([FibQuery(table, host, exact=False)])
        assert entry is not None
        assert entry.prefix == prefix
        assert entry.resolved is not None
        return entry, entry.resolved

    def audit(self, *, repair: bool = False) -> _core.VppAuditReport:
        """An audit of VPP; there must be one."""
        report = self.sink.audit(repair=repair)
        assert report is not None
        return report

    def has_drifted(self) -> bool:
        """Whether an audit finds a difference."""
        return any(self.audit().drift.values())


MakeProgrammer = Callable[..., Programmer]
