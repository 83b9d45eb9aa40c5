"""What is gone, where the kernel's dumps do not tell it."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from bgpreflector import _core
from lab import Namespace, again_and_again, ip_batch, wait_until
from oracle.world import World

from .agreement import PREFIX, TIMEOUT, agreed, do, hop, via, vpp_has
from .following import LINK, following, with_link
from .large_routes import large_route
from .rtnetlink import request

pytestmark = pytest.mark.root

ROUTES = 40_000
GONE = 8_000
SMALL_BUFFER = 4096


def route(number: int) -> str:
    """One of many prefixes."""
    return f"2001:db8:{number:x}::/48"


def batch(namespace: Namespace, verb: str, numbers: range) -> None:
    """Adds or deletes routes through the link."""
    lines = [f"route {verb} {route(n)} proto 12 via fd00::2 dev {LINK}" for n in numbers]
    namespace.run("ip", "-6", "-batch", "-", stdin="\n".join(lines))


@contextmanager
def churning(namespace: Namespace) -> Iterator[None]:
    """A prefix that comes and goes each few milliseconds: withdrawals beside every dump."""
    line = f"{route(0xFFFF)} proto 12 via fd00::2 dev {LINK}\n"
    stop = threading.Event()
    changes = namespace.start("ip", "-6", "-batch", "-", stdin=subprocess.PIPE)
    assert changes.stdin is not None
    pipe = changes.stdin

    def churn() -> None:
        while not stop.wait(0.002):
            pipe.write(f"route add {line}route del {line}".encode())
            pipe.flush()
        pipe.close()

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        yield
        assert changes.poll() is None
    finally:
        stop.set()
        thread.join()
        assert changes.wait() == 0


def known(engine: _core.Engine) -> set[str]:
    """The prefixes of the table that the kernel has routes for."""
    cursor: int | None = 0
    found: set[str] = set()
    while cursor is not None:
        views, cursor = engine.routes(cursor, 4096)
        found.update(view.prefix for view in views if view.protocol == 12)
    return found


def test_stale_routes_go_whatever_else_changes(make_namespace: Callable[[str], Namespace]) -> None:
    """Withdrawals beside each dump: no IPv6 dump is certain, so the kernel is asked singly."""
    namespace = make_namespace("stale")
    with_link(namespace)
    batch(namespace, "add", range(ROUTES))
    gone = {route(n) for n in range(GONE)}
    with following(namespace, receive_buffer=SMALL_BUFFER) as engine, churning(namespace):
        batch(namespace, "del", range(GONE))
        assert engine.status().overruns
        engine.resync()
        left = known(engine)
        assert not left & gone
        assert left >= {route(n) for n in range(GONE, ROUTES)}


def test_what_vpp_had_before_a_restart_goes_with_the_first_resync(router: World) -> None:
    """Though routes are withdrawn beside each dump, and a policy rule leads marked packets away."""
    kept, gone = PREFIX[6], [f"2001:db8:{n:x}::/48" for n in range(2, 200)]
    routes = [f"{kept} proto 12 {via(6, 1)}", *(f"{p} proto 12 {via(6, 0)}" for p in gone)]
    ip_batch(router.namespace, [f"route add {route}" for route in routes])
    vpp_has(router, len(routes))
    router.stop()
    ip_batch(router.namespace, [f"route del {prefix} proto 12" for prefix in gone])
    changes = [f"route {verb} 2001:db8:ffff::/48 proto 12 {via(6, 0)}" for verb in ("add", "del")]
    with again_and_again(lambda _: ip_batch(router.namespace, changes * 50)) as began:
        assert began.wait(TIMEOUT)
        router.start(whole=False)
        status = router.engine.status()
        assert status.prefixes["ipv6"]["unconfirmed"] == 0
        assert status.unverified_prefixes == 0
    agreed(router, {kept: [hop(6, 1)]})


@pytest.mark.parametrize("family", [4, 6])
def test_a_dump_that_ends_early_takes_nothing_away(router: World, family: int) -> None:
    """A route of too many next hops ends the kernel's dump, without an error."""
    first, last = PREFIX[family], {4: "203.0.113.0/24", 6: "2001:db8:ffff::/48"}[family]
    large = {4: "198.51.100.0/24", 6: "2001:db8:2::/48"}[family]
    for prefix in (first, last):
        do(router, f"-{family} route add {prefix} proto 12 {via(family, 0)}")
    expected = {first: [hop(family, 0)], last: [hop(family, 0)]}
    agreed(router, expected)
    # Foreign, so that it has no place in VPP anyway.
    message = large_route(router.namespace, family, large)
    request(router.namespace, message)
    router.engine.resync()
    router.settle(0)
    assert {(254, prefix): hops for prefix, hops in expected.items()} == router.vpp()
    assert router.engine.status().dump_ended_early
    do(router, f"-{family} route del {large}")

    def whole() -> bool:
        router.engine.resync()
        return not router.engine.status().dump_ended_early

    wait_until(whole, TIMEOUT, "dumps are whole again")
    do(router, f"-{family} route del {last}")
    agreed(router, {first: [hop(family, 0)]})


@pytest.mark.parametrize("other", ["2001:db8::/32", "2001:db8:3::/48"])
def test_what_the_kernel_caches_at_an_object_is_no_proof(router: World, other: str) -> None:
    """IPv6 answers for a prefix by another one of the same next-hop object, and by ``ENETUNREACH``
    once that one is deleted, though it has the prefix and forwards by it."""
    last, beside = "2001:db8:ffff::/48", "2001:db8:fffe::/48"
    do(router, f"-6 nexthop add id 7 {via(6, 0)}")
    do(router, f"-6 route add {PREFIX[6]} proto 12 {via(6, 0)}")
    do(router, f"-6 route add {beside} proto 12 {via(6, 0)}")
    do(router, f"-6 route add {other} proto 12 nhid 7")
    do(router, f"-6 route add {last} proto 12 nhid 7")
    expected = {prefix: [hop(6, 0)] for prefix in (PREFIX[6], beside, other, last)}
    agreed(router, expected)
    # The dump ends before it, so that the kernel is asked for what is behind.
    request(router.namespace, large_route(router.namespace, 6, "2001:db8:2::/48"))
    for cpu in sorted(os.sched_getaffinity(0)):
        command = ("taskset", "-c", str(cpu), "ip", "-6", "route", "get", "2001:db8:3::1")
        router.namespace.run(*command)
    if other.endswith("/48"):
        do(router, f"-6 route del {other}")
        del expected[other]
        vpp_has(router, len(expected))
    router.engine.resync()
    router.settle(0)
    assert router.engine.status().dump_ended_early
    assert {(254, prefix): hops for prefix, hops in expected.items()} == router.vpp()
