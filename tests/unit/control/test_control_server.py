"""The control socket's server: who may connect, what it bears, and what it answers."""

from __future__ import annotations

import json
import os
import select
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bgpreflector.control import VERSION, Access, ControlClient, ControlServer
from bgpreflector.control.commands import Answering
from bgpreflector.control.lines import LINE
from bgpreflector.control.protocol import RefusedError
from bgpreflector.control.server import Limits
from bgpreflector.errors import ControlError, KernelError, VppError
from lab import wait_until

HELD = threading.Event()


def count(arguments: Mapping[str, object]) -> Answering:
    """Rows in pages of a thousand."""
    wanted = arguments["to"]
    assert isinstance(wanted, int)
    for first in range(0, wanted, 1000):
        yield [{"number": n} for n in range(first, min(first + 1000, wanted))]
    return {"count": wanted}


def fail(arguments: Mapping[str, object]) -> Answering:
    """Raises what is asked for, after a row."""
    yield [{"number": 0}]
    raise {
        "refused": RefusedError("arguments", "not like this"),
        "vpp": VppError("VPP is gone"),
        "kernel": KernelError("no kernel"),
        "os": FileNotFoundError(2, "No such file"),
        "bug": ZeroDivisionError("by nought"),
    }[str(arguments["kind"])]


def hold(_: Mapping[str, object]) -> Answering:
    """Answers when it is let go."""
    yield ()
    assert HELD.wait(30)
    return {}


HANDLERS = {"count": count, "fail": fail, "hold": hold}


@contextmanager
def serving(
    place: Path,
    limits: Limits | None = None,
    access: Access | None = None,
    others_may: Collection[str] = (),
) -> Iterator[ControlServer]:
    """A server with :data:`HANDLERS`."""
    server = ControlServer(place, HANDLERS, access=access, others_may=others_may, limits=limits)
    server.start()
    try:
        yield server
    finally:
        HELD.set()
        server.close()
        HELD.clear()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The socket's path, in a directory that is created with it."""
    return tmp_path / "run" / "c.sock"


def raw(place: Path) -> socket.socket:
    """A connection for bytes."""
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(30)
    made.connect(str(place))
    return made


def line(connection: socket.socket) -> dict[str, dict[str, object]]:
    """The next answer line."""
    found: dict[str, dict[str, object]] = json.loads(connection.makefile("rb").readline())
    return found


def test_only_the_owner_may_connect(place: Path) -> None:
    """Whatever the umask is; and nobody may look into the directory that was made for it."""
    before = os.umask(0)
    try:
        with serving(place):
            assert stat.S_IMODE(place.stat().st_mode) == 0o600
            assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
            assert os.umask(0) == 0
    finally:
        os.umask(before)
    assert not place.exists()


STRANGER = """
import os, sys
from pathlib import Path
from bgpreflector.control import ControlClient
from bgpreflector.errors import ControlError
place, command, user, group = sys.argv[1:]
os.setgroups([])
os.setgid(int(group))
os.setuid(int(user))
try:
    with ControlClient(Path(place)) as client:
        print(client.ask(command, to=3).end)
except ControlError as error:
    print(error)
"""
"""Becomes another user only then: that one need not be able to read these files."""

NOBODY = 65534


def as_other_user(place: Path, command: str, group: int = NOBODY) -> str:
    """What another user of that group is answered."""
    argv = [sys.executable, "-c", STRANGER, str(place), command, str(NOBODY), str(group)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def open_place() -> Iterator[Path]:
    """The socket's path, below a directory that everybody can pass."""
    with tempfile.TemporaryDirectory(prefix="bgpr-control-") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory) / "run" / "c.sock"


@pytest.mark.root
def test_others_look_and_do_not_act(open_place: Path) -> None:
    """Whom group and mode let connect, by the user that the kernel names."""
    group = 4242
    access = Access(str(group), 0o660)
    with serving(open_place, access=access, others_may={"count"}):
        seen = open_place.stat()
        assert (stat.S_IMODE(seen.st_mode), seen.st_gid) == (0o660, group)
        assert stat.S_IMODE(open_place.parent.stat().st_mode) == 0o710
        assert as_other_user(open_place, "count", group) == "{'count': 3}"
        refused = as_other_user(open_place, "fail", group)
        assert f"'fail' is not for user {NOBODY}" in refused
        assert "control.role" in refused
        assert "Permission denied" in as_other_user(open_place, "count")
        with (
            ControlClient(open_place) as client,
            pytest.raises(ControlError, match="not like this"),
        ):
            _ = client.ask("fail", kind="refused").end


@pytest.mark.root
def test_a_mode_lets_everybody_connect(open_place: Path) -> None:
    """And pass the directory, not list it."""
    with serving(open_place, access=Access(mode=0o666), others_may=HANDLERS):
        assert as_other_user(open_place, "count") == "{'count': 3}"
        assert stat.S_IMODE(open_place.parent.stat().st_mode) == 0o711


def test_a_group_that_is_not_there(place: Path) -> None:
    """By its name, and what to do."""
    with pytest.raises(ControlError, match=r"no group nosuchgroup: control\.group"):
        ControlServer(place, HANDLERS, access=Access("nosuchgroup")).start()
    assert not place.exists()


def test_rows_come_in_order_and_the_end_last(place: Path) -> None:
    """Several answers over one connection."""
    with serving(place), ControlClient(place) as client:
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
    place: Path, kind: str, code: str, text: str
) -> None:
    """With their code, in the middle of an answer too."""
    with serving(place):
        with ControlClient(place) as client:
            with pytest.raises(ControlError, match=text):
                list(client.ask("fail", kind=kind))
            assert client.ask("count", to=1).end == {"count": 1}
        with raw(place) as connection:
            request = {"version": VERSION, "command": "fail", "arguments": {"kind": kind}}
            connection.sendall(json.dumps(request).encode() + b"\n")
            lines = connection.makefile("rb")
            assert json.loads(lines.readline()) == {"row": {"number": 0}}
            assert json.loads(lines.readline())["error"]["code"] == code


def test_requests_that_are_none(place: Path) -> None:
    """Each is answered by what is wrong."""
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
    with serving(place), raw(place) as connection:
        for text, code in wrong.items():
            connection.sendall(text)
            assert line(connection)["error"]["code"] == code, text


def test_a_line_without_end_is_not_gathered(place: Path) -> None:
    """The server says so and hangs up."""
    with serving(place), raw(place) as connection:
        connection.sendall(b"x" * (LINE + 1))
        lines = connection.makefile("rb")
        assert str(LINE) in json.loads(lines.readline())["error"]["message"]
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
    with raw(fuzzed.path) as connection:
        connection.sendall(data + b"\n")
        connection.shutdown(socket.SHUT_WR)
        answers = connection.makefile("rb").read().splitlines()
    ends = [answer for answer in map(json.loads, answers) if "row" not in answer]
    assert len(ends) == lines
    with ControlClient(fuzzed.path) as client:
        assert client.ask("count", to=3).end == {"count": 3}


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlServer]:
    """One server for all that is thrown at it."""
    with serving(tmp_path_factory.mktemp("fuzzed") / "c.sock") as server:
        yield server


def test_clients_are_bounded(place: Path) -> None:
    """Further ones get an error, and are served once another has gone."""
    with serving(place, Limits(clients=2)):
        with ControlClient(place) as one, ControlClient(place) as two:
            assert one.ask("count", to=1).end == two.ask("count", to=1).end
            with ControlClient(place) as three, pytest.raises(ControlError, match="2 clients"):
                list(three.ask("count", to=1))

        def served() -> bool:
            with ControlClient(place) as client:
                try:
                    return client.ask("count", to=1).end == {"count": 1}
                except ControlError:
                    return False

        wait_until(served, 10, "there is room again")


def test_a_client_that_says_nothing_is_hung_up_on(place: Path) -> None:
    """So that it takes nobody's place."""
    with serving(place, Limits(idle=0.05)), raw(place) as connection:
        assert connection.recv(1) == b""


def test_a_client_that_does_not_read_is_hung_up_on(place: Path) -> None:
    """What it asked for is not gathered for it."""
    with serving(place, Limits(write=0.05)), raw(place) as connection:
        request = {"version": VERSION, "command": "count", "arguments": {"to": 10_000_000}}
        connection.sendall(json.dumps(request).encode() + b"\n")

        def gone() -> bool:
            try:
                connection.send(b" ")
            except OSError:
                return True
            return False

        wait_until(gone, 30, "the server hangs up")


def test_an_answer_is_whole_for_a_client_that_has_said_all(place: Path) -> None:
    """It has closed its side, and begins to read when the server would be done: whatever of the
    answer the kernel has no room for is still to come."""
    rows = range(6_000, 13_000, 500)
    with serving(place):
        for wanted in rows:
            request = {"version": VERSION, "command": "count", "arguments": {"to": wanted}}
            with raw(place) as connection:
                connection.sendall(json.dumps(request).encode() + b"\n")
                connection.shutdown(socket.SHUT_WR)
                hung_up = select.poll()
                hung_up.register(connection, select.POLLHUP)
                # Not where the server still has something to send: then nothing comes but time.
                hung_up.poll(400)
                said = [json.loads(line) for line in connection.makefile("rb")]
            assert len(said) == wanted + 1
            assert said[-1]["end"]["count"] == wanted


def test_a_socket_that_was_left_behind_is_replaced(place: Path) -> None:
    """And one that is in use is not, however the daemon that has it ends."""
    place.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(place))
    with serving(place):
        with pytest.raises(ControlError, match="another daemon"):
            ControlServer(place, HANDLERS).start()
        with ControlClient(place) as client:
            assert client.ask("count", to=1).end == {"count": 1}
    with serving(place), ControlClient(place) as client:
        assert client.ask("count", to=1).end == {"count": 1}


def test_what_is_no_socket_is_not_removed(place: Path) -> None:
    """A wrong path must not cost a file."""
    place.parent.mkdir()
    place.write_text("precious")
    with pytest.raises(ControlError, match="is no socket"):
        ControlServer(place, HANDLERS).start()
    assert place.read_text() == "precious"


def test_a_place_that_cannot_be_had(tmp_path: Path) -> None:
    """The path, why not, and what to do."""
    with pytest.raises(ControlError, match=r"control\.socket"):
        ControlServer(tmp_path / "a" / "b" / "c.sock", HANDLERS).start()


def test_nobody_there(tmp_path: Path) -> None:
    """What the client says of it."""
    with pytest.raises(ControlError, match="is the daemon running"):
        ControlClient(tmp_path / "c.sock")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "c.sock"))
    with pytest.raises(ControlError, match="is the daemon running"):
        ControlClient(tmp_path / "c.sock")


def test_the_end_hangs_up(place: Path) -> None:
    """Also on a client in the middle of an answer, once its command has ended."""
    server = ControlServer(place, HANDLERS)
    server.start()
    with ControlClient(place) as client:
        answer = client.ask("hold")
        closing = threading.Thread(target=server.close)
        closing.start()
        HELD.set()
        closing.join(30)
        HELD.clear()
        assert not closing.is_alive()
        with suppress(ControlError):
            assert answer.end == {}
    server.close()


def test_a_place_that_is_taken_by_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    """Not even the lock is made beside it."""
    taken = tmp_path / "taken"
    taken.write_text("mine")
    with pytest.raises(ControlError, match="is no socket"):
        ControlServer(taken, HANDLERS).start()
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
    assert taken.read_text() == "mine"
