"""What of the kernel is dumped where a link, an address or a next-hop object changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bgpreflector import _core
from lab import Namespace, ip_batch, wait_until

from .agreement import TIMEOUT
from .following import LINK, desired, following, with_link

pytestmark = pytest.mark.root

ROUTES = 2_000
SIDES = ("k1", "k2")
HELD = "192.0.2.0/24"


@pytest.fixture
def namespace(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """A table through one link, and a route through each of two others."""
    made = make_namespace("events")
    with_link(made)
    for number, name in enumerate(SIDES, 1):
        with_link(made, name, number)
    lines = [f"route add {route(n)} proto 12 via 10.0.0.2 dev {LINK}" for n in range(ROUTES)]
    ip_batch(made, [*lines, *(through(name) for name in SIDES)])
    return made


@pytest.fixture
def engine(namespace: Namespace) -> Iterator[_core.Engine]:
    """It follows the namespace, and nothing is due."""
    with following(namespace, interfaces=(LINK, *SIDES)) as made:
        assert made.resync().complete
        yield made


def route(number: int) -> str:
    """One of many prefixes."""
    return f"20.{number >> 8}.{number & 255}.0/24"


def beside(name: str) -> str:
    """The prefix that leads through a link of the side."""
    return f"198.51.{SIDES.index(name) + 100}.0/24"


def through(name: str) -> str:
    """Adds the route through a link of the side."""
    number = SIDES.index(name) + 1
    return f"route add {beside(name)} proto 12 via 10.0.{number}.2 dev {name}"


def dumps(engine: _core.Engine) -> int:
    """The number of dumps, for all reasons."""
    return sum(engine.status().resyncs.values())


def shown(engine: _core.Engine) -> int:
    """Routes that notifications and dumps showed."""
    return engine.status().messages["new_route"]


def wait_for_event_dump(engine: _core.Engine, before: int) -> None:
    """Waits for one more dump after a kernel event than ``before``."""
    wait_until(
        lambda: engine.status().resyncs["event"],
        TIMEOUT,
        "a dump after the event",
        accept=lambda seen: seen > before,
    )


def read_all(namespace: Namespace, engine: _core.Engine) -> None:
    """Waits until the engine has read what the kernel said up to now, and done what follows: an
    address of a link that has one route is looked at last."""
    before = engine.status().resyncs["event"]
    namespace.ip("addr", "add", "10.99.0.1/32", "dev", SIDES[0])
    wait_for_event_dump(engine, before)


def test_links_without_a_route_of_ours_cause_no_dump(
    namespace: Namespace, engine: _core.Engine
) -> None:
    """They come with addresses, whose routes are the kernel's, and go."""
    before, known = dumps(engine), shown(engine)
    for number in range(10):
        with_link(namespace, f"u{number}", 100 + number)
    for number in range(10):
        namespace.ip("link", "del", f"u{number}")
    read_all(namespace, engine)
    assert dumps(engine) == before + 1
    assert shown(engine) - known < ROUTES


def test_objects_without_a_route_of_ours_cause_no_dump(
    namespace: Namespace, engine: _core.Engine
) -> None:
    """Single ones, groups, blackholes, and those of a bridge's forwarding database."""
    before, known = dumps(engine), shown(engine)
    ip_batch(
        namespace,
        [
            f"nexthop add id 1 via 10.0.0.2 dev {LINK}",
            "nexthop add id 2 blackhole",
            "nexthop add id 3 group 1",
            "nexthop add id 4 via 10.0.0.9 fdb",
            "nexthop add id 5 group 4 fdb",
            "route add 203.0.113.0/24 proto static nhid 3",
            f"nexthop replace id 1 via 10.0.0.3 dev {LINK}",
            *(f"nexthop del id {number}" for number in (3, 5, 4, 2, 1)),
        ],
    )
    read_all(namespace, engine)
    assert dumps(engine) == before + 1
    assert shown(engine) - known < ROUTES


def test_of_several_links_at_once_only_those_are_dumped(
    namespace: Namespace, engine: _core.Engine
) -> None:
    """Not everything, for the sake of two."""
    before, known = engine.status().resyncs["event"], shown(engine)
    assert {beside(name) for name in SIDES} <= desired(engine).keys()
    ip_batch(namespace, [f"link set {name} down" for name in SIDES])
    wait_for_event_dump(engine, before)
    assert shown(engine) - known < ROUTES
    assert engine.status().prefixes["ipv4"]["kernel"] >= ROUTES
    left = {view.prefix for view in engine.routes(0, 1 << 16)[0]}
    assert not left & {beside(name) for name in SIDES}


def test_a_link_that_a_mirrored_route_has_meanwhile_is_dumped(
    namespace: Namespace, engine: _core.Engine
) -> None:
    """One that carried nothing before: what is concerned is asked anew each time."""
    with_link(namespace, "late", 7)
    namespace.ip("route", "add", HELD, "proto", "12", "via", "10.0.7.2", "dev", "late")
    namespace.ip("route", "add", HELD, "proto", "4", "metric", "9", "via", "10.0.0.2")
    read_all(namespace, engine)
    before = engine.status().resyncs["event"]
    namespace.ip("link", "set", "late", "down")
    wait_for_event_dump(engine, before)
    routes = [view for view in engine.routes(0, 1 << 16)[0] if view.prefix == HELD]
    assert [view.protocol for view in routes] == [4]
