"""A VPP to reflect into: the embedded one, or a real one."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from vpp_papi import VPPApiClient

from bgpreflector import _core

from .netns import Namespace, namespace
from .wait import wait_until

SOURCE = "bgpreflector"

Routes = dict[str, object]
"""By prefix: the name of a special path, or the gateways ("" for none)."""


class Vpp(Protocol):
    """What the tests need of a VPP."""

    @property
    def socket(self) -> Path:
        """Its API socket."""

    @property
    def interface(self) -> str:
        """The name of an interface that it has."""

    def routes(self) -> Routes:
        """The routes under our source in table 0."""

    def add_foreign_route(self, prefix: str) -> None:
        """Adds a route that is none of ours."""

    def has_foreign_route(self, prefix: str) -> bool:
        """Whether that route is there."""


class _ByApi:
    """What both kinds can only be asked through the API."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self._client: Any = None

    @property
    def api(self) -> Any:
        """A client of its own."""
        if self._client is None:
            self._client = VPPApiClient(server_address=str(self.socket), bootstrapapi=True)
            self._client.connect("tests")
        return self._client.api

    def close(self) -> None:
        """Ends the client."""
        if self._client is not None:
            self._client.disconnect()
            self._client = None

    def source(self) -> int | None:
        """Id of our source."""
        for details in self.api.fib_source_dump():
            if str(details.src.name).rstrip("\0") == SOURCE:
                return int(details.src.id)
        return None

    def add_foreign_route(self, prefix: str) -> None:
        """Adds a blackhole under the API's own source."""
        label = {"is_uniform": 0, "label": 0, "ttl": 0, "exp": 0}
        drop = {
            "sw_if_index": 0xFFFFFFFF,
            "table_id": 0,
            "rpf_id": 0xFFFFFFFF,
            "weight": 1,
            "preference": 0,
            "type": 2,
            "flags": 0,
            "proto": 0,
            "nh": {},
            "n_labels": 0,
            "label_stack": [label] * 16,
        }
        route = {"table_id": 0, "prefix": prefix, "n_paths": 1, "paths": [drop]}
        reply = self.api.ip_route_add_del(is_add=True, route=route)
        assert reply.retval == 0, reply

    def has_foreign_route(self, prefix: str) -> bool:
        """Looks it up exactly."""
        reply = self.api.ip_route_lookup_v2(prefix=prefix, exact=True)
        return bool(reply.retval == 0)


class SimulatedVpp(_ByApi):
    """The embedded VPP."""

    interface = "loop0"

    def __init__(self, socket: Path) -> None:
        super().__init__(socket)
        self.simulator = _core.Simulator(socket=socket)

    def routes(self) -> Routes:
        """Without the API: a snapshot."""
        return {p: _meaning(hops) for _, p, hops in self.simulator.snapshot(SOURCE)}

    def fault(self, name: str, **fields: object) -> None:
        """Orders a fault."""
        self.simulator.fault(json.dumps({"fault": name, **fields}))

    @staticmethod
    @contextmanager
    def running(directory: Path) -> Iterator[SimulatedVpp]:
        """A new one."""
        made = SimulatedVpp(directory / "api.sock")
        try:
            yield made
        finally:
            made.close()
            made.simulator.stop()


_SPECIAL = {"drop", "icmp-unreach", "icmp-prohibit"}


def _meaning(hops: list[tuple[str, int, int]]) -> object:
    gateways = frozenset(hop for hop, _, _ in hops)
    return next(iter(gateways & _SPECIAL), gateways)


_STARTUP = """
unix {{ nodaemon nosyslog runtime-dir {0} cli-listen {0}/cli.sock log {0}/vpp.log
        poll-sleep-usec 100 }}
api-segment {{ prefix {1} }}
socksvr {{ socket-name {0}/api.sock }}
memory {{ main-heap-size {2} main-heap-page-size 4k }}
statseg {{ size {2} page-size 4k socket-name {0}/stats.sock }}
buffers {{ page-size 4k buffers-per-numa 8192 }}
plugins {{ plugin default {{ disable }} }}
"""


class RealVpp(_ByApi):
    """A real VPP, in a namespace of its own."""

    interface = "loop0"

    def __init__(self, directory: Path, own: Namespace, heap: str) -> None:
        super().__init__(directory / "api.sock")
        self._directory = directory
        file = directory / "startup.conf"
        file.write_text(_STARTUP.format(directory, own.name, heap))
        binary = shutil.which("vpp")
        assert binary is not None
        self._process = subprocess.Popen(
            own.command(binary, "-c", str(file)),
            stdout=(directory / "vpp.out").open("ab"),
            stderr=subprocess.STDOUT,
        )
        wait_until(self._answers, 30, "VPP answers")
        self._prepare()

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self._directory / "vpp.out").read_text()
        if not self.socket.exists():
            return False
        try:
            return bool(self.api.show_version().retval == 0)
        except Exception:  # noqa: BLE001 - vpp_papi raises what it will until VPP listens
            self._client = None
            return False

    def _prepare(self) -> None:
        index = self.api.create_loopback().sw_if_index
        self.api.sw_interface_set_flags(sw_if_index=index, flags=1)
        for address in ("192.168.100.99/24", "fd00:100::99/64"):
            self.api.cli_inband(cmd=f"set interface ip address loop0 {address}")

    def routes(self) -> Routes:
        """By dumping."""
        source = self.source()
        found: Routes = {}
        if source is None:
            return found
        for is_ip6 in (False, True):
            table = {"table_id": 0, "is_ip6": is_ip6}
            for details in self.api.ip_route_v2_dump(table=table, src=source):
                route = details.route
                found[str(route.prefix)] = _meaning([_hop(path) for path in route.paths])
        return found

    @staticmethod
    @contextmanager
    def running(directory: Path, heap: str = "2G") -> Iterator[RealVpp]:
        """A new one."""
        with namespace("vpp") as own:
            made = RealVpp(directory, own, heap)
            try:
                yield made
            finally:
                made.close()
                made._process.terminate()
                made._process.wait(30)


def _hop(path: Any) -> tuple[str, int, int]:
    kinds = {2: "drop", 5: "icmp-unreach", 6: "icmp-prohibit"}
    if int(path.type) in kinds:
        return kinds[int(path.type)], 0, 1
    address = path.nh.address.ip6 if int(path.proto) == 1 else path.nh.address.ip4
    text = str(address)
    return ("" if text in ("0.0.0.0", "::") else text), int(path.sw_if_index), int(path.weight)
