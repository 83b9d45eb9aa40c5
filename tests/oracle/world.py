"""A namespace, the engine that follows it, and the embedded VPP that the engine programs."""

from __future__ import annotations

import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bgpreflector import _core
from bgpreflector.config import FibSourceConfig, VppConfig
from bgpreflector.vpp.session import VppSession
from lab import Namespace
from lab.netns import run

from .expected import Forwarding, Hop, Meaning
from .iproute import Ip, running
from .operations import LINKS, TABLES, link_lines

SOURCE = "oracle"
INDICES = dict(enumerate(LINKS, 1))
"""Kernel links by the ``sw_if_index`` that stands for them."""
ALL = 1 << 30
NO_DAD = ("net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0")


@dataclass(frozen=True)
class World:
    """All that takes part."""

    namespace: Namespace
    ip: Ip
    engine: _core.Engine
    simulator: _core.Simulator
    source: int

    def commit(self) -> None:
        """Sends VPP what waits."""
        self.engine.commit(self.engine.take_batch(ALL), self.source)

    def settle(self, timeout: float) -> None:
        """Sends VPP whatever comes up within ``timeout`` seconds; returns early once it has."""
        if self.engine.wait_dirty(timeout):
            self.commit()

    def resyncs(self) -> int:
        """Dumps of the kernel so far."""
        return sum(self.engine.status().resyncs.values())

    def wait_for_resync(self, before: int, timeout: float) -> None:
        """Waits for one more dump than ``before``; at most ``timeout`` seconds, as what looks
        like an event can be none to the kernel."""
        deadline = time.monotonic() + timeout
        while self.resyncs() == before and time.monotonic() < deadline:
            self.settle(0.005)

    def table(self) -> Forwarding:
        """What the table says VPP has, in the oracle's words."""
        return {
            (view.table, view.prefix): _by_text(view.installed) if view.installed else view.state
            for view in self._views()
            if view.state in ("installed", "waiting", "failed")
        }

    def _views(self) -> Iterator[_core.RouteView]:
        cursor: int | None = 0
        while cursor is not None:
            views, cursor = self.engine.routes(cursor, 4096)
            yield from views

    def vpp(self) -> Forwarding:
        """What VPP has."""
        return {
            (table, prefix): _by_paths(paths)
            for table, prefix, paths in self.simulator.snapshot(SOURCE)
        }

    def refused(self) -> int:
        """Requests that VPP refused."""
        return self.simulator.statistics()["refused"]

    def shown(self, key: tuple[int, str]) -> str:
        """All that the engine knows of a prefix."""
        views = self.engine.routes_of(*key)
        return "; ".join(
            f"{view.state} {view.reason or ''} proto {view.protocol} metric {view.metric} "
            f"tos {view.tos} {view.route_type} nhid {view.next_hop_id} "
            f"{[(str(hop.gateway), hop.interface, hop.weight) for hop in view.next_hops]}"
            for view in views
        )


_KINDS = {"drop": "blackhole", "icmp-unreach": "unreachable", "icmp-prohibit": "prohibit"}


def _by_text(paths: Sequence[str]) -> Meaning:
    if paths[0] in _KINDS:
        return _KINDS[paths[0]]
    return sorted(_hop(path.split()) for path in paths)


def _hop(words: list[str]) -> Hop:
    gateway = words[1] if words[0] == "via" else ""
    index = int(words[words.index("sw_if_index") + 1])
    weight = int(words[words.index("weight") + 1]) if "weight" in words else 1
    return gateway, INDICES[index], weight


def _by_paths(paths: Sequence[tuple[str, int, int]]) -> Meaning:
    first = paths[0][0]
    if first in _KINDS:
        return _KINDS[first]
    return sorted((gateway, INDICES[index], weight) for gateway, index, weight in paths)


@contextmanager
def world(sysctls: Sequence[str] = (), **settings: Any) -> Iterator[World]:
    """A new one: three links with an address of each family, nothing else.

    ``settings`` are arguments of the engine, in place of those that it has here.
    """
    with (
        _namespace(sysctls) as namespace,
        running(namespace.name) as ip,
        tempfile.TemporaryDirectory() as directory,
    ):
        ip.run("link set lo up")
        for link in range(len(LINKS)):
            ip.run("; ".join(link_lines(link, 10 + link, (4, 6))))
        socket = Path(directory) / "api.sock"
        simulator = _core.Simulator(socket=socket, interfaces=LINKS)
        engine = _engine(namespace, **settings)
        try:
            source = _register(socket)
            _start(engine, socket, source)
            yield World(namespace, ip, engine, simulator, source)
        finally:
            engine.close()
            simulator.stop()


@contextmanager
def _namespace(sysctls: Sequence[str]) -> Iterator[Namespace]:
    name = f"oracle-{uuid.uuid4().hex[:8]}"
    run("ip", "netns", "add", name)
    try:
        files = [setting.partition("=") for setting in (*NO_DAD, *sysctls)]
        commands = [f"echo {value} > /proc/sys/{key.replace('.', '/')}" for key, _, value in files]
        made = Namespace(name)
        made.run("sh", "-ec", "; ".join(commands))
        yield made
    finally:
        run("ip", "netns", "del", name)


def _engine(namespace: Namespace, **settings: Any) -> _core.Engine:
    usual: dict[str, Any] = {
        "protocols": [12],
        "tables": {table: table for table in TABLES},
        "families": ["ipv4", "ipv6"],
        "foreign_routes": "hide",
        "receive_buffer": 32 << 20,
        "namespace": namespace.path,
    }
    return _core.Engine(**usual | settings)


def _register(socket: Path) -> int:
    """Our source in VPP; the tables are made, too."""
    own = FibSourceConfig(name=SOURCE)
    session = VppSession(VppConfig(api_socket=str(socket), fib_source=own))
    session.connect()
    try:
        session.ensure_tables((table, is_ip6) for table in TABLES for is_ip6 in (False, True))
        return session.fib_source(own.name, own.priority)
    finally:
        session.close()


def _start(engine: _core.Engine, socket: Path, source: int) -> None:
    engine.start()
    engine.connect(socket=socket, name="oracle", window=64, connect_timeout=10, request_timeout=10)
    engine.adopt(source)
    engine.set_interfaces({link: index for index, link in INDICES.items()}, None, False)
    # A resync that is still due would repair what shall be found.
    while not engine.resync().complete:
        pass
