"""A single route as a value, for those who handle routes one by one."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from bgpreflector.rtnetlink import RT_TABLE_MAIN, RT_TABLE_MAX

_KEY = "route/table/"
_MAX_WEIGHT = 256

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class NextHop:
    """Where packets go: to a gateway, out of an interface, or to a gateway through one.

    Examples:
        >>> from ipaddress import ip_address
        >>> NextHop(ip_address("fe80::1"), interface="eth0", weight=257)
        Traceback (most recent call last):
        ValueError: next hop weight 257: must be 1 to 256
    """

    gateway: IPAddress | None = None
    interface: str | int | None = None
    """The Linux interface by name or index; ``None`` if the gateway decides."""

    weight: int = 1
    """1 to 256, the kernel's ``rtnh_hops`` plus one."""

    def __post_init__(self) -> None:
        if not 1 <= self.weight <= _MAX_WEIGHT:
            raise ValueError(f"next hop weight {self.weight}: must be 1 to 256")

    def order(self) -> tuple[int, int, str, int]:
        """A key to sort next hops by."""
        version, address = (self.gateway.version, int(self.gateway)) if self.gateway else (0, 0)
        return version, address, str(self.interface), self.weight


@dataclass(frozen=True, slots=True)
class Route:
    """A prefix with its next-hop set; the order in which the set is given does not matter.

    Examples:
        >>> from ipaddress import ip_address, ip_network
        >>> one, two = (NextHop(ip_address(f"10.0.0.{n}")) for n in (1, 2))
        >>> route = Route(ip_network("192.0.2.0/24"), (two, one))
        >>> route == Route(ip_network("192.0.2.0/24"), (one, two))
        True
        >>> route.key
        'route/table/254/192.0.2.0/24'
        >>> Route.parse_key(route.key)
        (254, IPv4Network('192.0.2.0/24'))
        >>> Route(ip_network("192.0.2.0/24"), (NextHop(interface="eth0"),)).is_valid
        False
    """

    network: IPNetwork
    next_hops: tuple[NextHop, ...] = field(default=())
    table: int = RT_TABLE_MAIN
    """The kernel table, 1 to 2^32 - 1."""

    def __post_init__(self) -> None:
        if not 1 <= self.table <= RT_TABLE_MAX:
            raise ValueError(f"table {self.table}: must be 1 to 4294967295")
        object.__setattr__(self, "next_hops", tuple(sorted(self.next_hops, key=NextHop.order)))

    @property
    def is_valid(self) -> bool:
        """Whether every next hop, and there is one, has a gateway that is not unspecified."""
        return bool(self.next_hops) and all(
            hop.gateway is not None and not hop.gateway.is_unspecified for hop in self.next_hops
        )

    @property
    def key(self) -> str:
        """The transaction key: one a table and prefix, whatever the next hops."""
        return f"{_KEY}{self.table}/{self.network}"

    @staticmethod
    def parse_key(key: str) -> tuple[int, IPNetwork]:
        """Table and network of a transaction key. Raises ``ValueError`` if it is no route's."""
        table, separator, network = key.removeprefix(_KEY).partition("/")
        if not (key.startswith(_KEY) and separator):
            raise ValueError(f"{key!r} is not the key of a route")
        return int(table), ip_network(network)
