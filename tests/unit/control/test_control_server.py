"""What the control server answers, and what clients cannot do to it."""

from __future__ import annotations

import fcntl
import json
import select
import socket
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bgpreflector.control import ControlClient, ControlServer
from bgpreflector.control.lines import MAX_REQUEST
from bgpreflector.control.server import Limits
from bgpreflector.errors import ControlError
from control.control_support import HANDLERS, RELEASED, connection_to, send_request, serving
from lab import wait_until


def test_rows_come_in_order_and_the_end_last(path: Path) -> None:
    """Several answers over one connection."""
    with serving(path), ControlClient(path) as client:
        for wanted in (0, 1, 12_345):
            answer = client.ask("count", to=wanted)
            assert [row["number"] for row in answer] == list(range(wanted))
            assert answer.end == {"count": wanted}
        assert client.ask("count", to=5000).end == {"count": 5000}, "unread rows are skipped"


@pytest.mark.parametrize(
    ("kind", "code", "text"),
    [
        ("refused", "arguments", "not like this"),
        ("vpp", "vpp", "VPP is gone"),
        ("kernel", "kernel", "no kernel"),
        ("os", "failed", "No such file"),
        ("bug", "failed", "ZeroDivisionError"),
    ],
)
def test_errors_are_told_and_the_connection_stays(
    path: Path, kind: str, code: str, text: str
) -> None:
    """With their code, in the middle of an answer too."""
    with serving(path):
        with ControlClient(path) as client:
            with pytest.raises(ControlError, match=text):
                list(client.ask("fail", kind=kind))
            assert client.ask("count", to=1).end == {"count": 1}
        with connection_to(path) as connection:
            send_request(connection, "fail", kind=kind)
            lines = connection.makefile("rb")
            assert json.loads(lines.readline()) == {"row": {"number": 0}}
            assert json.loads(lines.readline())["error"]["code"] == code


def test_invalid_requests_are_refused(path: Path) -> None:
    """Each with the code of what is wrong."""
    wrong = {
        b"\n": "request",
        b"no json\n": "request",
        b"[]\n": "request",
        b'{"command": "count"}\n': "request",
        b'{"version": 1, "command": "count", "extra": 1}\n': "request",
        b'{"version": 2, "command": "count"}\n': "version",
        b'{"version": 1, "command": "nothing"}\n': "command",
        b"\xff\xfe\n": "request",
    }
    with serving(path), connection_to(path) as connection, connection.makefile("rb") as lines:
        for text, code in wrong.items():
            connection.sendall(text)
            assert json.loads(lines.readline())["error"]["code"] == code, text


def test_a_line_without_end_is_not_gathered(path: Path) -> None:
    """The server says so and hangs up."""
    with serving(path), connection_to(path) as connection:
        connection.sendall(b"x" * (MAX_REQUEST + 1))
        lines = connection.makefile("rb")
        assert str(MAX_REQUEST) in json.loads(lines.readline())["error"]["message"]
        assert lines.read() == b""


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.one_of(
        st.binary(max_size=2000),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=20,
        ).map(lambda value: json.dumps(value).encode()),
        st.fixed_dictionaries(
            {
                "version": st.integers() | st.none(),
                "command": st.sampled_from(["count", "fail", "nothing"]) | st.text(),
                "arguments": st.dictionaries(st.text() | st.just("to"), st.integers() | st.text()),
            }
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_no_bytes_do_harm(fuzzed: ControlServer, data: bytes) -> None:
    """Whatever somebody sends, each line is answered and the next client is served."""
    lines = data.count(b"\n") + 1
    with connection_to(fuzzed.path) as connection:
        connection.sendall(data + b"\n")
        connection.shutdown(socket.SHUT_WR)
        answers = connection.makefile("rb").read().splitlines()
    ends = [answer for answer in map(json.loads, answers) if "row" not in answer]
    assert len(ends) == lines
    with ControlClient(fuzzed.path) as client:
        assert client.ask("count", to=3).end == {"count": 3}


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlServer]:
    """One server for all examples."""
    with serving(tmp_path_factory.mktemp("fuzzed") / "c.sock") as server:
        yield server


def test_clients_are_bounded(path: Path) -> None:
    """Further ones get an error, and are served once another has gone."""
    with serving(path, Limits(clients=2)):
        with ControlClient(path) as one, ControlClient(path) as two:
            assert one.ask("count", to=1).end == two.ask("count", to=1).end
            with ControlClient(path) as three, pytest.raises(ControlError, match="2 clients"):
                list(three.ask("count", to=1))

        def is_served() -> bool:
            with ControlClient(path) as client, suppress(ControlError):
                return client.ask("count", to=1).end == {"count": 1}
            return False

        wait_until(is_served, 10, "there is room again")


def test_a_client_that_says_nothing_is_hung_up_on(path: Path) -> None:
    """So that it takes nobody's place."""
    with serving(path, Limits(idle=0.05)), connection_to(path) as connection:
        assert connection.recv(1) == b""


def test_a_client_that_does_not_read_is_hung_up_on(path: Path) -> None:
    """What it asked for is not gathered for it."""
    with serving(path, Limits(write=0.05)), connection_to(path) as connection:
        send_request(connection, "count", to=10_000_000)

        def is_closed() -> bool:
            try:
                connection.send(b" ")
            except OSError:
                return True
            return False

        wait_until(is_closed, 30, "the server hangs up")


def wait_until_sent(connection: socket.socket) -> None:
    """Until the server has hung up, or has filled what the kernel has room for: then the number of
    bytes to read (``SIOCINQ``) stays."""
    hung_up = select.poll()
    hung_up.register(connection, select.POLLHUP)
    before = -1
    while not hung_up.poll(40) and before != (there := bytes_to_read(connection)):
        before = there


def bytes_to_read(connection: socket.socket) -> int:
    """What the kernel holds for the reader."""
    return int.from_bytes(fcntl.ioctl(connection, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_an_answer_is_whole_for_a_client_that_has_said_all(path: Path) -> None:
    """It has closed its side, and begins to read when the server would be done: whatever of the
    answer the kernel has no room for is still to come."""
    rows = range(6_000, 13_000, 500)
    with serving(path):
        for wanted in rows:
            with connection_to(path) as connection:
                send_request(connection, "count", to=wanted)
                connection.shutdown(socket.SHUT_WR)
                wait_until_sent(connection)
                lines = [json.loads(line) for line in connection.makefile("rb")]
            assert len(lines) == wanted + 1
            assert lines[-1]["end"]["count"] == wanted


def test_the_end_hangs_up(path: Path) -> None:
    """Also on a client in the middle of an answer, once its command has ended."""
    server = ControlServer(path, HANDLERS)
    server.start()
    with ControlClient(path) as client:
        answer = client.ask("hold")
        closing = threading.Thread(target=server.close)
        closing.start()
        RELEASED.set()
        closing.join(30)
        RELEASED.clear()
        assert not closing.is_alive()
        with suppress(ControlError):
            assert answer.end == {}
    server.close()
