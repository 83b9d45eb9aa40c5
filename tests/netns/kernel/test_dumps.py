"""What a dump shows, what it does not, and how it ends."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager

import pytest

from lab import again_and_again, ip_batch
from oracle.operations import LINKS
from oracle.world import World, world

from .agreement import TIMEOUT, V4, V6, agreed, do, hop, via, vpp_has
from .following import desired, following
from .rtnetlink import (
    GETNEXTHOP,
    GETROUTE,
    NEWROUTE,
    NLM_F_DUMP_INTR,
    NLMSG_DONE,
    Message,
    dumping,
    messages,
    rest_of,
    route_dump,
)

pytestmark = pytest.mark.root

ENOENT = 2
READ = 32 << 10
"""Bytes that the kernel fills at most."""


def dumped(router: World, body: bytes, *, strict: bool = True) -> list[Message]:
    """A whole dump of routes."""
    with dumping(router.namespace, GETROUTE, body, strict=strict) as opened:
        return [message for datagram in rest_of(opened) for message in messages(datagram)]


def churning(router: World, lines: Sequence[str]) -> AbstractContextManager[threading.Event]:
    """Runs the lines over and over; the event is set once they have been run for the first time."""
    return again_and_again(lambda _: ip_batch(router.namespace, lines))


def test_filters_need_strict_checking(router: World) -> None:
    """Without NETLINK_GET_STRICT_CHK ``rtm_protocol`` and RTA_TABLE in the request mean nothing."""
    for table in (254, 1000):
        do(router, f"-4 route add {V4} proto 12 table {table} {via(4, 0)}")
        do(router, f"-4 route add 198.18.1.0/24 proto 4 table {table} {via(4, 0)}")
    body = route_dump(4, table=1000, protocol=12)
    strict = [m for m in dumped(router, body) if m.kind == NEWROUTE]
    lax = [m for m in dumped(router, body, strict=False) if m.kind == NEWROUTE]
    assert len(strict) == 1
    assert len(lax) > 4
    vpp_has(router, 2)
    assert router.vpp().keys() == {(254, V4), (1000, V4)}


def test_a_table_that_does_not_exist_is_empty() -> None:
    """The kernel ends the dump with ENOENT in NLMSG_DONE; the table may come later."""
    with world(tables={254: 254, 777: 1000}) as router:
        (end,) = dumped(router, route_dump(4, table=777))
        assert (end.kind, end.number) == (NLMSG_DONE, -ENOENT)
        assert router.engine.resync().complete
        do(router, f"-4 route add {V4} table 777 proto 12 {via(4, 0)}")
        vpp_has(router, 1)
        assert router.vpp() == {(1000, V4): [hop(4, 0)]}
        do(router, "-4 route flush table 777")
        assert router.engine.resync().complete
        vpp_has(router, 0)


def test_a_large_dump_comes_in_many_reads(router: World) -> None:
    """Each of at most 32 KiB; no route is lost between two."""
    count = 5_000
    lines = [
        f"route add 10.{n >> 8}.{n & 255}.0/24 proto 12 {via(4, 0)}" for n in range(2048, 7048)
    ]
    ip_batch(router.namespace, lines)
    with dumping(router.namespace, GETROUTE, route_dump(4, table=254, protocol=12)) as opened:
        reads = list(rest_of(opened))
    assert len(reads) > 2
    assert max(map(len, reads)) <= READ
    with following(router.namespace, interfaces=LINKS) as fresh:
        assert len(desired(fresh)) == count


def test_a_route_of_many_next_hops_in_one_message(router: World) -> None:
    """255 are what VPP's message can hold; one more, and the route is held, not cut off."""
    hosts = range(100, 355)
    lines = [f"route append {V6} proto 12 {via(6, 0, host)}" for host in hosts]
    ip_batch(router.namespace, lines)
    most = sorted(hop(6, 0, host) for host in hosts)
    agreed(router, {V6: most})
    with following(router.namespace, interfaces=LINKS) as fresh:
        assert len(desired(fresh)[V6]) == len(hosts)
    do(router, f"-6 route append {V6} proto 12 {via(6, 1)}")
    vpp_has(router, 0)
    assert router.engine.status().held_routes == {"too_many_next_hops": 1}
    do(router, f"-6 route del {V6} {via(6, 1)}")
    agreed(router, {V6: most})


@pytest.mark.parametrize("churned", ["proto 12", "proto 4"])
def test_v6_dumps_beside_changes_withdraw_nothing(router: World, churned: str) -> None:
    """Such a dump loses routes that did not change, and NLM_F_DUMP_INTR does not say so."""
    stable = [f"2001:db8:{n:x}::/48" for n in range(2, 4_000, 2)]
    restless = [f"2001:db8:{n:x}::/48" for n in range(1, 4_000, 8)]
    ip_batch(router.namespace, [f"route add {p} proto 12 {via(6, 0)}" for p in stable])
    vpp_has(router, len(stable))
    changes = [
        f"route {verb} {prefix} {churned} {via(6, 1)}"
        for verb in ("add", "del")
        for prefix in restless
    ]
    with churning(router, changes) as began:
        assert began.wait(TIMEOUT)
        for _ in range(10):
            router.engine.resync()
            router.settle(0)
            missing = {(254, prefix) for prefix in stable} - router.vpp().keys()
            assert missing == set()
    vpp_has(router, len(stable))
    deleted = router.simulator.statistics()["deletes"]
    assert deleted == 0 or churned == "proto 12"


def test_an_interrupted_dump_of_objects_removes_nothing(router: World) -> None:
    """The kernel sets NLM_F_DUMP_INTR where objects change beside their dump: half of them may
    not have been shown."""
    count = 2_000
    ip_batch(router.namespace, [f"nexthop add id {n} {via(4, 0)}" for n in range(1, count + 1)])
    with dumping(router.namespace, GETNEXTHOP, bytes(8)) as opened:
        first = opened.recv(READ)
        do(router, f"nexthop add id {count + 1} {via(4, 1)}")
        flags = [m.flags for datagram in rest_of(opened) for m in messages(datagram)]
    assert not any(m.flags & NLM_F_DUMP_INTR for m in messages(first))
    assert any(flag & NLM_F_DUMP_INTR for flag in flags)

    routes = [f"10.{n >> 8}.{n & 255}.0/24" for n in range(2048, 2048 + count)]
    lines = [f"route add {p} proto 12 nhid {n}" for n, p in enumerate(routes, 1)]
    ip_batch(router.namespace, lines)
    vpp_has(router, count)
    changes = [f"nexthop replace id {count + 1} {via(4, link)}" for link in (0, 1)]
    with churning(router, changes) as began:
        assert began.wait(TIMEOUT)
        for _ in range(10):
            router.engine.resync()
            router.settle(0)
    router.settle(0.3)
    assert router.simulator.statistics()["deletes"] == 0
    assert len(router.vpp()) == count
