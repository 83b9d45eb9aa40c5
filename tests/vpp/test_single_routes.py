"""Routes that are put and deleted one by one."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address, ip_network

import pytest

from bgpreflector.controller import CommitResult, EventMethod, Transaction
from bgpreflector.reflector import NextHop, Route
from lab.vpp import SimulatedVpp
from vpp.support import GATEWAY, Programmer, prefixes

OTHER = "192.168.100.13"


def commit(
    made: Programmer, put: tuple[Route, ...] = (), delete: tuple[Route, ...] = ()
) -> CommitResult:
    """One transaction."""
    txn = Transaction(EventMethod.UPDATE)
    for route in put:
        txn.put(route.key, route)
    for route in delete:
        txn.delete(route.key)
    return made.sink.commit(txn)


def route(prefix: str, *gateways: str) -> Route:
    """By its gateways."""
    hops = tuple(NextHop(ip_address(gateway)) for gateway in gateways)
    return Route(ip_network(prefix), hops)


def unknown_withdrawals(made: Programmer) -> int:
    """How often something was withdrawn that was not there."""
    return made.engine.status().anomalies["unknown_withdrawals"]


@pytest.mark.parametrize("prefix", ["30.0.0.0/24", "2001:db8::/32"])
def test_they_come_change_and_go(
    prefix: str, simulator: SimulatedVpp, program: Callable[..., Programmer]
) -> None:
    """Whatever next hops the deletion names."""
    made = program(simulator)
    one, two = (GATEWAY, OTHER) if "." in prefix else ("fd00:100::12", "fd00:100::13")
    assert commit(made, put=(route(prefix, one),)).applied == 1
    assert simulator.routes() == {prefix: frozenset({one})}
    assert commit(made, put=(route(prefix, one, two),)).applied == 1
    assert simulator.routes() == {prefix: frozenset({one, two})}
    assert commit(made, delete=(route(prefix, two),)).applied == 1
    assert simulator.routes() == {}
    assert commit(made, delete=(route(prefix, two),)).applied == 0
    assert unknown_withdrawals(made) == 0


def test_one_that_a_resync_has_swept(
    simulator: SimulatedVpp, program: Callable[..., Programmer]
) -> None:
    """It is gone, and deleting it then means nothing."""
    made = program(simulator)
    put = route(prefixes(1)[0], GATEWAY)
    commit(made, put=(put,))
    made.engine.forget_kernel()
    assert made.sink.flush().applied == 1
    assert commit(made, delete=(put,)).applied == 0
    assert unknown_withdrawals(made) == 0


def test_the_kernels_own_stay(simulator: SimulatedVpp, program: Callable[..., Programmer]) -> None:
    """Only what was put is deleted; another route of the prefix takes over."""
    made = program(simulator)
    prefix = prefixes(1)[0]
    made.engine.announce(254, prefix, [(ip_address(OTHER), 0, 1)], protocol=12, metric=32)
    made.sink.flush()
    assert simulator.routes() == {prefix: frozenset({OTHER})}
    commit(made, put=(route(prefix, GATEWAY),))
    assert simulator.routes() == {prefix: frozenset({GATEWAY})}
    commit(made, delete=(route(prefix, GATEWAY),))
    assert simulator.routes() == {prefix: frozenset({OTHER})}
