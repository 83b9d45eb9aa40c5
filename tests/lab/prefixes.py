"""Prefixes to announce: as many as a test wants, always the same."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from typing import Literal

Family = Literal[4, 6]

FIRST = {4: int(IPv4Address("10.0.0.0")), 6: int(IPv6Address("2001:db8::"))}
LENGTH = {4: 28, 6: 64}
AVAILABLE = {4: 1 << 20, 6: 1 << 32}


def prefixes(family: Family, count: int, *, first: int = 0) -> list[str]:
    """``count`` prefixes from the ``first`` on: /28 of 10.0.0.0/8, or /64 of 2001:db8::/32.

    The prefixes of a smaller count are the beginning of those of a larger one. Raises
    ``ValueError`` beyond 1,048,576 for IPv4 or 4,294,967,296 for IPv6.
    """
    if first + count > AVAILABLE[family]:
        raise ValueError(f"only {AVAILABLE[family]} prefixes of IPv{family} are to be had")
    length = LENGTH[family]
    address = IPv4Address if family == 4 else IPv6Address
    step = 1 << ((32 if family == 4 else 128) - length)
    numbers = range(FIRST[family] + first * step, FIRST[family] + (first + count) * step, step)
    return [f"{address(number)}/{length}" for number in islice(numbers, count)]
