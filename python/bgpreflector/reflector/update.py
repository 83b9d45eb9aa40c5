"""The events that report changed routes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from bgpreflector.controller import RouteBatch, UpdateEvent
from bgpreflector.routes.route import IPAddress, IPNetwork, NextHop, Route

if TYPE_CHECKING:
    from collections.abc import Sequence


class BGPRouteUpdateType(Enum):
    """What happened to the route."""

    ROUTE_ADD = "RouteAdd"
    ROUTE_DELETE = "RouteDelete"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class BGPRouteUpdate(UpdateEvent):
    """A BGP route of the host was added or deleted.

    Examples:
        >>> from ipaddress import ip_address, ip_network
        >>> kind = BGPRouteUpdateType.ROUTE_DELETE
        >>> event = BGPRouteUpdate(kind, ip_network("2001:db8::/32"), ip_address("fe80::1"))
        >>> print(event)
        BGP route Change
        * Type: RouteDelete
        * DstNetwork: 2001:db8::/32
        * GW: fe80::1
    """

    type: BGPRouteUpdateType
    dst_network: IPNetwork
    gw_addr: IPAddress

    @property
    def name(self) -> str:
        """The name of all events of this type: "BGP route Change"."""
        return "BGP route Change"

    @property
    def route(self) -> Route:
        """The route in the main table."""
        return Route(self.dst_network, (NextHop(self.gw_addr),))

    def __str__(self) -> str:
        return (
            f"{self.name}\n"
            f"* Type: {self.type}\n"
            f"* DstNetwork: {self.dst_network}\n"
            f"* GW: {self.gw_addr}"
        )


class BGPRouteBatchUpdate(UpdateEvent):
    """Many BGP routes of the host changed; the changes stay outside Python.

    It blocks: who pushes it waits for the result before taking the next batch, so that
    later changes gather in the route table instead of a queue.
    """

    def __init__(self, batch: RouteBatch) -> None:
        self._batch = batch
        self._superseded = False
        self._committed = False

    @property
    def name(self) -> str:
        """The name of all events of this type: "BGP routes Change"."""
        return "BGP routes Change"

    @property
    def is_blocking(self) -> bool:
        """Always ``True``."""
        return True

    @property
    def batch(self) -> RouteBatch:
        """The changes."""
        return self._batch

    @property
    def batches(self) -> Sequence[RouteBatch]:
        """The one batch, so that the controller releases it if it is not committed.

        None once a resync has taken the changes over.
        """
        return () if self._superseded else (self._batch,)

    @property
    def superseded(self) -> bool:
        """Whether a resync has taken the changes over while the event was queued."""
        return self._superseded

    def committed(self) -> None:
        """Take note that the southbound has the changes."""
        self._committed = True

    @property
    def is_committed(self) -> bool:
        """Whether the southbound has taken the changes, though perhaps refused some."""
        return self._committed

    def supersede(self) -> None:
        """Give the changes back to the table; processing the event does nothing then."""
        self._superseded = True
        self._batch.release()

    def __str__(self) -> str:
        return (
            f"{self.name}\n"
            f"* Added: {self._batch.adds}\n"
            f"* Replaced: {self._batch.replaces}\n"
            f"* Deleted: {self._batch.deletes}"
        )


@dataclass(frozen=True, eq=False)
class RouteWatchFailure(UpdateEvent):
    """The route watcher has died: from now on no change would be seen."""

    error: BaseException

    @property
    def name(self) -> str:
        """The name of all events of this type: "Route watch failure"."""
        return "Route watch failure"

    def __str__(self) -> str:
        return f"{self.name}: {self.error}"
