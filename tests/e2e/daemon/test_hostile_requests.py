"""Hostile requests to a real daemon's own command handlers, over its control socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bgpreflector.control import VERSION, ControlClient
from bgpreflector.control.commands import (
    AddressArguments,
    NextHopsArguments,
    ReleaseArguments,
    RoutesArguments,
    SinceArguments,
    SummaryArguments,
)
from bgpreflector.control.lines import MAX_REQUEST
from daemon.running import RunningDaemon
from daemon.world import HELD, MIRRORED, kernel_of, reflecting
from lab import namespace
from lab.requirements import missing
from lab.vpp import SimulatedVpp

pytestmark = pytest.mark.root

ARGUMENTS = {
    "status": [],
    "routes": list(RoutesArguments.model_fields),
    "routes_summary": list(SummaryArguments.model_fields),
    "route": list(AddressArguments.model_fields),
    "next_hops": list(NextHopsArguments.model_fields),
    "interfaces": [],
    "vpp_interfaces": [],
    "label_routes": [],
    "changes": list(SinceArguments.model_fields),
    "resync": [],
    "repair": [],
    "pause": [],
    "resume": [],
    "release": list(ReleaseArguments.model_fields),
    "reload": [],
}
"""Every command, and what it takes."""

REFUSED = {"request", "version", "command", "arguments"}
"""Codes of a mistake that is the client's; anything else would be a handler that broke."""

TEXTS = [
    "\0", "\ud800", "10.0.0.0/24\0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/99999999999999999999",
    "::/0", "::/129", "0/0", "0.0.0.0/0", "fe80::1%eth0", "fe80::1%\0", "1" * 4000, "../../etc",
    "installed\n", "failed", "{}", "٣.٣.٣.٣", "30.0.1.1", "30.0.1.0/24", "",
]  # fmt: skip
NUMBERS = [0, -1, 1 << 31, 1 << 32, 1 << 63, 1 << 64, 10**300, -(10**300), 1e308, 1.5, -0.0]


def hostile() -> st.SearchStrategy[Any]:
    """A value of any type that JSON knows, and what a careless handler trips over."""
    leaf = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.sampled_from(NUMBERS),
        st.floats(),
        st.text(max_size=50),
        st.sampled_from(TEXTS),
    )
    return st.recursive(
        leaf,
        lambda inner: st.lists(inner, max_size=10) | st.dictionaries(st.text(), inner, max_size=5),
        max_leaves=20,
    )


def arguments_of(command: str) -> st.SearchStrategy[dict[str, Any]]:
    """Of the right names and wrong ones."""
    known = st.sampled_from(ARGUMENTS[command]) if ARGUMENTS[command] else st.text(max_size=10)
    return st.dictionaries(known | st.text(max_size=10), hostile(), max_size=5)


COMMANDS = st.sampled_from(sorted(ARGUMENTS)).flatmap(
    lambda command: st.fixed_dictionaries(
        {
            "version": st.just(VERSION),
            "command": st.just(command),
            "arguments": arguments_of(command),
        }
    )
)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    """One for all that is thrown at it."""
    reason = missing("root")
    if reason is not None:
        pytest.skip(f"root: {reason}")
    directory = tmp_path_factory.mktemp("hostile")
    with ExitStack() as stack:
        kernel = kernel_of(lambda label: stack.enter_context(namespace(label)))
        vpp = stack.enter_context(SimulatedVpp.running(directory))
        yield stack.enter_context(reflecting(kernel, vpp, directory / "d.log"))


def answers(daemon: RunningDaemon, sent: bytes) -> list[dict[str, Any]]:
    """The ends of what is answered until the daemon hangs up."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(daemon.control))
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        lines = [json.loads(line) for line in connection.makefile("rb")]
    return [line for line in lines if "row" not in line]


def unharmed(daemon: RunningDaemon) -> None:
    """It goes on, and no handler has broken."""
    with ControlClient(daemon.control, timeout=60) as client:
        assert client.ask("resume").end["schema"] == 3
        assert client.ask("routes").end["count"] == MIRRORED + HELD
    assert "Traceback" not in daemon.log()


def test_every_command_is_asked(daemon: RunningDaemon) -> None:
    """The refusal of one that there is not names those that there are."""
    (end,) = answers(daemon, b'{"version":1,"command":"none"}\n')
    assert end["error"]["message"].endswith(f"there are: {', '.join(sorted(ARGUMENTS))}")


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(COMMANDS, min_size=1, max_size=5))
def test_arguments_of_every_type(daemon: RunningDaemon, requests: list[dict[str, Any]]) -> None:
    """Each request is served or refused as the client's mistake, in its order."""
    lines = [json.dumps(request).encode() for request in requests]
    ends = answers(daemon, b"".join(line + b"\n" for line in lines))
    assert len(ends) == len(requests)
    for request, end in zip(requests, ends, strict=True):
        assert "end" in end or end["error"]["code"] in REFUSED, (request, end)
    unharmed(daemon)


DEEP = 7000
"""Levels that a line has room for."""

ROUTES = b'{"version":1,"command":"routes","arguments":{"states":'


@pytest.mark.parametrize(
    "line",
    [
        b"[" * DEEP + b"]" * DEEP,
        b'{"a":' * 2000 + b"1" + b"}" * 2000,
        ROUTES + b"[" * DEEP + b"]" * DEEP + b"}}",
        b'{"version":1,"command":"changes","arguments":{"since":' + b"9" * 15_000 + b"}}",
        b'{"version":1,"command":"changes","arguments":{"since":1e999}}',
        b'{"version":1,"command":"changes","arguments":{"since":NaN}}',
        b'{"version":1,"command":"route","arguments":{"address":"30.0.1.1\\u0000"}}',
        b'{"version":1,"command":"route","arguments":{"address":"\\ud800"}}',
        b'{"version":1,"command":"\\u0000"}',
        b'{"version":1,"command":"status\x00"}',
        b'{"version":1,"command":"' + b"x" * 15_000 + b'"}',
        b'{"version":' + b"1" * 5000 + b',"command":"status"}',
        b'{"version":true,"command":"status"}',
        b'{"version":1,"command":"status","command":["status"]}',
        b'{"version":1,"command":"status","arguments":[]}',
        b'{"version":1,"command":"status","arguments":{"":{}}}',
        ROUTES + json.dumps(["x"] * 1000).encode() + b"}}",
        b'\xef\xbb\xbf{"version":1,"command":"status"}',
        b'{"version":1,"command":"status"}{"version":1,"command":"status"}',
        b'{"version":1,"command":"release","arguments":{"prefix":"10.0.0.0/33"}}',
        b"\x00" * 1000,
        b"\xff" * 1000,
        b"",
    ],
    ids=range(23),
)  # fmt: skip
def test_lines_that_no_client_sends(daemon: RunningDaemon, line: bytes) -> None:
    """Depth, huge numbers, NUL, surrogates, repeated keys: refused, and the next line is served."""
    assert len(line) < MAX_REQUEST
    ends = answers(daemon, line + b'\n{"version":1,"command":"status"}\n')
    assert len(ends) == 2
    assert ends[0]["error"]["code"] in REFUSED
    assert ends[1]["end"]["pid"] == daemon.process.pid
    unharmed(daemon)


def test_a_flood_takes_no_memory(daemon: RunningDaemon) -> None:
    """Lines of the most that is taken, and longer ones, again and again."""

    def resident() -> int:
        return int(daemon.status()["memory_bytes"])

    def flood() -> None:
        line = b"[" * (MAX_REQUEST - 10) + b"\n"
        for _ in range(20):
            assert len(answers(daemon, line * 20)) == 20
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(daemon.control))
                connection.settimeout(60)
                try:
                    connection.sendall(b"x" * (1 << 20))
                except OSError:
                    continue

    flood()
    before = resident()
    flood()
    flood()
    assert resident() < before + (16 << 20)
    unharmed(daemon)
