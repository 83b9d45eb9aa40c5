"""Routes and route events as values."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from bgpreflector.controller import Direction, EventMethod, TransactionType
from bgpreflector.reflector import (
    BGPRouteBatchUpdate,
    BGPRouteUpdate,
    BGPRouteUpdateType,
    NextHop,
    Route,
    RouteWatchFailure,
)
from reflector.reflector_support import MemoryBatch, MemoryEngine

NETWORK = ip_network("203.0.113.0/24")
ONE, TWO = NextHop(ip_address("192.0.2.1")), NextHop(ip_address("192.0.2.2"))


def test_update_types_have_the_original_names() -> None:
    assert [str(one) for one in BGPRouteUpdateType] == ["RouteAdd", "RouteDelete"]


def test_a_route_update_has_the_original_form() -> None:
    event = BGPRouteUpdate(BGPRouteUpdateType.ROUTE_ADD, NETWORK, ip_address("192.0.2.1"))
    assert event.name == "BGP route Change"
    assert str(event) == (
        "BGP route Change\n* Type: RouteAdd\n* DstNetwork: 203.0.113.0/24\n* GW: 192.0.2.1"
    )
    assert event.method is EventMethod.UPDATE
    assert event.transaction_type is TransactionType.BEST_EFFORT
    assert event.direction is Direction.FORWARD
    assert event.is_blocking is False
    event.done(ValueError("ignored"))


def test_route_updates_are_values() -> None:
    one, other = (
        BGPRouteUpdate(BGPRouteUpdateType.ROUTE_DELETE, ip_network("2001:db8::/32"), gateway)
        for gateway in [ip_address("fe80::1")] * 2
    )
    assert one == other
    assert hash(one) == hash(other)


def test_a_batch_update_counts_and_blocks() -> None:
    batch = MemoryBatch(MemoryEngine(), {"10.0.0.0/8": "192.0.2.1", "10.1.0.0/16": None})
    event = BGPRouteBatchUpdate(batch)
    assert str(event) == "BGP routes Change\n* Added: 1\n* Replaced: 0\n* Deleted: 0"
    assert event.is_blocking is True
    assert event.transaction_type is TransactionType.BEST_EFFORT
    assert list(event.batches) == [batch]


def test_a_superseded_batch_goes_back_to_the_table() -> None:
    engine = MemoryEngine()
    event = BGPRouteBatchUpdate(MemoryBatch(engine, {"10.0.0.0/8": "192.0.2.1"}))
    assert not event.superseded
    event.supersede()
    assert event.superseded
    assert len(engine.take_batch(10)) == 1


def test_a_watch_failure_tells_its_error() -> None:
    assert str(RouteWatchFailure(OSError("gone"))) == "Route watch failure: gone"


def test_the_order_of_next_hops_does_not_matter() -> None:
    assert Route(NETWORK, (ONE, TWO)) == Route(NETWORK, (TWO, ONE))
    assert Route(NETWORK, (ONE, TWO)) != Route(NETWORK, (ONE,))


def test_the_key_is_one_a_table_and_prefix() -> None:
    assert Route(NETWORK, (ONE,)).key == Route(NETWORK, (TWO,)).key
    assert Route(NETWORK, (ONE,)).key == "route/table/254/203.0.113.0/24"
    assert Route(NETWORK, (ONE,), table=100).key == "route/table/100/203.0.113.0/24"
    assert Route.parse_key("route/table/100/203.0.113.0/24") == (100, NETWORK)


@pytest.mark.parametrize(
    "key", ["", "route/table/100", "table/100/203.0.113.0/24", "route/table/x/203.0.113.0/24"]
)
def test_other_keys_name_no_route(key: str) -> None:
    with pytest.raises(ValueError, match=r"not the key of a route|invalid literal"):
        Route.parse_key(key)


@pytest.mark.parametrize(
    ("next_hops", "valid"),
    [
        ((ONE,), True),
        ((ONE, TWO), True),
        ((NextHop(ip_address("fe80::1"), "eth0"),), True),
        ((), False),
        ((NextHop(ip_address("0.0.0.0")),), False),
        ((NextHop(ip_address("::")),), False),
        ((NextHop(None, "eth0"),), False),
        ((ONE, NextHop(None, 3)), False),
    ],
)
def test_a_route_is_valid_with_real_gateways_only(
    next_hops: tuple[NextHop, ...], valid: bool
) -> None:
    assert Route(NETWORK, next_hops).is_valid is valid


@pytest.mark.parametrize("weight", [0, 257])
def test_weights_are_the_kernels(weight: int) -> None:
    with pytest.raises(ValueError, match=f"next hop weight {weight}: must be 1 to 256"):
        NextHop(ip_address("192.0.2.1"), weight=weight)


@pytest.mark.parametrize("table", [0, 1 << 32])
def test_tables_are_the_kernels(table: int) -> None:
    with pytest.raises(ValueError, match=f"table {table}: must be"):
        Route(NETWORK, (ONE,), table)
