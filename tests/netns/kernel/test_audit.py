"""Audits: kernel against table, while the table goes on following."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from operator import le

import pytest

from bgpreflector import _core
from lab import Namespace, again_and_again, ip_batch, wait_until

from .following import LINK, desired, following, with_link

pytestmark = pytest.mark.root

Hop = tuple[None, int, int]


def hop(engine: _core.Engine) -> Hop:
    """A next hop through the link."""
    (index,) = [index for index, name, _ in engine.links() if name == LINK]
    return (None, index, 1)


def move(kernel: Namespace, prefixes: list[str], host: int) -> None:
    """Replaces the routes' next hop."""
    ip_batch(kernel, [f"route replace {p} via 10.0.0.{host} proto 12" for p in prefixes])


def test_drift_is_repaired_counted_and_named(make_namespace: Callable[[str], Namespace]) -> None:
    """Routes that got into the table, or out of it, by no notification."""
    kernel = make_namespace("drift")
    with_link(kernel)
    ip_batch(kernel, [f"route add 10.9.{n}.0/24 dev {LINK} proto 12" for n in range(3)])
    with following(kernel) as engine:
        assert engine.audit().drift == {"missing": 0, "different": 0, "stale": 0}
        engine.announce(254, "10.8.0.0/24", [hop(engine)], protocol=12)
        engine.withdraw(254, "10.9.0.0/24", [hop(engine)], protocol=12)
        report = engine.audit()
        assert report.drift == {"missing": 1, "different": 0, "stale": 1}
        assert report.drifted == [(254, "10.8.0.0/24", "stale"), (254, "10.9.0.0/24", "missing")]
        assert engine.last_drift() == report.drifted
        assert set(desired(engine)) == {f"10.9.{n}.0/24" for n in range(3)}
        engine.announce(254, "2001:db8::/32", [hop(engine)], protocol=12)
        assert engine.audit().drifted == [(254, "2001:db8::/32", "stale")]
        assert engine.status().drift == {"missing": 1, "different": 0, "stale": 2}
        assert engine.status().resyncs["audit"] == 3


def test_an_audit_beside_changes_finds_nothing(make_namespace: Callable[[str], Namespace]) -> None:
    """What a notification explains is no drift, whichever of dump and notification is first."""
    kernel = make_namespace("busy")
    with_link(kernel)

    def churn(_: int) -> None:
        for verb in ("add", "del"):
            lines = (
                f"route {verb} 10.{n >> 8}.{n & 255}.0/24 via 10.0.0.2 proto 12"
                for n in range(4 << 8, 9 << 8)
            )
            ip_batch(kernel, lines)

    with following(kernel) as engine, again_and_again(churn):
        enough = engine.status().messages["new_route"] + 5000

        def audited() -> int:
            report = engine.audit()
            assert sum(report.drift.values()) == 0, report.drifted
            return engine.status().messages["new_route"]

        wait_until(audited, 60, "changes beside", accept=lambda seen: seen >= enough, interval=0)


def test_what_an_overrun_lost_is_no_drift(make_namespace: Callable[[str], Namespace]) -> None:
    """Audits between an overrun and the resync that it asks for, and those that it breaks into."""
    kernel = make_namespace("overrun")
    with_link(kernel)
    prefixes = [f"10.{n >> 8}.{n & 255}.0/24" for n in range(4 << 8, 14 << 8)]

    def churn(number: int) -> None:
        move(kernel, prefixes, 2 + number % 2)

    with following(kernel, receive_buffer=64 << 10) as engine:

        def audited() -> int:
            report = engine.audit()
            assert sum(report.drift.values()) == 0, report.drifted
            return engine.status().overruns

        with again_and_again(churn):
            wait_until(audited, 60, "overruns", accept=lambda seen: seen >= 6, interval=0)
        assert sum(engine.status().drift.values()) == 0


def test_what_waits_to_be_read_is_older_than_what_was_dropped_behind_it(
    make_namespace: Callable[[str], Namespace],
) -> None:
    """A dump that begins with a full buffer shows more than the notifications in it."""
    kernel = make_namespace("queued")
    with_link(kernel)
    prefixes = [f"10.{n >> 8}.{n & 255}.0/24" for n in range(4 << 8, 8 << 8)]

    def replace_all(number: int) -> None:
        move(kernel, prefixes, 2 + number % 20)

    with following(kernel, receive_buffer=4 << 10) as engine, ThreadPoolExecutor(1) as thread:
        for number in range(40):
            burst = thread.submit(replace_all, number)
            while not burst.done():
                engine.resync()
            report = engine.audit()
            assert sum(report.drift.values()) == 0, (number, report.drifted)
        assert engine.status().overruns > 0


def test_what_a_link_event_has_verified_anyway_is_no_drift(
    make_namespace: Callable[[str], Namespace],
) -> None:
    """What went with the link, where audits come before the event has settled."""
    kernel = make_namespace("flapping")
    with_link(kernel)
    routes = [f"route replace 2001:db8:{n:x}::/48 dev {LINK} proto 12" for n in range(200)]
    with following(kernel, audit_interval=0.01) as engine:
        for _ in range(20):
            ip_batch(kernel, [*routes, f"link set {LINK} down", f"link set {LINK} up"])
            audits = engine.status().resyncs["audit"] + 2
            wait_until(
                lambda: engine.status().resyncs["audit"],
                20,
                "audits",
                accept=partial(le, audits),
            )
        assert sum(engine.status().drift.values()) == 0, engine.last_drift()


def test_ipv6_is_swept_beside_replacements(make_namespace: Callable[[str], Namespace]) -> None:
    """A stale route goes though the IPv6 table never rests: two dumps agree about it."""
    kernel = make_namespace("restless")
    with_link(kernel)
    prefixes = [f"2001:db8:{n:x}::/48" for n in range(1, 3000)]
    ip_batch(kernel, [f"route add {p} via fd00:0::2 proto 12" for p in prefixes])

    def churn(number: int) -> None:
        host = 2 + number % 2
        ip_batch(kernel, [f"route replace {p} via fd00:0::{host} proto 12" for p in prefixes])

    with following(kernel) as engine:
        seen = engine.status().messages["new_route"]
        with again_and_again(churn):
            wait_until(
                lambda: engine.status().messages["new_route"],
                10,
                "churn",
                accept=lambda now: now > seen,
            )
            engine.announce(254, "2001:db8:ffff::/48", [hop(engine)], protocol=12)
            engine.resync()
            wait_until(
                lambda: engine.routes_of(254, "2001:db8:ffff::/48"),
                20,
                "it is gone",
                accept=lambda routes: not routes,
            )
        assert engine.status().prefixes["ipv6"]["kernel"] >= len(prefixes)


def test_a_link_event_dumps_what_goes_through_the_link(
    make_namespace: Callable[[str], Namespace],
) -> None:
    """A dead next hop is known at once, then verified by a dump of that interface alone."""
    kernel = make_namespace("targeted")
    with_link(kernel)
    with_link(kernel, "k1", 1)
    next_hops = "nexthop via 10.0.0.2 nexthop via 10.0.1.2"
    with following(kernel, interfaces=(LINK, "k1")) as engine:
        ip_batch(kernel, [f"route add 10.9.0.0/24 proto 12 {next_hops}"])
        ip_batch(kernel, ["route add 10.8.0.0/24 via 10.0.1.2 proto 12"])
        wait_until(lambda: len(desired(engine)), 10, "two routes", accept=lambda n: n == 2)
        before = engine.status()
        kernel.ip("link", "set", "k1", "down")
        wait_until(
            lambda: desired(engine),
            10,
            "one next hop is left",
            accept=lambda d: d == {"10.9.0.0/24": ["via 10.0.0.2 sw_if_index 1"]},
        )
        wait_until(
            lambda: engine.status().resyncs["event"],
            10,
            "verified",
            accept=lambda n: n > before.resyncs["event"],
        )
        kernel.ip("link", "set", "k1", "up")
        wait_until(
            lambda: len(desired(engine)["10.9.0.0/24"]), 10, "revived", accept=lambda n: n == 2
        )
