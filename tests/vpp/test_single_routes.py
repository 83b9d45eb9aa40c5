"""Routes that are put and deleted one by one."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from bgpreflector.controller import CommitResult, EventMethod, Transaction
from bgpreflector.reflector import NextHop, Route
from lab.vpp import SimulatedVpp
from vpp.support import GATEWAY, MakeProgrammer, Programmer, prefixes

OTHER = "192.168.100.13"


def commit(
    programmer: Programmer, put: tuple[Route, ...] = (), delete: tuple[Route, ...] = ()
) -> CommitResult:
    """One transaction."""
    txn = Transaction(EventMethod.UPDATE)
    for route in put:
        txn.put(route.key, route)
    for route in delete:
        txn.delete(route.key)
    return programmer.sink.commit(txn)


def route(prefix: str, *gateways: str) -> Route:
    """By its gateways."""
    hops = tuple(NextHop(ip_address(gateway)) for gateway in gateways)
    return Route(ip_network(prefix), hops)


def unknown_withdrawals(programmer: Programmer) -> int:
    return programmer.engine.status().anomalies["unknown_withdrawals"]


@pytest.mark.parametrize("prefix", ["30.0.0.0/24", "2001:db8::/32"])
def test_they_are_added_replaced_and_deleted(
    prefix: str, simulator: SimulatedVpp, make_programmer: MakeProgrammer
) -> None:
    """Whatever next hops the deletion names."""
    programmer = make_programmer(simulator)
    one, two = (GATEWAY, OTHER) if "." in prefix else ("fd00:100::12", "fd00:100::13")
    assert commit(programmer, put=(route(prefix, one),)).applied == 1
    assert simulator.routes() == {prefix: frozenset({one})}
    assert commit(programmer, put=(route(prefix, one, two),)).applied == 1
    assert simulator.routes() == {prefix: frozenset({one, two})}
    assert commit(programmer, delete=(route(prefix, two),)).applied == 1
    assert simulator.routes() == {}
    assert commit(programmer, delete=(route(prefix, two),)).applied == 0
    assert unknown_withdrawals(programmer) == 0


def test_deleting_one_that_a_resync_has_swept(
    simulator: SimulatedVpp, make_programmer: MakeProgrammer
) -> None:
    """Nothing is sent, and it is no anomaly."""
    programmer = make_programmer(simulator)
    put = route(prefixes(1)[0], GATEWAY)
    commit(programmer, put=(put,))
    programmer.engine.forget_kernel()
    assert programmer.sink.flush().applied == 1
    assert commit(programmer, delete=(put,)).applied == 0
    assert unknown_withdrawals(programmer) == 0


def test_the_kernels_own_stay(simulator: SimulatedVpp, make_programmer: MakeProgrammer) -> None:
    """Only what was put is deleted; another route of the prefix takes over."""
    programmer = make_programmer(simulator)
    prefix = prefixes(1)[0]
    programmer.engine.announce(254, prefix, [(ip_address(OTHER), 0, 1)], protocol=12, metric=32)
    programmer.sink.flush()
    assert simulator.routes() == {prefix: frozenset({OTHER})}
    commit(programmer, put=(route(prefix, GATEWAY),))
    assert simulator.routes() == {prefix: frozenset({GATEWAY})}
    commit(programmer, delete=(route(prefix, GATEWAY),))
    assert simulator.routes() == {prefix: frozenset({OTHER})}
