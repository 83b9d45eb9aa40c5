"""Addresses to look up: inside and beside every prefix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network

Network = IPv4Network | IPv6Network

OUTSIDE = ("192.0.2.77", "2001:db9::77")
"""In no prefix but the default routes."""


@cache
def network(prefix: str) -> Network:
    """The prefix as a network."""
    return ip_network(prefix)


@cache
def around(prefix: str) -> tuple[str, ...]:
    """One address well inside a prefix, its ends, and those before and behind it."""
    wanted = network(prefix)
    if wanted.prefixlen == 0:
        return (OUTSIDE[wanted.version == 6],)
    first, last = int(wanted.network_address), int(wanted.broadcast_address)
    inside = min(first + 77, last)
    most = (1 << wanted.max_prefixlen) - 1
    numbers = {first, inside, last, max(first - 1, 0), min(last + 1, most)}
    kind = type(wanted.network_address)
    return tuple(sorted(str(kind(number)) for number in numbers))


class Prefixes:
    """Prefixes by length, to find the longest that holds an address."""

    def __init__(self, prefixes: Iterable[str]) -> None:
        self._by_length: dict[tuple[int, int], dict[int, str]] = {}
        for prefix in prefixes:
            known = network(prefix)
            shift = known.max_prefixlen - known.prefixlen
            by_number = self._by_length.setdefault((known.version, known.prefixlen), {})
            by_number[int(known.network_address) >> shift] = prefix
        self._lengths = sorted(self._by_length, reverse=True)

    def holding(self, address: str) -> Iterator[str]:
        """Those that hold it, the longest first."""
        host = network(address)
        number = int(host.network_address)
        for version, length in self._lengths:
            if version == host.version:
                found = self._by_length[version, length].get(number >> host.max_prefixlen - length)
                if found is not None:
                    yield found

    def longest(self, address: str) -> str | None:
        """The longest prefix that holds the address."""
        return next(self.holding(address), None)

    def own_address(self, prefix: str) -> str | None:
        """The address by which a prefix is asked for: in no longer one, if there is such."""
        return next((a for a in around(prefix) if self.longest(a) == prefix), None)
