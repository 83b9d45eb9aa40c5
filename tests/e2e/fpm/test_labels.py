"""Routes by MPLS label from zebra: shown as held, and none of the prefixes' business."""

from __future__ import annotations

import pytest

from lab import wait_until
from oracle.world import World

from . import wire
from .wire import Hop
from .zebra import Key, Route, Zebra

pytestmark = [pytest.mark.root, pytest.mark.timeout(120)]

TIMEOUT = 20.0
ONE: Key = (254, "198.18.1.0/24")
STATIC, LDP = 196, 193
HOP = Hop("10.7.0.2", 10)


def labels(router: World) -> list[tuple[int, int, list[list[int]]]]:
    """Label, protocol, and the labels put in its place."""
    router.settle(0)
    assert router.engine.failure() is None
    listed = router.engine.label_routes()
    return [(label, protocol, [hop[0] for hop in hops]) for label, protocol, hops in listed]


def wait(router: World, expected: list[tuple[int, int, list[list[int]]]]) -> None:
    """Waits until the table has these label routes."""
    wait_until(lambda: labels(router), TIMEOUT, "labels", accept=lambda seen: seen == expected)


def test_they_come_change_and_go(router: World) -> None:
    zebra = Zebra(router.namespace)
    zebra.connect()
    zebra.send(
        wire.frame(
            wire.label_route(16, protocol=STATIC, hop=HOP, labels=[100, 200]),
            wire.label_route(17, protocol=LDP, hop=HOP),
        )
    )
    wait(router, [(16, STATIC, [[100, 200]]), (17, LDP, [[]])])
    # Of the two protocols one is mirrored.
    assert router.engine.status().held_routes == {"mpls_route": 1}
    zebra.send(wire.frame(wire.label_route(16, protocol=STATIC, hop=HOP, labels=[300])))
    zebra.send(wire.frame(wire.label_route(17, protocol=LDP)))
    wait(router, [(16, STATIC, [[300]])])
    assert router.vpp() == {}
    zebra.disconnect()


def test_what_the_next_connection_does_not_show_goes(router: World) -> None:
    """With the prefixes, and by themselves they are no sign that zebra has shown any."""
    zebra = Zebra(router.namespace)
    zebra.rib = {ONE: Route(186, 1, (HOP,))}
    zebra.connect()
    zebra.send(wire.frame(wire.label_route(16, protocol=STATIC, hop=HOP)))
    zebra.show(end=True)
    wait(router, [(16, STATIC, [[]])])
    wait_until(lambda: labels(router) and router.vpp(), TIMEOUT, "a prefix")
    zebra.disconnect()
    wait(router, [(16, STATIC, [[]])])
    zebra.connect()
    zebra.send(wire.frame(wire.label_route(17, protocol=STATIC, hop=HOP)))
    wait(router, [(16, STATIC, [[]]), (17, STATIC, [[]])])
    zebra.show(end=True)
    wait(router, [(17, STATIC, [[]])])
    assert [key for key, _ in router.vpp().items()] == [ONE]
    zebra.disconnect()
