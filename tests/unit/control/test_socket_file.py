"""The control socket as a file: who may connect, and what may be in its place."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bgpreflector.control import Access, ControlClient, ControlServer
from bgpreflector.control.server import Limits
from bgpreflector.errors import ControlError
from control.control_support import (
    HANDLERS,
    NOBODY,
    as_other_user,
    connections_of_other_user,
    serving,
)


def test_only_the_owner_may_connect(path: Path) -> None:
    """Whatever the umask is; and nobody may look into the directory that was made for it."""
    before = os.umask(0)
    try:
        with serving(path):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            assert os.umask(0) == 0
    finally:
        os.umask(before)
    assert not path.exists()


IMPORTS = """
from pathlib import Path
from bgpreflector.control import ControlClient
from bgpreflector.errors import ControlError
"""
ASK = """
try:
    with ControlClient(Path(sys.argv[1])) as client:
        print(client.ask(sys.argv[2], to=3).end)
except ControlError as error:
    print(error)
"""


def ask_as_other_user(path: Path, command: str, group: int = NOBODY) -> str:
    """What another user of that group is answered."""
    return as_other_user(IMPORTS, ASK, path, command, group=group)


@pytest.fixture
def open_path() -> Iterator[Path]:
    """The socket's path, below a directory that everybody can pass."""
    with tempfile.TemporaryDirectory(prefix="bgpr-control-") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory) / "run" / "c.sock"


@pytest.mark.root
def test_others_look_and_do_not_act(open_path: Path) -> None:
    """Those whom group and mode let connect, by the user that the kernel reports."""
    group = 4242
    access = Access(str(group), 0o660)
    with serving(open_path, access=access, others_may={"count"}):
        seen = open_path.stat()
        assert (stat.S_IMODE(seen.st_mode), seen.st_gid) == (0o660, group)
        assert stat.S_IMODE(open_path.parent.stat().st_mode) == 0o710
        assert ask_as_other_user(open_path, "count", group) == "{'count': 3}"
        refused = ask_as_other_user(open_path, "fail", group)
        assert f"'fail' is not for user {NOBODY}" in refused
        assert "control.role" in refused
        assert "no command 'nothing'" in ask_as_other_user(open_path, "nothing", group)
        assert "Permission denied" in ask_as_other_user(open_path, "count")
        with (
            ControlClient(open_path) as client,
            pytest.raises(ControlError, match="not like this"),
        ):
            _ = client.ask("fail", kind="refused").end


@pytest.mark.root
def test_others_do_not_lock_root_out(open_path: Path) -> None:
    """Their connections have a limit of their own."""
    group, limits = 4242, Limits(clients=2)
    access = Access(str(group), 0o660)
    with (
        serving(open_path, limits, access, others_may={"count"}),
        connections_of_other_user(open_path, 2, group),
    ):
        assert "2 clients" in ask_as_other_user(open_path, "count", group)
        with ControlClient(open_path) as client:
            assert client.ask("count", to=1).end == {"count": 1}


@pytest.mark.root
def test_a_mode_lets_everybody_connect(open_path: Path) -> None:
    """And pass the directory, not list it."""
    with serving(open_path, access=Access(mode=0o666), others_may=HANDLERS):
        assert ask_as_other_user(open_path, "count") == "{'count': 3}"
        assert stat.S_IMODE(open_path.parent.stat().st_mode) == 0o711


def test_a_group_that_is_not_there(path: Path) -> None:
    """By its name, and what to do."""
    with pytest.raises(ControlError, match=r"no group nosuchgroup: control\.group"):
        ControlServer(path, HANDLERS, access=Access("nosuchgroup")).start()
    assert not path.exists()


def test_a_socket_that_was_left_behind_is_replaced(path: Path) -> None:
    """And one that is in use is not, however the daemon that has it ends."""
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    with serving(path):
        with pytest.raises(ControlError, match="another daemon"):
            ControlServer(path, HANDLERS).start()
        with ControlClient(path) as client:
            assert client.ask("count", to=1).end == {"count": 1}
    with serving(path), ControlClient(path) as client:
        assert client.ask("count", to=1).end == {"count": 1}


def test_what_is_no_socket_is_not_removed(path: Path) -> None:
    """A wrong path must not cost a file; nor is the lock made beside it."""
    path.parent.mkdir()
    path.write_text("precious")
    with pytest.raises(ControlError, match="is no socket"):
        ControlServer(path, HANDLERS).start()
    assert list(path.parent.iterdir()) == [path]
    assert path.read_text() == "precious"


def test_a_directory_that_cannot_be_created(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match=r"control\.socket"):
        ControlServer(tmp_path / "a" / "b" / "c.sock", HANDLERS).start()


@pytest.mark.parametrize("name", ["file/c.sock", "x" * 200])
def test_a_path_that_cannot_be_created(tmp_path: Path, name: str) -> None:
    """Below a file, or longer than a socket's may be; nothing but the lock is left."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(
        ControlError, match=r"cannot be created: .*; set control\.socket to another"
    ):
        ControlServer(tmp_path / name, HANDLERS).start()
    assert (tmp_path / "file").read_text() == "mine"
    assert not (tmp_path / name).exists()


def test_a_client_without_a_daemon(tmp_path: Path) -> None:
    """No socket, or one that nobody listens at."""
    with pytest.raises(ControlError, match="is the daemon running"):
        ControlClient(tmp_path / "c.sock")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "c.sock"))
    with pytest.raises(ControlError, match="is the daemon running"):
        ControlClient(tmp_path / "c.sock")
