"""The simulator and a real VPP, asked the same questions by the same client: the same answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from lab.vpp import RELEASES, RealVpp, SimulatedVpp
from lab.vpp.api import NO_INTERFACE, fib_path

LOCAL, DROP, UNREACH, PROHIBIT, SOURCE_LOOKUP, DVR = 1, 2, 5, 6, 7, 8
IP6, BIER = 1, 4
VOLATILE = {"_0", "context", "client_index", "stats_index", "vpe_pid", "build_date"}
RECURSIVE_RESOLUTION = "recursive-resolution"
"""Source of the routes that VPP makes to next hops of other routes: they are not simulated."""

Ask = Callable[["VppClient"], Any]


class VppClient:
    """One of the two VPPs, through an unmodified ``vpp_papi``."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self.low = self._source("low", 200)
        self.high = self._source("high", 50)

    def _source(self, name: str, priority: int) -> int:
        return int(self.api.fib_source_add(src={"name": name, "priority": priority, "id": 0}).id)

    def add_table(self, table: int) -> Any:
        """By the second version of the message, which VPP has since 24.10."""
        add_del = getattr(self.api, "ip_table_add_del_v2", None)
        if add_del is None:
            return self.api.ip_table_add_del(is_add=True, table={"table_id": table})
        return add_del(is_add=True, create_mfib=True, table={"table_id": table})

    def route(self, prefix: str, *paths: Any, table: int = 0, **flags: Any) -> Any:
        source = flags.pop("source", self.low)
        route = {"table_id": table, "prefix": prefix, "src": source}
        route |= {"n_paths": len(paths), "paths": list(paths)}
        request = {"is_add": True, "is_multipath": False} | flags
        return self.api.ip_route_add_del_v2(route=route, **request)

    def route_and_lookup(self, prefix: str, *paths: Any, **flags: Any) -> Any:
        """A route request, and what is there afterwards."""
        reply = self.route(prefix, *paths, **flags)
        return reply, self.lookup(prefix, exact=True, table=flags.get("table", 0))

    def lookup(self, prefix: str, *, exact: bool = False, table: int = 0) -> Any:
        return self.api.ip_route_lookup_v2(table_id=table, exact=exact, prefix=prefix)

    def dump(self, source: int = 0, *, table: int = 0, is_ip6: bool = False) -> Any:
        wanted = {"table_id": table, "is_ip6": is_ip6}
        return self.api.ip_route_v2_dump(src=source, table=wanted)

    def normalized(self, answer: Any) -> Any:
        """An answer without what is each VPP's own: ids of sources become names."""
        names = {int(d.src.id): str(d.src.name).rstrip("\0") for d in self.api.fib_source_dump()}

        def normalize(value: Any) -> Any:
            if hasattr(value, "_asdict"):
                fields = {k: v for k, v in value._asdict().items() if k not in VOLATILE}
                if isinstance(fields.get("src"), int):
                    fields["src"] = names.get(fields["src"], "none")
                return {name: normalize(field) for name, field in fields.items()}
            if isinstance(value, list | tuple):
                return _unordered([normalize(item) for item in value])
            return str(value)

        return normalize(answer)


def _unordered(items: list[Any]) -> list[Any]:
    """Details in any order, without those that VPP makes by itself."""
    details = [item for item in items if isinstance(item, dict) and "route" in item]
    if len(details) != len(items):
        return items
    ours = [item for item in items if item["route"].get("src") != RECURSIVE_RESOLUTION]
    return sorted(ours, key=json.dumps)


VIA = fib_path("10.0.0.7", 1)
QUESTIONS: dict[str, Ask] = {
    "interfaces": lambda vpp: vpp.api.sw_interface_dump(),
    "an interface": lambda vpp: vpp.api.sw_interface_dump(sw_if_index=1),
    "no interface": lambda vpp: vpp.api.sw_interface_dump(sw_if_index=77),
    "interfaces by name": lambda vpp: vpp.api.sw_interface_dump(
        sw_if_index=NO_INTERFACE, name_filter_valid=True, name_filter="LOOP"
    ),
    "flags of no interface": lambda vpp: vpp.api.sw_interface_set_flags(sw_if_index=77, flags=1),
    "no loopback to delete": lambda vpp: vpp.api.delete_loopback(sw_if_index=77),
    "a registration twice": lambda vpp: [
        vpp.api.want_interface_events(enable_disable=enable, pid=7) for enable in (1, 1, 0, 0)
    ],
    "a loopback created again": lambda vpp: [
        vpp.api.create_loopback(),
        vpp.api.delete_loopback(sw_if_index=2),
        vpp.api.create_loopback(),
        vpp.api.create_loopback_instance(is_specified=True, user_instance=9),
        vpp.api.create_loopback_instance(is_specified=True, user_instance=9),
        vpp.api.sw_interface_dump(),
    ],
    "what a table has by itself": lambda vpp: [vpp.dump(), vpp.dump(is_ip6=True)],
    "no match": lambda vpp: [vpp.lookup("9.9.9.9/32"), vpp.lookup("2001::1/128")],
    "no exact match": lambda vpp: vpp.lookup("9.9.9.0/24", exact=True),
    "lookup without table": lambda vpp: vpp.lookup("9.9.9.0/24", table=77),
    "lookup in version 1": lambda vpp: vpp.api.ip_route_lookup(prefix="9.9.9.9/32"),
    "no source is the API's": lambda vpp: vpp.route_and_lookup(
        "1.0.0.0/24", fib_path(type=DROP), source=0
    ),
    "sources by priority": lambda vpp: [
        vpp.route_and_lookup("1.0.1.0/24", fib_path("10.0.0.8", 1)),
        vpp.route_and_lookup("1.0.1.0/24", VIA, source=0),
        vpp.route_and_lookup("1.0.1.0/24", fib_path("10.0.0.9", 1), source=vpp.high),
        [vpp.dump(vpp.low), vpp.dump(vpp.high)],
        vpp.route_and_lookup("1.0.1.0/24", source=vpp.high, is_add=False),
        vpp.route_and_lookup("1.0.1.0/24", source=0, is_add=False),
    ],
    "bits behind the length": lambda vpp: vpp.route_and_lookup("1.0.2.0/24", VIA),
    "next_hops": lambda vpp: [
        vpp.route_and_lookup("1.0.3.0/24", VIA, is_multipath=True),
        vpp.route_and_lookup("1.0.3.0/24", fib_path("10.0.0.5", 1, weight=3), is_multipath=True),
        vpp.route_and_lookup("1.0.3.0/24", fib_path("10.0.0.7", 1, weight=9), is_multipath=True),
        vpp.route_and_lookup("1.0.3.0/24", is_multipath=True),
        vpp.route_and_lookup("1.0.3.0/24", is_multipath=True, is_add=False),
    ],
    "the last next hop": lambda vpp: [
        vpp.route_and_lookup("1.0.4.0/24", VIA),
        vpp.route_and_lookup("1.0.4.0/24", VIA, is_multipath=True, is_add=False),
        vpp.route_and_lookup("1.0.4.0/24", VIA, is_multipath=True, is_add=False),
    ],
    "no weight": lambda vpp: vpp.route_and_lookup("1.0.6.0/24", fib_path("10.0.0.7", 1, weight=0)),
    "a path twice": lambda vpp: vpp.route_and_lookup(
        "1.0.7.0/24", VIA, fib_path("10.0.0.7", 1, weight=2)
    ),
    "labels": lambda vpp: vpp.route_and_lookup(
        "1.0.8.0/24",
        fib_path("10.0.0.7", 1, labels=[{"label": 100, "ttl": 33, "exp": 2}, {"label": 200}]),
    ),
    "flags": lambda vpp: vpp.route_and_lookup("1.0.9.0/24", fib_path("10.0.0.7", flags=2)),
    "recursion without table": lambda vpp: vpp.route_and_lookup(
        "1.0.11.0/24", fib_path("10.0.0.7", table_id=77)
    ),
    "a protocol without tables": lambda vpp: vpp.route_and_lookup(
        "1.0.12.0/24", VIA | {"proto": BIER}
    ),
    "a path for us": lambda vpp: vpp.route_and_lookup("1.0.13.1/32", fib_path(type=LOCAL)),
    "another table": lambda vpp: vpp.route_and_lookup("1.0.14.0/24", fib_path()),
    "a host on a device": lambda vpp: vpp.route_and_lookup("1.0.15.1/32", fib_path(interface=1)),
    "a host by itself": lambda vpp: vpp.route_and_lookup("1.0.15.2/32", fib_path("1.0.15.2", 1)),
    "a route through itself": lambda vpp: vpp.route_and_lookup("1.0.16.0/24", fib_path("1.0.16.0")),
    "special paths": lambda vpp: [
        vpp.route_and_lookup(f"1.0.17.{kind}/32", fib_path("10.0.0.7", 1, type=kind))
        for kind in (DROP, UNREACH, PROHIBIT)
    ],
    "source lookup": lambda vpp: vpp.route_and_lookup("1.0.19.0/24", fib_path(type=SOURCE_LOOKUP)),
    "virtual router": lambda vpp: vpp.route_and_lookup(
        "1.0.20.0/24", fib_path(interface=1, type=DVR)
    ),
    "the order of paths": lambda vpp: vpp.route_and_lookup(
        "1.0.21.0/24",
        fib_path("10.0.0.1"),
        fib_path(interface=1),
        fib_path("10.0.0.9", 1, weight=5),
        fib_path("fe80::1", 1, proto=IP6),
        fib_path("10.0.0.2", 1, preference=1),
        fib_path(type=UNREACH),
    ),
    "IPv6": lambda vpp: [
        vpp.route_and_lookup("2001:db8:1::/48", VIA),
        vpp.route_and_lookup("2001:db8::1/128", fib_path(interface=1, proto=IP6)),
        vpp.route_and_lookup("2001:db8:2::/48", fib_path("fe80::1", 1, proto=IP6)),
    ],
    "no interface for a path": lambda vpp: vpp.route_and_lookup(
        "1.0.22.0/24", fib_path("10.0.0.7", 99)
    ),
    "deleting with a bad path": lambda vpp: [
        vpp.route_and_lookup("1.0.23.0/24", VIA),
        vpp.route_and_lookup("1.0.23.0/24", fib_path("10.0.0.7", 99), is_add=False),
    ],
    "tables": lambda vpp: [
        vpp.api.ip_table_add_del(is_add=True, table={"table_id": 10, "name": "ten"}),
        vpp.api.ip_table_add_del(is_add=True, table={"table_id": 10, "name": "other"}),
        vpp.api.ip_table_add_del(is_add=True, table={"table_id": 11, "is_ip6": True}),
        vpp.add_table(12),
        vpp.api.ip_table_allocate(table={"table_id": 13, "name": "thirteen"}),
        vpp.api.ip_table_dump(),
        vpp.dump(table=10),
        vpp.dump(table=99),
        vpp.route_and_lookup("5.5.5.0/24", fib_path("10.0.0.7", table_id=10), table=10),
        vpp.route_and_lookup("5.5.5.0/24", table=10, is_add=False),
        vpp.api.ip_table_add_del(is_add=False, table={"table_id": 10}),
        vpp.api.ip_table_add_del(is_add=False, table={"table_id": 98}),
        vpp.api.ip_table_add_del(is_add=False, table={"table_id": 0}),
        vpp.api.ip_table_dump(),
    ],
    "addresses": lambda vpp: [
        vpp.api.sw_interface_add_del_address(sw_if_index=index, is_add=add, prefix=address)
        for index, add, address in (
            (1, True, "10.0.0.1/24"),
            (1, True, "10.0.0.1/24"),
            (99, True, "10.0.0.1/24"),
            (1, True, "fd00::1/64"),
            (1, False, "10.0.0.55/24"),
        )
    ],
    "their routes": lambda vpp: [vpp.lookup(f"10.0.0.{host}/32") for host in (0, 1, 255)],
    "everything": lambda vpp: [vpp.dump(vpp.low), vpp.dump(), vpp.dump(is_ip6=True)],
    "unknown command": lambda vpp: vpp.api.cli_inband(cmd="make coffee"),
    "addresses by command": lambda vpp: vpp.api.cli_inband(cmd="show interface address"),
    "a ping": lambda vpp: vpp.api.control_ping(),
}


def release_of(version: str) -> str:
    """The last release that the simulator plays and that is no later than this version."""
    return max(release for release in RELEASES if release <= version.removeprefix("v"))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[VppClient, VppClient]]:
    """A real VPP and a simulator, each with one loopback without an address."""
    real, simulated = (tmp_path_factory.mktemp(name) for name in ("real", "simulated"))
    with ExitStack() as stack:
        vpp = stack.enter_context(RealVpp.running(real))
        release = release_of(str(vpp.api.show_version().version))
        simulator = stack.enter_context(SimulatedVpp.running(simulated, release=release))
        for address in ("192.168.100.99/24", "fd00:100::99/64"):
            remove = {"sw_if_index": 1, "is_add": False, "prefix": address}
            assert vpp.api.sw_interface_add_del_address(**remove).retval == 0
        assert simulator.api.delete_loopback(sw_if_index=2).retval == 0
        yield VppClient(vpp.api), VppClient(simulator.api)


@pytest.mark.vpp
@pytest.mark.root
@pytest.mark.parametrize("what", QUESTIONS)
def test_the_simulator_answers_as_vpp(both: tuple[VppClient, VppClient], what: str) -> None:
    real, simulated = both
    ask = QUESTIONS[what]
    assert simulated.normalized(ask(simulated)) == real.normalized(ask(real))
