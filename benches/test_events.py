"""Links and next-hop objects that no route of ours uses, made beside a full table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from bgpreflector import _core
from kernel.following import with_link
from lab import Namespace, wait_until

from .conftest import Add
from .rows import Row, at_most
from .world import LINK, PROTOCOL, engine

pytestmark = [pytest.mark.root, pytest.mark.timeout(900)]

COUNT = 10
SIDE = "side"
SIDE_ADDRESSES = ("10.99.1.1/24", "10.99.2.1/24")
SIDE_ROUTE = "198.51.100.0/24"
TIMEOUT = 60.0

LINKS = [f"link add unused{n} type veth peer name unused{n}p" for n in range(COUNT)]
NO_LINKS = [f"link del unused{n}" for n in range(COUNT)]
OBJECTS = [f"nexthop add id {n} via 192.168.100.10 dev {LINK}" for n in range(1, 1 + COUNT)]
OBJECTS += [f"nexthop add id {100 + n} via 192.168.100.10 fdb" for n in range(COUNT)]
NO_OBJECTS = [f"nexthop del id {n}" for n in (*range(1, 1 + COUNT), *range(100, 100 + COUNT))]
CHANGES = {
    f"{COUNT} pairs of links": [*LINKS, *NO_LINKS],
    f"{2 * COUNT} next-hop objects, half of them fdb": [*OBJECTS, *NO_OBJECTS],
}


@contextmanager
def side_link(kernel: Namespace) -> Iterator[None]:
    """A link with a single route."""
    with_link(kernel, SIDE, 99)
    try:
        kernel.ip("route", "add", SIDE_ROUTE, "proto", str(PROTOCOL), "dev", SIDE)
        yield
    finally:
        kernel.ip("link", "del", SIDE)


@pytest.mark.parametrize("kind", CHANGES)
def test_unrelated_events(kind: str, plain_kernel: Namespace, add: Add) -> None:
    """Dumps that links and objects cause which no route uses.

    Two addresses of another link, each of which causes a dump, are set last: where the second is
    dealt with, what was due before the first is too.
    """
    with side_link(plain_kernel):
        made = engine(plain_kernel)
        try:
            made.resync()
            for line in CHANGES[kind]:
                plain_kernel.ip(*line.split())
            for address in SIDE_ADDRESSES:
                already = dumps(made)
                plain_kernel.ip("addr", "add", address, "dev", SIDE)
                wait_until(partial(more_dumps, made, already), TIMEOUT, "a dump for the address")
            found = dumps(made) - len(SIDE_ADDRESSES)
        finally:
            made.close()
    what = f"{kind} come and go that no route uses: dumps"
    add(Row(what, found, "", target=at_most(0)))


def more_dumps(made: _core.Engine, already: int) -> bool:
    """Whether there was one since."""
    return dumps(made) > already


def dumps(made: _core.Engine) -> int:
    """For events, so far."""
    return made.status().resyncs["event"]
