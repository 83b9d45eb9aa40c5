"""A routing table with the shape of the internet's: prefix lengths, allocations, next hops."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from .prefixes import Family

LENGTHS: dict[Family, dict[int, int]] = {
    4: {
        24: 6000, 23: 1000, 22: 1110, 21: 530, 20: 460, 19: 280, 18: 150,
        17: 90, 16: 140, 15: 25, 14: 15, 13: 8, 12: 3, 11: 1,
    },
    6: {
        48: 4900, 47: 250, 46: 300, 45: 150, 44: 950, 42: 250, 40: 900,
        36: 600, 34: 150, 33: 200, 32: 1100, 29: 250,
    },
}  # fmt: skip
"""Of 10,000 prefixes, how many have which length."""

SIBLINGS: dict[Family, int] = {4: 20, 6: 5}
"""Prefixes in one allocation (/16 or /32), on average."""

RESERVED = frozenset({0, 10, 100, 127, 169, 172, 192})
"""First octets of private, shared, loopback and link-local space."""

REGISTRIES = (0x240, 0x260, 0x280, 0x2A0, 0x2C0)
"""The /12s of the regional registries."""

SETS = 64
"""Next-hop sets of a table."""

FIRST_HOST = 10
STEPS = (0, 1, 5, 21)
"""From a set's first host to its others: no two sets are the same."""


class TableRoute(NamedTuple):
    """A prefix and the number of its next-hop set."""

    prefix: str
    next_hop_set: int


def global_table(family: Family, count: int) -> list[TableRoute]:
    """``count`` routes in no order, always the same for a count."""
    random = Random(family)
    draw = _v4 if family == 4 else _v6
    prefixes = draw(count, random)
    return [
        TableRoute(prefix, number)
        for prefix, number in zip(prefixes, random.choices(range(SETS), k=count), strict=True)
    ]


def hosts_of(next_hop_set: int, next_hops: int) -> list[int]:
    """The host numbers of a set's next hops, at most four."""
    return [FIRST_HOST + (next_hop_set + step) % SETS for step in STEPS[:next_hops]]


def _v4(count: int, random: Random) -> list[str]:
    octets = [octet for octet in range(224) if octet not in RESERVED]
    pool = [
        (random.choice(octets) << 24) | (random.randrange(256) << 16)
        for _ in range(max(16, count // SIBLINGS[4]))
    ]
    drawn = _draw(4, count, random, pool, bits=32)
    return [f"{a >> 24}.{a >> 16 & 255}.{a >> 8 & 255}.{a & 255}/{length}" for a, length in drawn]


def _v6(count: int, random: Random) -> list[str]:
    """Of an address only the first 48 bits are looked at: no prefix is longer."""
    pool = [
        (random.choice(REGISTRIES) << 36) | (random.randrange(1 << 20) << 16)
        for _ in range(max(16, count // SIBLINGS[6]))
    ]
    drawn = _draw(6, count, random, pool, bits=48)
    return [f"{_words(address)}::/{length}" for address, length in drawn]


def _words(address: int) -> str:
    """As `inet_ntop` writes them: zeros at the end belong to ``::``."""
    text = f"{address >> 32:x}:{address >> 16 & 0xFFFF:x}:{address & 0xFFFF:x}"
    return text.removesuffix(":0").removesuffix(":0")


def _draw(
    family: Family, count: int, random: Random, pool: Sequence[int], *, bits: int
) -> list[tuple[int, int]]:
    lengths, weights = list(LENGTHS[family]), list(LENGTHS[family].values())
    drawn: dict[tuple[int, int], None] = {}
    while len(drawn) < count:
        missing = count - len(drawn)
        chosen = random.choices(lengths, weights, k=missing)
        allocations = random.choices(pool, k=missing)
        for length, allocation in zip(chosen, allocations, strict=True):
            low = int(random.random() * 65536)
            cleared = bits - length
            drawn[((allocation | low) >> cleared << cleared, length)] = None
    return list(drawn)
