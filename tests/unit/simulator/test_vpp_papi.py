"""VPP's own Python client, unmodified, talks to the simulator as it does to VPP."""

from __future__ import annotations

import json
import logging
import os
import queue
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from vpp_papi import VPPApiClient

from bgpreflector._core import Simulator
from lab.vpp import RELEASES
from lab.vpp.api import NO_INTERFACE, fib_path

API = 8
UP = 3
SOURCE = "papi"
PREFIX = "198.51.100.0/24"
NEXT_HOP = "10.0.0.7"
TIMEOUT = 60
DESCRIBES_ITSELF = "24.06"
"""The first release that hands out the description of its API."""

MakeClient = Callable[[], Any]


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    """The release that the simulator has."""
    return str(request.param)


@pytest.fixture
def simulator(tmp_path: Path, release: str) -> Iterator[Simulator]:
    made = Simulator(
        release=release,
        socket=tmp_path / "api.sock",
        control_socket=tmp_path / "control.sock",
        interfaces=["loop0", "loop1"],
        pairs=[("loop0", "eth0"), ("loop1", "eth1")],
    )
    yield made
    made.stop()


@pytest.fixture
def make_client(
    simulator: Simulator, release: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeClient]:
    clients: list[Any] = []
    file = tmp_path_factory.mktemp("api") / "simulator.api.json"

    def make() -> Any:
        file.write_text(simulator.api_description())
        bootstrap = release >= DESCRIBES_ITSELF
        client = VPPApiClient(
            server_address=str(tmp_path / "api.sock"),
            bootstrapapi=bootstrap,
            apifiles=None if bootstrap else [str(file)],
            read_timeout=TIMEOUT,
            logger=logging.getLogger("vpp_papi"),
        )
        client.connect(f"test-{len(clients)}")
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.disconnect()


@pytest.fixture
def client(make_client: MakeClient) -> Any:
    return make_client()


@pytest.fixture
def control(simulator: Simulator, tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    with closing(socket.socket(socket.AF_UNIX)) as stream:
        stream.settimeout(TIMEOUT)
        stream.connect(str(tmp_path / "control.sock"))
        lines = stream.makefile("rw")

        def order(line: str) -> Any:
            lines.write(f"{line}\n")
            lines.flush()
            return json.loads(lines.readline())

        yield order
        lines.close()


def route(prefix: str, *next_hops: str, source: int | None = None, table: int = 0) -> Any:
    paths = [fib_path(next_hop, 1) for next_hop in next_hops]
    made: dict[str, Any] = {"table_id": table, "prefix": prefix, "n_paths": len(paths)}
    if source is not None:
        made["src"] = source
    return made | {"paths": paths}


def add_source(client: Any, name: str = SOURCE, priority: int = 200) -> int:
    reply = client.api.fib_source_add(src={"priority": priority, "name": name})
    assert reply.retval == 0
    return int(reply.id)


def dump(client: Any, source: int, *, table: int = 0, is_ip6: bool = False) -> Any:
    wanted = {"table_id": table, "is_ip6": is_ip6}
    return client.api.ip_route_v2_dump(src=source, table=wanted)


def shown(name: str) -> str:
    return name.rstrip("\0")


def test_the_handshake_brings_the_whole_api(client: Any) -> None:
    for message in ("ip_route_add_del_v2", "fib_source_add", "sw_interface_dump"):
        assert hasattr(client.api, message)
    assert not hasattr(client.api, "acl_add_replace")


def test_the_version_is_that_of_the_release(client: Any, release: str) -> None:
    reply = client.api.show_version()
    assert reply.retval == 0
    assert shown(reply.program) == "vpe"
    assert reply.version.startswith(release)


@pytest.mark.parametrize(
    ("command", "retval", "expected"),
    [
        ("show version", 0, "vpp v"),
        ("show interface", 0, "loop1"),
        ("show plugins", 0, "linux_cp_plugin.so"),
        ("show ip fib summary", 0, "Prefix length"),
        ("make coffee", -1, "unknown input"),
    ],
)
def test_cli_inband_answers(client: Any, command: str, retval: int, expected: str) -> None:
    reply = client.api.cli_inband(cmd=command)
    assert reply.retval == retval
    assert expected in reply.reply


def test_cli_inband_shows_a_route(client: Any) -> None:
    client.api.ip_route_add_del_v2(is_add=True, route=route(PREFIX, NEXT_HOP))
    reply = client.api.cli_inband(cmd=f"show ip fib {PREFIX}")
    assert f"{PREFIX} fib:0" in reply.reply
    assert "API refs:1 src-flags:added,contributing,active," in reply.reply
    assert NEXT_HOP in reply.reply


def test_control_ping_names_the_process_and_the_client(client: Any) -> None:
    reply = client.api.control_ping()
    assert reply.retval == 0
    assert reply.vpe_pid == os.getpid()
    assert reply.client_index == client.transport.socket_index


def test_interfaces_are_dumped(client: Any) -> None:
    details = client.api.sw_interface_dump(sw_if_index=NO_INTERFACE, name_filter_valid=False)
    seen = {shown(d.interface_name): (d.sw_if_index, int(d.flags)) for d in details}
    assert seen == {"local0": (0, 0), "loop0": (1, UP), "loop1": (2, UP)}
    [named] = client.api.sw_interface_dump(name_filter_valid=True, name_filter="loop1")
    assert named.sw_if_index == 2
    [numbered] = client.api.sw_interface_dump(sw_if_index=1)
    assert shown(numbered.interface_name) == "loop0"


def test_events_tell_of_interfaces(client: Any, make_client: MakeClient) -> None:
    events: queue.Queue[tuple[str, Any]] = queue.Queue()
    client.register_event_callback(lambda name, event: events.put((name, event)))
    assert client.api.want_interface_events(enable_disable=True, pid=os.getpid()).retval == 0
    other = make_client()

    def event() -> tuple[int, int, bool]:
        name, seen = events.get(timeout=TIMEOUT)
        assert name == "sw_interface_event"
        assert seen.pid == os.getpid()
        return seen.sw_if_index, int(seen.flags), bool(seen.deleted)

    for flags, reported in ((0, 0), (1, UP)):
        assert other.api.sw_interface_set_flags(sw_if_index=2, flags=flags).retval == 0
        assert event() == (2, reported, False)
    made = other.api.create_loopback()
    assert event() == (made.sw_if_index, 0, False)
    assert other.api.delete_loopback(sw_if_index=made.sw_if_index).retval == 0
    assert event() == (made.sw_if_index, 0, True)
    assert other.api.sw_interface_set_flags(sw_if_index=99, flags=1).retval == -2
    assert client.api.want_interface_events(enable_disable=False, pid=os.getpid()).retval == 0
    other.api.sw_interface_set_flags(sw_if_index=2, flags=0)
    client.api.control_ping()
    assert events.empty()


def test_a_loopback_made_again_has_the_index_freed_last(client: Any) -> None:
    # As VPP 26.10 does: the index does not show a client that an interface is another one.
    first = client.api.create_loopback()
    assert (first.retval, first.sw_if_index) == (0, 3)
    assert client.api.delete_loopback(sw_if_index=3).retval == 0
    assert client.api.delete_loopback(sw_if_index=3).retval == -2
    again = client.api.create_loopback()
    assert again.sw_if_index == 3
    assert client.api.create_loopback().sw_if_index == 4
    for index in (3, 4):
        assert client.api.delete_loopback(sw_if_index=index).retval == 0
    again = client.api.create_loopback()
    assert again.sw_if_index == 4
    [details] = client.api.sw_interface_dump(sw_if_index=4)
    assert shown(details.interface_name) == "loop2"


def test_pairs_map_interfaces(client: Any, release: str) -> None:
    reply, details = client.api.lcp_itf_pair_get(cursor=0)
    assert (reply.retval, len(details)) == (0, 2)
    has_v2 = release >= DESCRIBES_ITSELF
    assert hasattr(client.api, "lcp_itf_pair_get_v2") == has_v2
    if not has_v2:
        return
    reply, details = client.api.lcp_itf_pair_get_v2(sw_if_index=NO_INTERFACE, cursor=0)
    assert (reply.retval, reply.cursor) == (0, NO_INTERFACE)
    pairs = {shown(d.host_if_name): d.phy_sw_if_index for d in details}
    assert pairs == {"eth0": 1, "eth1": 2}
    reply, details = client.api.lcp_itf_pair_get_v2(sw_if_index=2, cursor=0)
    assert [shown(d.host_if_name) for d in details] == ["eth1"]
    reply, details = client.api.lcp_itf_pair_get_v2(sw_if_index=0, cursor=0)
    assert (reply.retval, details) == (-2, [])


def test_tables_come_and_go_by_family(client: Any) -> None:
    def tables() -> set[tuple[int, bool, str]]:
        details = [d.table for d in client.api.ip_table_dump()]
        return {(t.table_id, bool(t.is_ip6), shown(t.name)) for t in details}

    first = {(0, False, "ipv4-VRF:0"), (0, True, "ipv6-VRF:0")}
    assert tables() == first
    table = {"table_id": 10, "is_ip6": True, "name": "ten"}
    for _ in range(2):
        assert client.api.ip_table_add_del(is_add=True, table=table).retval == 0
    assert tables() == first | {(10, True, "ten")}
    add = route(PREFIX, NEXT_HOP, table=10)
    assert client.api.ip_route_add_del_v2(is_add=True, route=add).retval == -3
    add = route("2001:db8::/32", "fe80::1", table=10)
    assert client.api.ip_route_add_del_v2(is_add=True, route=add).retval == 0
    assert len(dump(client, API, table=10, is_ip6=True)) == 1
    assert client.api.ip_table_add_del(is_add=False, table=table).retval == 0
    assert tables() == first


def test_sources_are_added_and_found(client: Any) -> None:
    made = add_source(client)
    sources = [d.src for d in client.api.fib_source_dump()]
    [ours] = [s for s in sources if shown(s.name) == SOURCE]
    assert (ours.id, ours.priority) == (made, 200)
    assert {(s.id, s.priority, shown(s.name)) for s in sources} >= {(8, 128, "API")}


def test_a_route_goes_all_the_way(client: Any, simulator: Simulator) -> None:
    source = add_source(client)
    add = route(PREFIX, NEXT_HOP, "10.0.0.8", source=source)
    assert client.api.ip_route_add_del_v2(is_add=True, route=add).retval == 0
    [details] = dump(client, source)
    assert str(details.route.prefix) == PREFIX
    assert details.route.src == source
    hops = {str(ip_address(bytes(p.nh.address.ip4.packed))) for p in details.route.paths}
    assert hops == {NEXT_HOP, "10.0.0.8"}
    assert simulator.snapshot(SOURCE) == [(0, PREFIX, [(NEXT_HOP, 1, 1), ("10.0.0.8", 1, 1)])]
    gone = route(PREFIX, source=source)
    assert client.api.ip_route_add_del_v2(is_add=False, route=gone).retval == 0
    assert dump(client, source) == []
    assert simulator.snapshot(SOURCE) == []


def test_version_1_has_the_source_of_the_api(client: Any) -> None:
    assert client.api.ip_route_add_del(is_add=True, route=route(PREFIX, NEXT_HOP)).retval == 0
    [details] = dump(client, API)
    assert (str(details.route.prefix), details.route.src) == (PREFIX, API)
    assert client.api.ip_route_add_del(is_add=False, route=route(PREFIX)).retval == 0
    assert dump(client, API) == []


def test_lookup_finds_the_longest_match(client: Any) -> None:
    for prefix in ("198.51.0.0/16", PREFIX):
        client.api.ip_route_add_del_v2(is_add=True, route=route(prefix, NEXT_HOP))
    for asked, exact, found in (
        ("198.51.100.7/32", 0, PREFIX),
        ("198.51.101.7/32", 0, "198.51.0.0/16"),
        (PREFIX, 1, PREFIX),
    ):
        wanted = ip_network(asked)
        reply = client.api.ip_route_lookup_v2(table_id=0, exact=exact, prefix=wanted)
        assert (reply.retval, str(reply.route.prefix)) == (0, found)
    absent = ip_network("198.51.100.7/32")
    assert client.api.ip_route_lookup_v2(table_id=0, exact=1, prefix=absent).retval == -6


def test_two_clients_see_the_same_and_are_told_apart(make_client: MakeClient) -> None:
    one, two = make_client(), make_client()
    assert one.transport.socket_index != two.transport.socket_index
    for number in range(50):
        client = (one, two)[number % 2]
        add = route(f"10.1.{number}.0/24", NEXT_HOP)
        assert client.api.ip_route_add_del_v2(is_add=True, route=add).retval == 0
    assert len(dump(one, API)) == len(dump(two, API)) == 50
    one.disconnect()
    assert two.api.control_ping().retval == 0
    one.connect("again")
    assert len(dump(one, API)) == 50


def test_the_control_socket_takes_faults_and_questions(
    client: Any, control: Callable[[str], Any], release: str
) -> None:
    assert control('{"fault": "fail_nth", "nth": 1, "retval": -5}') == {"ok": True}
    add = route(PREFIX, NEXT_HOP)
    assert client.api.ip_route_add_del_v2(is_add=True, route=add).retval == -5
    assert client.api.ip_route_add_del_v2(is_add=True, route=add).retval == 0
    statistics = control('{"query": "statistics"}')["statistics"]
    figures = ("route_requests", "adds", "refused", "routes", "clients")
    assert [statistics[figure] for figure in figures] == [2, 1, 1, 1, 1]
    asked = statistics["requests"].get("get_api_json", 0)
    assert asked == (release >= DESCRIBES_ITSELF)


@pytest.mark.parametrize(
    "line",
    [
        "coffee",
        "{}",
        '{"fault": "coffee"}',
        '{"fault": "stall"}',
        '{"fault": "fail_prefix", "prefix": "198.51.100.0/33", "retval": -1}',
        '{"fault": "change_crc", "message": "coffee", "crc": "00000000"}',
        '{"query": "coffee"}',
    ],
)
def test_a_line_that_is_no_command_is_an_error(control: Callable[[str], Any], line: str) -> None:
    answer = control(line)
    assert answer["ok"] is False
    assert answer["error"]
    assert control('{"query": "statistics"}')["ok"], "the connection goes on"


def test_the_control_socket_drops_connections(client: Any, control: Callable[[str], Any]) -> None:
    assert control('{"fault": "drop"}') == {"ok": True}
    with pytest.raises(OSError, match=r"VPP|Sendall|closed"):
        client.api.control_ping()
    client.disconnect()
    client.connect("again")
    assert client.api.control_ping().retval == 0


def test_a_changed_crc_reaches_the_client(make_client: MakeClient, simulator: Simulator) -> None:
    order = {"fault": "change_crc", "message": "ip_route_add_del_v2", "crc": "deadbeef"}
    simulator.fault(json.dumps(order))
    client = make_client()
    names = set(client.transport.message_table)
    assert "ip_route_add_del_v2_deadbeef" in names
    assert "ip_route_add_del_v2_521ef330" not in names
    assert client.messages["ip_route_add_del_v2"].crc == "0xdeadbeef"
    assert client.messages["ip_route_add_del"].crc == "0xb8ecfe0d"


def test_a_stopped_simulator_leaves_no_socket(simulator: Simulator, tmp_path: Path) -> None:
    for _ in range(2):
        simulator.stop()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="stopped"):
        simulator.fault('{"fault": "clear"}')
