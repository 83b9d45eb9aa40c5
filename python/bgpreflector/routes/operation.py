"""The operations of a custom sink, route by route."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .route import IPAddress, IPNetwork


class RouteType(Enum):
    """What happens to a packet; the values are those of ``ip route``."""

    UNICAST = "unicast"
    """It goes to the gateway, out of the interface."""

    LOCAL = "local"
    """It is for the router itself."""

    BLACKHOLE = "blackhole"
    """It is dropped."""

    UNREACHABLE = "unreachable"
    """It is answered with ICMP destination unreachable."""

    PROHIBIT = "prohibit"
    """It is answered with ICMP administratively prohibited."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class RoutePath:
    """One path of a route.

    Examples:
        >>> from ipaddress import ip_address
        >>> print(RoutePath(ip_address("10.0.0.2"), "eth0", weight=2, labels=(100,)))
        via 10.0.0.2 dev eth0 weight 2 labels 100
        >>> print(RoutePath(route_type=RouteType.BLACKHOLE))
        blackhole
    """

    gateway: IPAddress | None = None
    interface: str | None = None
    """The Linux interface by name; ``None`` where the route names none, or it is gone."""

    weight: int = 1
    """1 to 255, in proportion to those of the route's other paths."""

    labels: tuple[int, ...] = ()
    """MPLS labels to push, the outermost first."""

    route_type: RouteType = RouteType.UNICAST

    def __str__(self) -> str:
        parts = [] if self.route_type is RouteType.UNICAST else [str(self.route_type)]
        parts += [] if self.gateway is None else [f"via {self.gateway}"]
        parts += [] if self.interface is None else [f"dev {self.interface}"]
        parts += [] if self.weight == 1 else [f"weight {self.weight}"]
        parts += [f"labels {'/'.join(map(str, self.labels))}"] if self.labels else []
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class RouteOperation:
    """A route to put, with all its paths, or a prefix to delete.

    Examples:
        >>> from ipaddress import ip_address, ip_network
        >>> network = ip_network("192.0.2.0/24")
        >>> print(RouteOperation(0, network, (RoutePath(ip_address("10.0.0.2"), "eth0"),)))
        put 192.0.2.0/24 via 10.0.0.2 dev eth0
        >>> print(RouteOperation(7, network))
        delete 192.0.2.0/24 table 7
    """

    table: int
    """The sink's table: what ``vpp.tables`` has for the kernel's, so 0 for the main table."""

    network: IPNetwork
    paths: tuple[RoutePath, ...] = ()
    """All paths of the route, in place of those it had; empty to delete it."""

    @property
    def is_delete(self) -> bool:
        """Whether the prefix is to be deleted."""
        return not self.paths

    def __str__(self) -> str:
        table = f" table {self.table}" if self.table else ""
        if self.is_delete:
            return f"delete {self.network}{table}"
        paths = [str(path) for path in self.paths]
        ways = paths[0] if len(paths) == 1 else " ".join(f"nexthop {path}" for path in paths)
        return f"put {self.network} {ways}{table}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An operation of a batch that a sink has not done."""

    operation: RouteOperation
    message: str
    """Why."""

    retriable: bool = True
    """Whether trying the same again can help."""
