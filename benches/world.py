"""Kernels with a table of the benchmark's size, and engines that follow them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from bgpreflector import _core
from lab import Namespace, TableRoute, connect, global_table, hosts_of, namespace
from lab.bgp_pair import SUBNETS
from lab.kernel import MAIN
from lab.prefixes import Family

LINK = "uplink"
METRIC = 32
"""As BIRD writes it."""

PROTOCOL = 12
SW_IF_INDEX = 1
ADDRESSES = ("192.168.100.1/24", "fd00:100::1/64")
CONNECT_TIMEOUT, REQUEST_TIMEOUT = 10.0, 120.0
MAX_IN_FLIGHT = 1024
"""The daemon's own."""

EVERYTHING = 0xFFFFFFFF


def family_of(prefix: str) -> Family:
    """The family of a prefix."""
    return 6 if ":" in prefix else 4


def both_tables(v4: int, v6: int) -> list[TableRoute]:
    """The routes of both families."""
    return [*global_table(4, v4), *global_table(6, v6)]


def gateways(route: TableRoute, next_hops: int, shift: int = 0) -> list[str]:
    """The gateways of a route; ``shift`` makes them those of another set."""
    subnet = SUBNETS[family_of(route.prefix)]
    return [subnet.format(host=host) for host in hosts_of(route.next_hop_set + shift, next_hops)]


def lines(
    verb: str, routes: Iterable[TableRoute], *, next_hops: int = 1, shift: int = 0
) -> Iterator[str]:
    """Lines for ``ip -batch``: ``verb`` is add, replace or del."""
    for route in routes:
        hops = gateways(route, next_hops, shift)
        if verb == "del":
            via = ""
        elif next_hops == 1:
            via = f"via {hops[0]} "
        else:
            via = "".join(f"nexthop via {hop} " for hop in hops)
        # ``via`` and so on are the last: a multipath route's next hops end the command.
        yield f"route {verb} {route.prefix} proto {PROTOCOL} metric {METRIC} {via}"


def apply(kernel: Namespace, batch: Iterable[str]) -> None:
    """Runs the lines by ``ip -batch``."""
    with tempfile.NamedTemporaryFile("w", suffix=".batch") as file:
        file.writelines(f"{line}\n" for line in batch)
        file.flush()
        kernel.ip("-batch", file.name)


def flush(kernel: Namespace) -> None:
    """Deletes all of them from the kernel, one after the other."""
    for family in ("-4", "-6"):
        kernel.ip(family, "route", "flush", "proto", str(PROTOCOL))


@contextmanager
def empty_kernel(label: str) -> Iterator[Namespace]:
    """A namespace with the link that all routes go out of."""
    with namespace(label) as made, namespace(f"{label}-far") as far:
        connect(made, far, LINK, ADDRESSES)
        yield made


def engine(kernel: Namespace, families: Sequence[str] = ("ipv4", "ipv6")) -> _core.Engine:
    """An engine as the daemon has it, started."""
    made = _core.Engine(
        protocols=[PROTOCOL],
        tables={MAIN: 0},
        families=families,
        foreign_routes="hide",
        receive_buffer=32 << 20,
        namespace=kernel.path,
    )
    made.start()
    return made


def connect_engine(
    made: _core.Engine,
    socket: str,
    *,
    max_in_flight: int = MAX_IN_FLIGHT,
    rate_limit: int | None = None,
) -> None:
    """Opens the bulk connection."""
    made.connect(
        socket=socket,
        name="bench",
        max_in_flight=max_in_flight,
        connect_timeout=CONNECT_TIMEOUT,
        request_timeout=REQUEST_TIMEOUT,
        rate_limit=rate_limit,
    )
