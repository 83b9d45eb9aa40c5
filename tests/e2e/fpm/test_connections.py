"""Connections that are not as they should be, and what VPP keeps meanwhile."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable, Iterator

import pytest

from bgpreflector import _core
from bgpreflector.errors import KernelError
from lab import wait_until
from oracle.expected import Forwarding
from oracle.world import World

from . import wire
from .sequence import MIRRORED, NAMES, fpm_status, fpm_world
from .wire import Hop
from .zebra import PORT, Key, Route, Zebra

pytestmark = [pytest.mark.root, pytest.mark.timeout(120)]

TIMEOUT = 20.0
ONE: Key = (254, "198.18.1.0/24")
TWO: Key = (254, "198.18.2.0/24")
THREE: Key = (254, "198.18.3.0/24")


def to(host: int) -> Route:
    """A route of BGP's by a next hop on the first link."""
    return Route(186, 1, (Hop(f"10.7.0.{host}", 10),))


def wait(router: World, what: str, condition: Callable[[], object]) -> None:
    """Waits for a condition, and lets VPP have what comes up meanwhile."""

    def look() -> bool:
        router.settle(0)
        assert router.engine.failure() is None
        return bool(condition())

    wait_until(look, TIMEOUT, what)


def sweep(router: World, zebra: Zebra) -> None:
    """Connects, shows everything, and waits until what was not shown is removed."""
    zebra.connect()
    zebra.show(end=True)
    wait(router, "a sweep", lambda: fpm_status(router).synchronised)


def agree(router: World, zebra: Zebra) -> None:
    """Waits until VPP has the routes that zebra announced."""

    def look() -> tuple[Forwarding, Forwarding]:
        router.settle(0)
        return router.vpp(), zebra.expected(MIRRORED, set(), NAMES)

    wait_until(look, TIMEOUT, "VPP and zebra", accept=lambda seen: seen[0] == seen[1])


@pytest.fixture
def zebra(router: World) -> Iterator[Zebra]:
    """One that has shown two routes."""
    made = Zebra(router.namespace)
    made.rib = {ONE: to(2), TWO: to(3)}
    made.connect()
    made.show(end=True)
    agree(router, made)
    wait(router, "a sweep", lambda: fpm_status(router).synchronised)
    yield made
    made.disconnect()


BROKEN = {
    "another version": b"\x02\x01\x00\x08abcd",
    "protobuf": b"\x01\x02\x00\x08abcd",
    "another type": b"\x01\x07\x00\x08abcd",
    "no length": b"\x01\x01\x00\x00",
    "less than a header": b"\x01\x01\x00\x03",
    "HTTP": b"GET / HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_fpm_ends_the_connection_and_takes_nothing(
    router: World, zebra: Zebra, name: str
) -> None:
    zebra.send(BROKEN[name])
    wait(router, "the end", lambda: fpm_status(router).peer is None)
    assert fpm_status(router).protocol_errors == 1
    zebra.disconnect()
    agree(router, zebra)
    # And the next one is taken.
    sweep(router, zebra)
    agree(router, zebra)


UNREADABLE = {
    "no netlink": b"\xff" * 16,
    "half a header": b"\x10\x00\x00\x00",
    "longer than its frame": wire.message(wire.RTM_NEWROUTE, 0, b"\0" * 12)[:-4],
    "no destination": wire.message(
        wire.RTM_NEWROUTE, 0, struct.pack("=8BI", 2, 24, 0, 0, 254, 186, 0, 1, 0)
    ),
    "an attribute that is too long": wire.message(
        wire.RTM_NEWROUTE, 0, struct.pack("=8BIHH", 2, 0, 0, 0, 254, 186, 0, 1, 0, 400, 1)
    ),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_left_out_and_takes_nothing(
    router: World, zebra: Zebra, name: str
) -> None:
    """It may have been about any route: what the connection did not show stays."""
    zebra.disconnect()
    del zebra.rib[TWO]
    zebra.rib[THREE] = to(4)
    zebra.connect()
    zebra.send(wire.frame(UNREADABLE[name]))
    zebra.show(end=True)
    agree(router, zebra)
    assert {ONE, TWO, THREE} == router.vpp().keys()
    assert router.engine.status().messages["malformed"] == 1
    assert fpm_status(router).sweeps == 1
    assert not fpm_status(router).synchronised
    zebra.disconnect()
    sweep(router, zebra)
    zebra.swept()
    agree(router, zebra)


def test_an_empty_frame_and_what_is_none_of_ours_are_passed_over(
    router: World, zebra: Zebra
) -> None:
    other = wire.message(28, 0, b"\0" * 12)
    rtmsg = struct.pack("=8BI", 128, 0, 0, 0, 254, 186, 0, 1, 0)
    multicast = wire.message(wire.RTM_NEWROUTE, 0, rtmsg)
    zebra.send(wire.frame() + wire.frame(other) + wire.frame(multicast))
    zebra.install(THREE, to(4))
    agree(router, zebra)
    skipped = router.engine.status().skipped
    assert (skipped["type"], skipped["family"]) == (1, 1)
    assert fpm_status(router).synchronised


def test_a_connection_that_shows_no_route_takes_none(router: World, zebra: Zebra) -> None:
    """Nor does one that breaks off within a frame."""
    zebra.disconnect(wire.frame(wire.withdrawal(ONE[1], protocol=186))[:9])
    zebra.connect()
    wait(router, "a connection", lambda: fpm_status(router).connections == 2)
    # Longer than what counts as quiet, of which nothing tells: links are read again meanwhile.
    for _ in range(40):
        router.engine.resync()
        assert not router.engine.wait_dirty(0.02)
    assert not fpm_status(router).synchronised
    agree(router, zebra)
    zebra.show(end=True)
    wait(router, "a sweep", lambda: fpm_status(router).synchronised)


def test_the_first_of_two_zebras_stays(router: World, zebra: Zebra) -> None:
    other = Zebra(router.namespace)
    other.rib = {ONE: to(4)}
    other.connect()
    wait(router, "a refusal", lambda: fpm_status(router).refused == 1)
    with pytest.raises(AssertionError, match="hung up"):
        wait(router, "the end", other.hear)
    other.disconnect()
    zebra.install(THREE, to(4))
    agree(router, zebra)
    zebra.disconnect()
    wait(router, "the end", lambda: fpm_status(router).peer is None)
    sweep(router, other)
    agree(router, other)
    other.disconnect()


def test_a_route_replaced_in_two_messages_never_leaves_vpp(router: World, zebra: Zebra) -> None:
    """Nor one whose protocol changes; a real VPP would drop packets in between."""
    before = router.engine.status().requests["delete"]
    for host in range(2, 8):
        zebra.install(ONE, to(host))
        agree(router, zebra)
        zebra.install(ONE, Route(196, 1, to(host).hops))
    agree(router, zebra)
    assert router.engine.status().requests["delete"] == before


def test_who_reads_no_results_holds_nobody_up(router: World, zebra: Zebra) -> None:
    """Results wait, one a prefix, and have the state at the time they are read."""
    # The sockets hold little.
    router.namespace.sysctl("ipv4/tcp_wmem", "4096 4096 4096")
    zebra.disconnect()
    wait(router, "the end", lambda: fpm_status(router).peer is None)
    zebra.connect()
    zebra.show(end=True)
    many = [(254, f"10.{n >> 8}.{n & 255}.0/24") for n in range(4000)]
    for host in (2, 3, 4, 2):
        for key in many:
            zebra.install(key, to(host))
        agree(router, zebra)
    assert 0 < fpm_status(router).results_queued <= len(many) + 2
    zebra.results.clear()

    def results() -> int:
        zebra.hear()
        return len(zebra.results.keys() & many)

    # Those of the last round are among what is read, or came last.
    wait_until(lambda: (results(), fpm_status(router).results_queued)[1], TIMEOUT, "the results",
               accept=lambda left: left == 0)  # fmt: skip
    wait(router, "all of them", lambda: results() == len(many))
    assert all(result.installed for result in zebra.results.values())


def test_what_vpp_refuses_has_that_result(router: World, zebra: Zebra) -> None:
    refusal = {"fault": "fail_prefix", "prefix": THREE[1], "retval": -18}
    router.simulator.fault(json.dumps(refusal))
    zebra.install(THREE, to(4))

    wait(router, "a refusal", lambda: (r := zebra.result(THREE)) and not r.installed)
    router.simulator.fault(json.dumps({"fault": "clear"}))
    assert router.engine.retry_rejected() == 1
    wait(router, "a result", lambda: (r := zebra.result(THREE)) and r.installed)


def test_routes_that_a_run_before_left_in_vpp_go_with_the_sweep(
    router: World, zebra: Zebra
) -> None:
    router.stop()
    zebra.disconnect()
    router.start()
    assert router.vpp().keys() == {ONE, TWO}, "zebra has shown nothing yet"
    del zebra.rib[TWO]
    sweep(router, zebra)
    zebra.swept()
    agree(router, zebra)
    assert router.engine.status().requests["add"][0] == 0, "what VPP has is not sent again"

    wait(router, "the result that VPP has it", lambda: zebra.result(ONE) is not None)


def test_grace_keeps_what_was_not_shown() -> None:
    with fpm_world(stale_routes_time=3600.0) as router:
        zebra = Zebra(router.namespace)
        zebra.rib = {ONE: to(2), TWO: to(3)}
        zebra.connect()
        zebra.show(end=True)
        agree(router, zebra)
        zebra.restart()
        zebra.rib = {ONE: to(4)}
        wait(router, "the end", lambda: fpm_status(router).peer is None)
        zebra.connect()
        zebra.show(end=True)
        agree(router, zebra)
        assert not fpm_status(router).synchronised
        zebra.disconnect()


def test_an_address_that_is_taken_is_said(router: World) -> None:
    settings = router.settings | {"fpm": (f"127.0.0.1:{PORT}", 1.0, 0.0)}
    other = _core.Engine(namespace=router.namespace.path, **settings)
    try:
        with pytest.raises(
            KernelError, match=r"cannot listen for zebra at 127.0.0.1:2620.*ss -ltnp"
        ):
            other.start()
    finally:
        other.close()


def test_a_namespace_that_is_made_again_is_listened_in(router: World, zebra: Zebra) -> None:
    zebra.disconnect()
    router.recreate_namespace()

    def listens() -> bool:
        try:
            made = router.namespace.call(lambda: socket.create_connection(("127.0.0.1", PORT), 1))
        except OSError:
            return False
        made.close()
        return True

    wait(router, "a listener", listens)
    wait(router, "its end", lambda: fpm_status(router).peer is None)
    sweep(router, zebra)
    agree(router, zebra)
