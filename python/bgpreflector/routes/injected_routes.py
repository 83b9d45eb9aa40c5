"""Routes that handlers put one by one, beside the kernel's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Protocol

from bgpreflector.controller import EventMethod

from .route import Route

if TYPE_CHECKING:
    from bgpreflector import _core
    from bgpreflector.controller import Transaction

NextHopTuple = tuple[IPv4Address | IPv6Address | None, int, int]


class TakesRoutes(Protocol):
    """What single routes need of :class:`bgpreflector._core.Engine`."""

    def links(self) -> list[tuple[int, str, bool]]: ...
    def take_injected(
        self,
        withdrawn: Sequence[tuple[int, str]],
        announced: Sequence[tuple[int, str, Sequence[NextHopTuple]]],
        *,
        protocol: int,
    ) -> _core.RouteBatch: ...


class InjectedRoutes:
    """Enters the single routes of transactions into the table, with metric 0.

    Kernel dumps do not affect them: they go when they are deleted, or when a full or upstream
    resync does not put them again. If the kernel has a route of the same prefix with metric 0
    and their protocol, the last update wins.
    """

    def __init__(self, engine: TakesRoutes, protocol: int) -> None:
        self._engine = engine
        self._protocol = protocol
        self._keys: set[str] = set()

    def take(self, txn: Transaction) -> _core.RouteBatch | None:
        """Apply the single routes of a transaction; return ``None`` if there are none.

        Otherwise the batch holds everything dirty, and the caller waits for all of it.
        Raises ``TypeError`` for a value that is no :class:`Route`, ``ValueError`` for a key that is
        none of a route's.
        """
        if not txn.values and not (txn.is_resync and self._keys):
            return None
        gone = {key for key, value in txn.values.items() if value is None}
        if txn.is_resync and txn.method is not EventMethod.DOWNSTREAM_RESYNC:
            gone |= self._keys - txn.values.keys()
        put = {key: _route(key, value) for key, value in txn.values.items() if value is not None}
        if not gone and not put:
            return None
        indices = {name: index for index, name, _ in self._engine.links()}
        batch = self._engine.take_injected(
            [(table, str(network)) for table, network in map(Route.parse_key, gone)],
            [(route.table, str(route.network), _hops(route, indices)) for route in put.values()],
            protocol=self._protocol,
        )
        self._keys = (self._keys - gone) | put.keys()
        return batch


def _route(key: str, value: object) -> Route:
    if not isinstance(value, Route):
        raise TypeError(f"{key}: expected a Route, got {type(value).__name__}")
    return value


def _hops(route: Route, indices: Mapping[str, int]) -> list[NextHopTuple]:
    return [
        (hop.gateway, _interface(hop.interface, indices), hop.weight) for hop in route.next_hops
    ]


def _interface(interface: str | int | None, indices: Mapping[str, int]) -> int:
    if interface is None:
        return 0
    if isinstance(interface, int):
        return interface
    return indices.get(interface, 0)
