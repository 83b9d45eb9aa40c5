"""How notifications come, how they are lost, and what that takes."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable

import pytest

from lab import Namespace, ip_batch, wait_until
from oracle.expected import Forwarding
from oracle.world import World, world

from .agreement import PREFIX, TIMEOUT, V4, add_route, agreed, do, hop, via, vpp_has
from .following import LINK, following, with_link
from .large_routes import large_route
from .rtnetlink import listening, messages, request

pytestmark = pytest.mark.root

SMALL = 4096
"""Bytes: a receive buffer of a few notifications."""

BESIDE = 30_000
"""Routes of a table."""

OBJECTS = 5_000


def many(count: int, link: int = 0) -> list[str]:
    """Lines that put as many IPv4 routes."""
    first = 2048
    prefixes = [f"10.{n >> 8}.{n & 255}.0/24" for n in range(first, first + count)]
    return [f"route replace {prefix} proto 12 {via(4, link)}" for prefix in prefixes]


def test_one_notification_is_one_datagram(router: World) -> None:
    """However many come at once."""
    with listening(router.namespace) as listener:
        ip_batch(router.namespace, many(100))
        datagrams = list(listener.datagrams())
    assert [len(list(messages(datagram))) for datagram in datagrams] == [1] * 100
    vpp_has(router, 100)


def test_a_loss_is_said_once_and_lasts_until_all_is_read(router: World) -> None:
    """ENOBUFS comes first, then what was queued; what is sent before that has been read is lost
    without another error."""
    with listening(router.namespace, SMALL) as listener:
        ip_batch(router.namespace, many(100))
        with pytest.raises(OSError, match=f"Errno {errno.ENOBUFS}"):
            list(listener.datagrams())
        do(router, f"-4 route add {V4} {via(4, 0)}")
        queued = list(listener.datagrams())
        assert 0 < len(queued) < 100
        assert all(bytes((198, 18, 0, 0)) not in datagram for datagram in queued)
        do(router, f"-4 route del {V4}")
        (after,) = listener.datagrams()
        assert bytes((198, 18, 0, 0)) in after


def test_an_overrun_is_repaired_by_a_dump() -> None:
    """Nothing stays that is gone, nothing goes that is there, and it is counted."""
    count = 10_000
    with world(receive_buffer=SMALL) as router:
        do(router, f"-4 route add {V4} proto 12 {via(4, 2)}")
        agreed(router, {V4: [hop(4, 2)]})
        kept: Forwarding = {(254, V4): [hop(4, 2)]}
        # A reader that is quick enough loses nothing, so there may be more than one round.
        while not router.engine.status().overruns:
            for link in (0, 1):
                ip_batch(router.namespace, many(count, link))
                changed: Forwarding = {
                    (254, line.split()[2]): [hop(4, link)] for line in many(count)
                }
                _vpp_says(router, {**kept, **changed})
            ip_batch(router.namespace, [line.replace("replace", "del") for line in many(count, 1)])
            _vpp_says(router, kept)
        wait_until(lambda: router.engine.status().resyncs["overrun"], TIMEOUT, "a dump for it")
        _vpp_says(router, kept)
        assert router.engine.status().receive_buffer == 2 * SMALL


@pytest.mark.parametrize("family", [4, 6])
def test_an_announcement_of_many_next_hops_is_no_overrun(router: World, family: int) -> None:
    """It is longer than most, and read whole."""
    before = router.resyncs()
    message = large_route(router.namespace, family, PREFIX[family], next_hops=1_100, protocol=12)
    request(router.namespace, message)
    wait_until(
        lambda: PREFIX[family] in {view.prefix for view in router.engine.routes(0, 1 << 16)[0]},
        TIMEOUT,
        "the route is known",
    )
    status = router.engine.status()
    assert (status.overruns, status.resyncs["overrun"]) == (0, 0)
    assert router.resyncs() == before


@pytest.mark.parametrize("routed", [True, False], ids=["used", "unused"])
def test_many_objects_go_beside_a_table_without_an_overrun(
    make_namespace: Callable[[str], Namespace], routed: bool
) -> None:
    """What one costs does not depend on how many others there are."""
    namespace = make_namespace("objects")
    with_link(namespace)
    hop = f"via 10.0.0.2 dev {LINK}"
    table = [f"route add 20.{n >> 8}.{n & 255}.0/24 proto 12 {hop}" for n in range(BESIDE)]
    objects = [f"nexthop add id {n} {hop}" for n in range(1, OBJECTS + 1)]
    users = [
        f"route add 30.{n >> 8}.{n & 255}.0/24 proto 12 nhid {n}" for n in range(1, OBJECTS + 1)
    ]
    ip_batch(namespace, [*table, *objects, *(users if routed else [])])
    with following(namespace, receive_buffer=32 << 20) as engine:
        before = engine.status()
        assert before.prefixes["ipv4"]["desired"] == BESIDE + OBJECTS * routed
        ip_batch(namespace, [f"nexthop del id {n}" for n in range(1, OBJECTS + 1)])

        def seen() -> tuple[int, int]:
            now = engine.status()
            read = now.messages["next_hop"] - before.messages["next_hop"]
            return read, now.prefixes["ipv4"]["desired"]

        # A dump counts the objects that it shows, too: the number alone does not tell.
        wait_until(
            seen,
            TIMEOUT,
            "all deletions are read",
            accept=lambda seen: seen[0] >= OBJECTS and seen[1] == BESIDE,
        )
        after = engine.status()
        assert after.prefixes["ipv4"]["desired"] == BESIDE
        assert (after.overruns, after.drops) == (0, 0)
        if not routed:
            assert after.resyncs == before.resyncs


def _vpp_says(router: World, expected: Forwarding) -> None:
    def says() -> Forwarding:
        router.settle(0)
        return router.vpp()

    wait_until(says, TIMEOUT, "VPP follows", accept=lambda seen: seen == expected)


def test_the_socket_belongs_to_the_namespace(
    router: World, make_namespace: Callable[[str], Namespace]
) -> None:
    """Not to that of the thread that asks: nothing of anywhere else is seen."""
    other = make_namespace("other")
    other.ip("link", "add", "elsewhere", "type", "veth", "peer", "name", "elsewherep")
    other.ip("route", "add", "blackhole", V4, "proto", "12")
    add_route(router, 4)
    names = {name for _, name, _ in router.engine.links()}
    assert names == {"lo", "o0", "o0p", "o1", "o1p", "o2", "o2p"}


READ_AS_NOBODY = """
import os, sys
from bgpreflector import _core
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
engine = _core.Engine(protocols=[12], tables={254: 254}, families=["ipv4", "ipv6"],
                      foreign_routes="ignore", receive_buffer=1 << 30)
engine.start()
engine.set_interfaces({"o0": 1}, None, False)
complete, first = engine.resync().complete, engine.take_batch(9)
print(complete, len(first), flush=True)
sys.stdin.readline()
engine.wait_dirty(10)
print(len(engine.take_batch(9)), engine.status().receive_buffer < 1 << 30, flush=True)
"""
"""Names the prefixes that were there, then, at a line of input, one that came."""


def test_reading_takes_no_rights(router: World) -> None:
    """Joining the groups, dumping and strict checking work as an ordinary user; only a receive
    buffer beyond ``net.core.rmem_max`` does not (SO_RCVBUFFORCE)."""
    do(router, f"-4 route add {V4} proto 12 {via(4, 0)}")
    do(router, f"-4 route add 198.18.1.0/24 proto 4 {via(4, 0)}")
    command = router.namespace.command(sys.executable, "-c", READ_AS_NOBODY)
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "True 1\n"
        do(router, f"-4 route add 198.18.2.0/24 proto 12 {via(4, 0)}")
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "1 True\n"
