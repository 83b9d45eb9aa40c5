"""The end of the session through vpp_papi, which alone would leave much to the collector."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import AF_UNIX, SHUT_RDWR, socket

import pytest

from bgpreflector.config import VppConfig
from bgpreflector.errors import VppConnectError
from bgpreflector.vpp.session import VppSession
from daemon.held import held, no_more_than, without_collector
from lab.vpp import SimulatedVpp, Vpp

ROUNDS = 8
"""More than there may be threads of an earlier test that have not ended yet."""


def session_at(place: Path) -> VppSession:
    """Not connected yet."""
    return VppSession(VppConfig.model_validate({"api_socket": str(place)}))


@pytest.mark.root
@pytest.mark.parametrize("graceful", [True, False])
def test_nothing_is_left_of_it(vpp: Vpp, graceful: bool) -> None:
    """No client, thread or descriptor, though nobody collects garbage."""
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
    """More than the pipe holds that vpp_papi puts answers into; nobody reads it any more."""
    session = session_at(simulator.socket)
    with without_collector():
        before = held()
        for _ in range(ROUNDS):
            session.connect()
            session._client.transport.q.put(bytes(1 << 20))
            session.close(graceful=False)
        no_more_than(before)


def test_nothing_is_left_of_one_that_came_to_nothing(tmp_path: Path) -> None:
    """Somebody listens, and hangs up at once."""
    place = tmp_path / "other.sock"
    with other_server_at(place), without_collector():
        before = held()
        for _ in range(ROUNDS):
            with pytest.raises(VppConnectError):
                session_at(place).connect()
        no_more_than(before)


@contextmanager
def other_server_at(place: Path) -> Iterator[None]:
    """Who hangs up on everybody."""
    with socket(AF_UNIX) as other:
        other.bind(str(place))
        other.listen()
        hangs_up = threading.Thread(target=_hang_up, args=(other,), daemon=True)
        hangs_up.start()
        try:
            yield
        finally:
            other.shutdown(SHUT_RDWR)
            hangs_up.join()


def _hang_up(other: socket) -> None:
    while True:
        try:
            other.accept()[0].close()
        except OSError:
            return
