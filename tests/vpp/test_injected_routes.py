"""Routes that a custom handler puts beside the kernel's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

import pytest

from bgpreflector.config import Config
from bgpreflector.controller import (
    DownstreamResync,
    Event,
    FullResync,
    KubeStateData,
    ResyncOperations,
    UpdateEvent,
    UpdateOperations,
    UpstreamResync,
)
from bgpreflector.daemon.daemon import Daemon
from bgpreflector.reflector import NextHop, Route
from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp
from vpp.support import DEVICE, GATEWAY, kernel_with_routes

pytestmark = pytest.mark.root

COUNT = 10
OTHER = "192.168.100.13"
KEPT, GIVEN_UP = (f"203.0.113.{n}/32" for n in (1, 2))


def route(prefix: str, gateway: str = GATEWAY) -> Route:
    """By one gateway."""
    return Route(ip_network(prefix), (NextHop(ip_address(gateway)),))


@dataclass(eq=False)
class Wanted(UpdateEvent):
    """Other routes are wanted now."""

    put: tuple[Route, ...] = ()
    delete: tuple[Route, ...] = ()
    is_blocking: bool = True
    name: str = "Wanted"


@dataclass
class Own:
    """A handler that puts given routes, and all of them in a resync."""

    name: str = "own"
    wanted: dict[str, Route] = field(default_factory=dict)

    def handles_event(self, event: Event) -> bool:
        """Resyncs and changes."""
        return event.method.is_resync or isinstance(event, Wanted)

    def resync(
        self, event: Event, kube_state_data: KubeStateData, resync_count: int, txn: ResyncOperations
    ) -> None:
        """All that must exist."""
        for key, wanted in self.wanted.items():
            txn.put(key, wanted)

    def update(self, event: UpdateEvent, txn: UpdateOperations) -> str:
        """What changes."""
        assert isinstance(event, Wanted)
        for put in event.put:
            self.wanted[put.key] = put
            txn.put(put.key, put)
        for gone in event.delete:
            del self.wanted[gone.key]
            txn.delete(gone.key)
        return ""

    def revert(self, event: UpdateEvent) -> None:
        """Nothing to undo."""


class Harness:
    """A daemon in sync with a kernel's routes, with the handler beside its reflector."""

    def __init__(self, kernel: Namespace, vpp: SimulatedVpp, on_exit: str) -> None:
        self.kernel = kernel
        self.vpp = vpp
        self.own = Own()
        self.daemon = Daemon(
            Config.model_validate(
                {
                    "kernel": {"namespace": kernel.name, "audit_interval": 0},
                    "vpp": {
                        "api_socket": str(vpp.socket),
                        "interfaces": {"main_interface": vpp.interface},
                        "on_exit": on_exit,
                    },
                }
            ),
            [self.own],
        )

    def push(self, event: Event) -> None:
        """An event that blocks."""
        self.daemon.controller.push_event(event)

    def has(self, *prefixes: str) -> None:
        """Waits until VPP has the kernel's routes and these."""
        ours = {prefix for prefix in self.vpp.routes() if prefix.startswith("203.")}
        assert ours == set(prefixes)
        assert len(self.vpp.routes()) == COUNT + len(prefixes)


@contextmanager
def running(kernel: Namespace, vpp: SimulatedVpp, on_exit: str = "keep") -> Iterator[Harness]:
    """One that is in sync, with both routes."""
    harness = Harness(kernel, vpp, on_exit)
    harness.daemon.start()
    try:
        wait_until(lambda: harness.daemon.in_sync, 30, "in sync")
        harness.push(Wanted(put=(route(KEPT), route(GIVEN_UP))))
        harness.has(KEPT, GIVEN_UP)
        vpp.simulator.record_deletions()
        yield harness
    finally:
        harness.daemon.stop()


@pytest.fixture
def kernel(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """With routes of its own."""
    return kernel_with_routes(make_namespace("own"), COUNT)


def test_no_look_at_the_kernel_takes_them_away(kernel: Namespace, simulator: SimulatedVpp) -> None:
    """Audits, resyncs after events, and whatever else the reader dumps by itself."""
    with running(kernel, simulator) as harness:
        engine = harness.daemon.engine
        assert engine.audit().drift == {"missing": 0, "different": 0, "stale": 0}
        resyncs = engine.status().resyncs["event"]
        ip_batch(kernel, [f"address add 192.168.101.1/24 dev {DEVICE}"])
        wait_until(
            lambda: engine.status().resyncs["event"], 30, "verified", accept=lambda n: n > resyncs
        )
        harness.has(KEPT, GIVEN_UP)
        harness.push(DownstreamResync("operator", blocking=True))
        harness.has(KEPT, GIVEN_UP)
        assert simulator.simulator.deletions() == []


@pytest.mark.parametrize("resync", [FullResync, UpstreamResync])
def test_a_resync_says_what_must_exist(
    resync: type[FullResync | UpstreamResync], kernel: Namespace, simulator: SimulatedVpp
) -> None:
    """What is put in it stays, without a moment's absence; what is not goes."""
    with running(kernel, simulator) as harness:
        harness.push(resync("first", blocking=True))
        harness.has(KEPT, GIVEN_UP)
        del harness.own.wanted[route(GIVEN_UP).key]
        harness.push(resync("second", blocking=True))
        harness.has(KEPT)
        assert {prefix for _, prefix in simulator.simulator.deletions()} == {GIVEN_UP}
        harness.push(Wanted(put=(route(KEPT, OTHER),)))
        harness.push(resync("third", blocking=True))
        assert simulator.routes()[KEPT] == frozenset({OTHER})
        harness.push(Wanted(delete=(route(KEPT),)))
        harness.has()
        harness.push(resync("fourth", blocking=True))
        harness.has()


def test_a_vpp_that_restarts_gets_them_again(kernel: Namespace, simulator: SimulatedVpp) -> None:
    """By the resync that follows."""
    with running(kernel, simulator) as harness:
        simulator.fault("restart")
        wait_until(simulator.routes, 30, "all again", accept=lambda seen: len(seen) == COUNT + 2)
        harness.has(KEPT, GIVEN_UP)


def test_at_the_end_they_go_with_the_others(kernel: Namespace, simulator: SimulatedVpp) -> None:
    """Where ``vpp.on_exit`` is ``flush``."""
    with running(kernel, simulator, on_exit="flush"):
        pass
    assert simulator.routes() == {}
