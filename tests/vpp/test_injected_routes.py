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
KEPT, DROPPED = (f"203.0.113.{n}/32" for n in (1, 2))


def make_route(prefix: str, gateway: str = GATEWAY) -> Route:
    """A route by one gateway."""
    return Route(ip_network(prefix), (NextHop(ip_address(gateway)),))


@dataclass(eq=False)
class RouteChange(UpdateEvent):
    """Routes to put and to delete."""

    put: tuple[Route, ...] = ()
    delete: tuple[Route, ...] = ()
    is_blocking: bool = True
    name: str = "route change"


@dataclass
class RouteHandler:
    """A handler that puts given routes, and all of them in a resync."""

    name: str = "own"
    routes: dict[str, Route] = field(default_factory=dict)

    def handles_event(self, event: Event) -> bool:
        """Resyncs and changes."""
        return event.method.is_resync or isinstance(event, RouteChange)

    def resync(
        self, event: Event, kube_state_data: KubeStateData, resync_count: int, txn: ResyncOperations
    ) -> None:
        """All that must exist."""
        for key, route in self.routes.items():
            txn.put(key, route)

    def update(self, event: UpdateEvent, txn: UpdateOperations) -> str:
        """What changes."""
        assert isinstance(event, RouteChange)
        for route in event.put:
            self.routes[route.key] = route
            txn.put(route.key, route)
        for route in event.delete:
            del self.routes[route.key]
            txn.delete(route.key)
        return ""

    def revert(self, event: UpdateEvent) -> None:
        """Nothing to undo."""


class Harness:
    """A daemon in sync with a kernel's routes, with the handler beside its reflector."""

    def __init__(self, kernel: Namespace, vpp: SimulatedVpp, on_exit: str) -> None:
        self.kernel = kernel
        self.vpp = vpp
        self.handler = RouteHandler()
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
            [self.handler],
        )

    def push(self, event: Event) -> None:
        """An event that blocks."""
        self.daemon.controller.push_event(event)

    def expect(self, *prefixes: str) -> None:
        """VPP has the kernel's routes and these of the handler."""
        injected = {prefix for prefix in self.vpp.routes() if prefix.startswith("203.")}
        assert injected == set(prefixes)
        assert len(self.vpp.routes()) == COUNT + len(prefixes)


@contextmanager
def running(kernel: Namespace, vpp: SimulatedVpp, on_exit: str = "keep") -> Iterator[Harness]:
    """One that is in sync, with both routes."""
    harness = Harness(kernel, vpp, on_exit)
    harness.daemon.start()
    try:
        wait_until(lambda: harness.daemon.in_sync, 30, "in sync")
        harness.push(RouteChange(put=(make_route(KEPT), make_route(DROPPED))))
        harness.expect(KEPT, DROPPED)
        vpp.simulator.record_deletions()
        yield harness
    finally:
        harness.daemon.stop()


@pytest.fixture
def kernel(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """With routes of the mirrored protocol."""
    return kernel_with_routes(make_namespace("own"), COUNT)


def test_no_resync_with_the_kernel_deletes_them(kernel: Namespace, simulator: SimulatedVpp) -> None:
    """Audits, resyncs after events, and whatever else the reader dumps by itself."""
    with running(kernel, simulator) as harness:
        engine = harness.daemon.engine
        assert engine.audit().drift == {"missing": 0, "different": 0, "stale": 0}
        resyncs = engine.status().resyncs["event"]
        ip_batch(kernel, [f"address add 192.168.101.1/24 dev {DEVICE}"])
        wait_until(
            lambda: engine.status().resyncs["event"], 30, "verified", accept=lambda n: n > resyncs
        )
        harness.expect(KEPT, DROPPED)
        harness.push(DownstreamResync("operator", blocking=True))
        harness.expect(KEPT, DROPPED)
        assert simulator.simulator.deletions() == []


@pytest.mark.parametrize("resync", [FullResync, UpstreamResync])
def test_a_full_resync_puts_what_must_exist(
    resync: type[FullResync | UpstreamResync], kernel: Namespace, simulator: SimulatedVpp
) -> None:
    """What is put in it stays, and is never deleted meanwhile; what is not is deleted."""
    with running(kernel, simulator) as harness:
        harness.push(resync("first", blocking=True))
        harness.expect(KEPT, DROPPED)
        del harness.handler.routes[make_route(DROPPED).key]
        harness.push(resync("second", blocking=True))
        harness.expect(KEPT)
        assert {prefix for _, prefix in simulator.simulator.deletions()} == {DROPPED}
        harness.push(RouteChange(put=(make_route(KEPT, OTHER),)))
        harness.push(resync("third", blocking=True))
        assert simulator.routes()[KEPT] == frozenset({OTHER})
        harness.push(RouteChange(delete=(make_route(KEPT),)))
        harness.expect()
        harness.push(resync("fourth", blocking=True))
        harness.expect()


def test_a_vpp_that_restarts_gets_them_again(kernel: Namespace, simulator: SimulatedVpp) -> None:
    """By the resync that follows."""
    with running(kernel, simulator) as harness:
        simulator.fault("restart")
        wait_until(simulator.routes, 30, "all again", accept=lambda seen: len(seen) == COUNT + 2)
        harness.expect(KEPT, DROPPED)


def test_they_are_flushed_on_exit_with_the_others(
    kernel: Namespace, simulator: SimulatedVpp
) -> None:
    """Where ``vpp.on_exit`` is ``flush``."""
    with running(kernel, simulator, on_exit="flush"):
        pass
    assert simulator.routes() == {}
