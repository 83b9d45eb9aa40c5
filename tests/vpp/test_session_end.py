"""The end of the session through vpp_papi: nothing is left to the garbage collector."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import AF_UNIX, SHUT_RDWR, socket

import pytest

from bgpreflector.errors import VppConnectError
from daemon.held import held, no_more_than, without_collector
from lab.vpp import SimulatedVpp, Vpp
from vpp.support import session_at

ROUNDS = 8
"""More than there may be threads of an earlier test that have not ended yet."""


@pytest.mark.root
@pytest.mark.parametrize("graceful", [True, False])
def test_nothing_is_left_of_it(vpp: Vpp, graceful: bool) -> None:
    """No client, thread or descriptor, without the garbage collector."""
    session, clients = session_at(vpp.socket), []
    with without_collector():
        before = held()
        for _ in range(ROUNDS):
            session.connect()
            session.watch_interfaces(lambda: None)
            clients.append(weakref.ref(session._client))
            session.close(graceful=graceful)
        assert [client() for client in clients] == [None] * ROUNDS
        no_more_than(before)


def test_an_answer_that_came_too_late_does_not_keep_it(simulator: SimulatedVpp) -> None:
    """One of more bytes than the pipe that vpp_papi writes answers into holds, with no reader."""
    session = session_at(simulator.socket)
    with without_collector():
        before = held()
        for _ in range(ROUNDS):
            session.connect()
            session._client.transport.q.put(bytes(1 << 20))
            session.close(graceful=False)
        no_more_than(before)


def test_nothing_is_left_of_one_that_cannot_connect(tmp_path: Path) -> None:
    """A server closes the connection at once."""
    path = tmp_path / "other.sock"
    with closing_server_at(path), without_collector():
        before = held()
        for _ in range(ROUNDS):
            with pytest.raises(VppConnectError):
                session_at(path).connect()
        no_more_than(before)


@contextmanager
def closing_server_at(path: Path) -> Iterator[None]:
    """One that closes each connection."""
    with socket(AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        closing = threading.Thread(target=_close_each, args=(listener,), daemon=True)
        closing.start()
        try:
            yield
        finally:
            listener.shutdown(SHUT_RDWR)
            closing.join()


def _close_each(listener: socket) -> None:
    while True:
        try:
            listener.accept()[0].close()
        except OSError:
            return
