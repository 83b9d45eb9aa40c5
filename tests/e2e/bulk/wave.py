"""Many changes of routes, by several processes at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from lab import Namespace, connect, ip_batch, prefixes
from lab.prefixes import Family

DEVICE = "uplink"
GATEWAYS: dict[Family, tuple[str, str]] = {
    4: ("192.168.0.2", "192.168.0.3"),
    6: ("fd00::2", "fd00::3"),
}
FAMILIES: tuple[Family, ...] = (4, 6)


def link(namespace: Namespace, peer: Namespace) -> None:
    """The link that all routes go out of; the gateways are hosts of it."""
    connect(namespace, peer, DEVICE, ["192.168.0.1/24", "fd00::1/64"])


def add(prefix: str, gateway: str) -> str:
    """A line of ``ip -batch``; one that is there already is refused."""
    return f"route add {prefix} via {gateway} dev {DEVICE} proto 12 metric 32"


def replace(prefix: str, gateway: str) -> str:
    """Likewise, whether or not there is one."""
    return f"route replace {prefix} via {gateway} dev {DEVICE} proto 12 metric 32"


def delete(prefix: str) -> str:
    """Likewise; one that is not there is refused."""
    return f"route del {prefix} dev {DEVICE} proto 12 metric 32"


def at_once(namespace: Namespace, batches: Sequence[Sequence[str]]) -> None:
    """Runs the batches side by side. Raises ``RuntimeError`` if a line is refused."""
    with ThreadPoolExecutor(len(batches)) as pool:
        for done in [pool.submit(ip_batch, namespace, batch) for batch in batches]:
            done.result()


class Wave:
    """What happens to ``4 * count`` prefixes of each family, in ``rounds`` rounds (even).

    A quarter is kept all the time and gets another gateway each round; one is there in the
    beginning and goes, one comes, and one goes and comes every round.
    """

    def __init__(self, count: int, rounds: int, families: Sequence[Family] = FAMILIES) -> None:
        self.rounds = rounds
        self.kept: list[str] = []
        self.going: list[str] = []
        self.coming: list[str] = []
        self.flapping: list[str] = []
        for family in families:
            drawn = prefixes(family, 4 * count)
            # Side by side in the kernel's trees, where one may disturb the walk over another.
            self.kept += drawn[0::4]
            self.going += drawn[1::4]
            self.coming += drawn[2::4]
            self.flapping += drawn[3::4]

    def before(self) -> list[str]:
        """Lines for what is there before it begins."""
        there = [*self.kept, *self.going, *self.flapping]
        return [add(prefix, gateway(prefix, 0)) for prefix in there]

    def batches(self, number: int) -> list[list[str]]:
        """The changes in ``number`` batches that do not share a prefix."""
        return [list(self._batch(slice(first, None, number))) for first in range(number)]

    def __len__(self) -> int:
        """Changes."""
        return self.rounds * (len(self.kept) + len(self.flapping)) + len(self.going + self.coming)

    def _batch(self, part: slice) -> Iterator[str]:
        for turn in range(1, self.rounds + 1):
            yield from (replace(prefix, gateway(prefix, turn)) for prefix in self.kept[part])
            if turn % 2:
                yield from (delete(prefix) for prefix in self.flapping[part])
            else:
                yield from (add(prefix, gateway(prefix, turn)) for prefix in self.flapping[part])
            if turn == 1:
                yield from (delete(prefix) for prefix in self.going[part])
                yield from (add(prefix, gateway(prefix, 1)) for prefix in self.coming[part])


def gateway(prefix: str, turn: int) -> str:
    """The gateway of a turn."""
    return GATEWAYS[6 if ":" in prefix else 4][turn % 2]
