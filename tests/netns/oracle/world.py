"""A namespace, the engine that follows it, and the VPP that the engine programs."""

from __future__ import annotations

import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bgpreflector import _core
from bgpreflector.config import FibSourceConfig, VppConfig
from bgpreflector.vpp.session import VppSession
from lab import Namespace
from lab.netns import run
from lab.vpp import SimulatedVpp

from .expected import Forwarding, Hop, Meaning
from .forwarder import KINDS, SOURCE, Forwarder, Maker, embedded
from .iproute import Ip, running
from .lookups import RULES, Lookups
from .operations import LINKS, TABLES, link_lines

ALL = 1 << 30
SYSCTLS = (
    "net.ipv6.conf.all.accept_dad=0",
    "net.ipv6.conf.default.accept_dad=0",
    "net.ipv4.ip_forward=1",
    "net.ipv6.conf.all.forwarding=1",
    # Also where packets are forwarded.
    "net.ipv6.conf.default.accept_ra=2",
    "net.ipv6.conf.default.accept_ra_rt_info_max_plen=128",
)


@dataclass
class World:
    """All that takes part."""

    namespace: Namespace
    ip: Ip
    forwarder: Forwarder
    sysctls: Sequence[str]
    settings: dict[str, Any]
    engine: _core.Engine = field(init=False)
    is_running: bool = field(default=False, init=False)
    _lookups: Lookups | None = field(default=None, init=False)

    @property
    def simulator(self) -> _core.Simulator:
        """The embedded VPP."""
        assert isinstance(self.forwarder.user, SimulatedVpp)
        return self.forwarder.user.simulator

    @property
    def source(self) -> int:
        """Id of our FIB source."""
        return self.forwarder.source

    @property
    def foreign(self) -> str:
        """``kernel.foreign_routes``."""
        return str(self.settings["foreign_routes"])

    @property
    def lookups(self) -> Lookups:
        """Asks the kernel."""
        if self._lookups is None:
            self._lookups = Lookups(self.namespace)
        return self._lookups

    def start(self, *, whole: bool = True) -> None:
        """Starts an engine, if none runs; ``whole``: returns when it has read all of the kernel."""
        if self.is_running:
            return
        self.engine = _core.Engine(namespace=self.namespace.path, **self.settings)
        self.is_running = True
        self.engine.start()
        self.engine.connect(
            socket=self.forwarder.socket,
            name="oracle",
            max_in_flight=64,
            connect_timeout=10,
            request_timeout=10,
        )
        self.engine.set_vpp_version(self.forwarder.version())
        self.engine.adopt(self.source)
        indices = {link: index for index, link in self.forwarder.interfaces.items()}
        self.engine.set_interfaces(indices, None, False)
        # A resync that is still due would repair what must be found.
        while not self.engine.resync().complete and whole:
            pass

    def stop(self) -> None:
        """Ends the engine; what VPP has stays."""
        if self.is_running:
            self.engine.close()
            self.is_running = False

    def set_up(self) -> None:
        """Makes what the namespace begins with."""
        settings = [setting.partition("=") for setting in (*SYSCTLS, *self.sysctls)]
        files = [f"echo {v} > /proc/sys/{key.replace('.', '/')}" for key, _, v in settings]
        self.namespace.run("sh", "-ec", "; ".join(files))
        self.ip.run("; ".join(("link set lo up", *RULES)))
        for link in range(len(LINKS)):
            self.ip.run("; ".join(link_lines(link, 10 + link, (4, 6))))

    def recreate_namespace(self) -> None:
        """Deletes the namespace and makes another of its name."""
        self.release()
        run("ip", "netns", "del", self.namespace.name)
        run("ip", "netns", "add", self.namespace.name)
        self.set_up()

    def release(self) -> None:
        """Ends what looks into the namespace, which would live on otherwise."""
        self.ip.close()
        if self._lookups is not None:
            self._lookups.close()
            self._lookups = None

    def commit(self) -> None:
        """Sends VPP what waits."""
        if self.is_running:
            self.engine.commit(self.engine.take_batch(ALL), self.source)

    def settle(self, timeout: float) -> None:
        """Sends VPP whatever comes up within ``timeout`` seconds; returns early once it has."""
        if self.is_running and self.engine.wait_dirty(timeout):
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
            (view.table, view.prefix): self._by_text(view.installed)
            if view.installed
            else view.state
            for view in self._views()
            if view.state in ("installed", "queued", "rejected")
        }

    def _views(self) -> Iterator[_core.RouteView]:
        cursor: int | None = 0
        while cursor is not None:
            views, cursor = self.engine.routes(cursor, 4096)
            yield from views

    def vpp(self) -> Forwarding:
        """What VPP has."""
        return self.forwarder.routes()

    def refused(self) -> int:
        """Requests that VPP refused."""
        return self.forwarder.refused()

    def shown(self, key: tuple[int, str]) -> str:
        """All that the engine knows of a prefix."""
        views = self.engine.routes_of(*key)
        return "; ".join(
            f"{view.state} {view.reason or ''} proto {view.protocol} metric {view.metric} "
            f"tos {view.tos} {view.route_type} nhid {view.next_hop_id} "
            f"{[(str(hop.gateway), hop.interface, hop.weight) for hop in view.next_hops]}"
            for view in views
        )

    def _by_text(self, paths: Sequence[str]) -> Meaning:
        if paths[0] in KINDS:
            return KINDS[paths[0]]
        return sorted(self._hop(path.split()) for path in paths)

    def _hop(self, words: list[str]) -> Hop:
        gateway = words[1] if words[0] == "via" else ""
        index = int(words[words.index("sw_if_index") + 1])
        weight = int(words[words.index("weight") + 1]) if "weight" in words else 1
        return gateway, self.forwarder.interfaces[index], weight


@contextmanager
def world(sysctls: Sequence[str] = (), make: Maker = embedded, **settings: Any) -> Iterator[World]:
    """A new one: three links with an address of each family, nothing else.

    ``settings`` are arguments of the engine, in place of those that it has here.
    """
    with (
        tempfile.TemporaryDirectory(prefix="bgpr-o-") as directory,
        make(Path(directory)) as forwarder,
        _namespace() as namespace,
        running(namespace.name) as ip,
    ):
        made = World(namespace, ip, forwarder, sysctls, _settings(**settings))
        try:
            made.set_up()
            _register(forwarder)
            made.start()
            yield made
        finally:
            made.stop()
            made.release()


@contextmanager
def _namespace() -> Iterator[Namespace]:
    made = Namespace(f"oracle-{uuid.uuid4().hex[:8]}")
    run("ip", "netns", "add", made.name)
    try:
        yield made
    finally:
        run("ip", "netns", "del", made.name)


def _settings(**settings: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "protocols": [12],
        "tables": {table: table for table in TABLES},
        "families": ["ipv4", "ipv6"],
        "foreign_routes": "hide",
        "receive_buffer": 32 << 20,
    }
    return usual | settings


def _register(forwarder: Forwarder) -> None:
    """Our source in VPP; the tables are made, too."""
    own = FibSourceConfig(name=SOURCE)
    session = VppSession(VppConfig(api_socket=str(forwarder.socket), fib_source=own))
    session.connect()
    try:
        session.ensure_tables((table, is_ip6) for table in TABLES for is_ip6 in (False, True))
        forwarder.source = session.fib_source(own.name, own.priority)
    finally:
        session.close()
