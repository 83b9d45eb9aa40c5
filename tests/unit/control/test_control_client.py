"""The client's errors where the daemon ends, or hangs, during a request."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bgpreflector.control import ControlClient
from bgpreflector.errors import ControlError


@contextmanager
def connected(
    path: Path, timeout: float | None = None
) -> Iterator[tuple[ControlClient, socket.socket]]:
    """A client and the daemon's end of its connection, which reads nothing by itself."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with ControlClient(path, timeout=timeout) as client:
            connection, _ = listener.accept()
            with connection:
                yield client, connection


def test_a_daemon_that_is_killed_before_it_has_read_the_request(tmp_path: Path) -> None:
    """The kernel resets the connection, which is no end of the answer."""
    with connected(tmp_path / "c.sock") as (client, connection):
        answer = client.ask("status")
        connection.close()
        with pytest.raises(ControlError, match=r"failed within the answer: .*reset"):
            _ = answer.end


def test_a_daemon_that_ends_within_its_answer(tmp_path: Path) -> None:
    """The rows so far are returned."""
    with connected(tmp_path / "c.sock") as (client, connection):
        answer = client.ask("routes")
        connection.recv(4096)
        connection.sendall(b'{"row": {"number": 1}}\n{"row": {"num')
        connection.close()
        rows = iter(answer)
        assert next(rows) == {"number": 1}
        with pytest.raises(ControlError):
            next(rows)


def test_a_daemon_that_has_ended_before_the_next_request(tmp_path: Path) -> None:
    """The request cannot be sent; the answer says so."""
    with connected(tmp_path / "c.sock") as (client, connection):
        connection.close()
        with pytest.raises(ControlError, match="closed the connection within its answer: has it"):
            _ = client.ask("status").end


def test_a_daemon_that_reads_no_request(tmp_path: Path) -> None:
    """Of more bytes than the socket's buffers hold."""
    with (
        connected(tmp_path / "c.sock", timeout=0.1) as (client, _),
        pytest.raises(ControlError, match="cannot send a request to the daemon: timed out"),
    ):
        client.ask("routes", within="x" * (1 << 20))


def test_a_daemon_that_does_not_answer(tmp_path: Path) -> None:
    with (
        connected(tmp_path / "c.sock", timeout=0.1) as (client, _),
        pytest.raises(ControlError, match="does not answer; its log may say why"),
    ):
        _ = client.ask("status").end
