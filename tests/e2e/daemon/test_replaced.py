"""What a reload leaves of the daemon that it replaced: nothing."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bgpreflector.config import Config, loads
from bgpreflector.daemon.supervisor import Supervisor
from daemon.held import held, no_more_than, without_collector
from daemon.world import MIRRORED
from lab import Namespace, wait_until
from lab.vpp import Vpp

pytestmark = pytest.mark.root


class Windows:
    """A configuration that differs each time it is read."""

    def __init__(self, kernel: Namespace, vpp: Vpp) -> None:
        self._kernel, self._vpp = kernel, vpp
        self._max_in_flight = 16

    def __call__(self) -> Config:
        self._max_in_flight += 1
        return loads(
            f'[kernel]\nnamespace = "{self._kernel.path}"\n'
            f'[vpp]\napi_socket = "{self._vpp.socket}"\nmax_in_flight = {self._max_in_flight}\n'
            f'[vpp.interfaces]\nmap = {{ f0 = "{self._vpp.interface}" }}\n'
        )


@pytest.fixture
def read(kernel: Namespace, vpp: Vpp) -> Windows:
    """Of a kernel with routes and a VPP."""
    return Windows(kernel, vpp)


@contextmanager
def serving(read: Windows) -> Iterator[Supervisor]:
    """A service that is in sync."""
    made = Supervisor(read(), read)
    try:
        made.start()
        in_sync(made)
        yield made
    finally:
        made.stop()


def in_sync(service: Supervisor) -> None:
    """Waits until the service is in sync."""
    wait_until(lambda: service.daemon.in_sync, 30, "in sync")


def test_nothing_is_left_of_those_that_were_replaced(read: Windows) -> None:
    """No daemon, handler, thread or descriptor, though nobody collects garbage."""
    gone: list[weakref.ref[object]] = []
    with without_collector():
        before = held()
        with serving(read) as service:
            for _ in range(8):
                daemon = service.daemon
                parts = (daemon.controller, daemon.monitor, daemon.reflector, daemon.sink)
                gone += map(weakref.ref, (daemon, *parts, daemon.sink.session))
                del daemon, parts
                service.reload()
                in_sync(service)
            assert [kept for kept in (ref() for ref in gone) if kept is not None] == []
        no_more_than(before)


def test_an_engine_that_has_ended_holds_no_routes(read: Windows) -> None:
    """References that are left, and a batch that comes back late, do no harm."""
    with serving(read) as service:
        engine = service.daemon.engine
        assert len(engine.routes(0, MIRRORED)[0]) == MIRRORED
        engine.forget_installed()
        batch = engine.take_batch(MIRRORED)
        service.reload()
        batch.release()
        assert engine.routes(0, MIRRORED) == ([], None)
        assert not any(any(counts.values()) for counts in engine.status().prefixes.values())
        in_sync(service)
