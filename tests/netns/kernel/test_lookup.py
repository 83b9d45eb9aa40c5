"""What decides in the kernel's lookup beside prefix and metric: `ip route get` is the judge."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from lab import wait_until
from oracle.expected import Meaning
from oracle.world import World, world

from .agreement import FAMILIES, OWN, PREFIX, TIMEOUT, V4, V6, do, hop, via

pytestmark = pytest.mark.root

EXPIRES = 2
"""Seconds: long enough to see the route in VPP before."""


@pytest.fixture
def ignoring() -> Iterator[World]:
    """One that ignores routes of other protocols."""
    with world(foreign_routes="ignore") as made:
        yield made


def used(router: World, address: str) -> str:
    """What the kernel forwards an address by: ``ip route get ADDRESS fibmatch``; "" for nothing."""
    try:
        return router.namespace.ip("route", "get", address, "fibmatch")
    except RuntimeError:
        return ""


def gateways(text: str) -> set[str]:
    """The next hops in ``ip``'s words."""
    return set(re.findall(r"via (?:inet6 )?(\S+)", text))


def vpp_has(router: World, prefix: str, meaning: Meaning | None) -> None:
    """Waits until VPP has just that for a prefix."""

    def has() -> Meaning | None:
        router.settle(0)
        return router.vpp().get((254, prefix))

    wait_until(has, TIMEOUT, f"VPP has {meaning} for {prefix}", accept=lambda seen: seen == meaning)


def resynchronise(router: World) -> None:
    """Compares table and kernel until that was possible for both families."""

    def resync() -> bool:
        return router.engine.resync().complete

    wait_until(resync, TIMEOUT, "a resync compares everything")


def test_the_preference_decides_between_devices(router: World) -> None:
    """Routes that are not merged are tried by their preference (`rt6_score_route`)."""
    do(router, f"-6 route add {V6} dev o0 {OWN} pref low")
    vpp_has(router, V6, [("", "o0", 1)])
    do(router, f"-6 route append {V6} dev o1 {OWN} pref high")
    assert "dev o1" in used(router, "2001:db8:1::1")
    vpp_has(router, V6, [("", "o1", 1)])
    resynchronise(router)
    vpp_has(router, V6, [("", "o1", 1)])
    do(router, f"-6 route del {V6} dev o1")
    vpp_has(router, V6, [("", "o0", 1)])


def test_a_lifetime_ends_without_a_message(router: World) -> None:
    """The kernel uses the route no more; half a minute later it removes it."""
    do(
        router,
        f"-6 route add 2001:db8::/32 {OWN} {via(6, 1)}",
        f"-6 route add {V6} {OWN} {via(6, 0)} expires {EXPIRES}",
    )
    vpp_has(router, V6, [hop(6, 0)])

    def forwards() -> set[str]:
        return gateways(used(router, "2001:db8:1::1"))

    wait_until(forwards, TIMEOUT, "the kernel uses it no more", accept=lambda g: g == {"fd07:1::2"})
    vpp_has(router, V6, None)
    assert V6 in router.namespace.ip("-6", "route")
    # Those that the kernel still has count as expired in a dump too, and come back prolonged.
    resynchronise(router)
    vpp_has(router, V6, None)
    do(router, f"-6 route replace {V6} {OWN} {via(6, 0)}")
    vpp_has(router, V6, [hop(6, 0)])


def test_a_lifetime_that_was_prolonged_counts(router: World) -> None:
    """That is not announced, so a dump tells once the first one would be over."""
    do(router, f"-6 route add {V6} {OWN} {via(6, 0)} expires {EXPIRES}")
    vpp_has(router, V6, [hop(6, 0)])
    before = router.resyncs()
    do(router, f"-6 route replace {V6} {OWN} {via(6, 0)} expires 600")

    def dumped() -> bool:
        router.settle(0)
        return router.resyncs() > before

    wait_until(dumped, TIMEOUT, "the kernel is asked what became of it")
    vpp_has(router, V6, [hop(6, 0)])


DIFFERENCES = (
    "realm 1|realm 2",
    "src 10.7.0.1|src 10.7.1.1",
    "mtu 1400|mtu 1300",
    "scope link|scope site",
)
"""Two routes of one key that differ only in this are two to the kernel (`fib_find_info`)."""


@pytest.mark.parametrize("difference", DIFFERENCES)
@pytest.mark.parametrize("gone", [0, 1])
def test_of_two_routes_that_look_alike_one_stays(router: World, difference: str, gone: int) -> None:
    """Whichever of them is deleted."""
    alike = [f"{V4} {OWN} dev o0 {words}" for words in difference.split("|")]
    do(router, f"-4 route add {alike[0]}", f"-4 route append {alike[1]}")
    vpp_has(router, V4, [("", "o0", 1)])
    do(router, f"-4 route del {alike[gone]}")
    assert used(router, "198.18.0.1")
    # Had the other one gone too, it would be missed before this one comes.
    do(router, f"-4 route add 198.18.9.0/24 {OWN} dev o0")
    vpp_has(router, "198.18.9.0/24", [("", "o0", 1)])
    vpp_has(router, V4, [("", "o0", 1)])
    do(router, f"-4 route del {alike[1 - gone]}")
    vpp_has(router, V4, None)


@pytest.mark.parametrize("family", FAMILIES)
def test_ignored_routes_hide_nothing_of_ours(ignoring: World, family: int) -> None:
    """A foreign and our route of one key, there before the dump; the foreign one is replaced."""
    prefix = PREFIX[family]
    do(ignoring, f"-{family} route add {prefix} proto 4 {via(family, 1)}")
    verb = "append" if family == 4 else "add"
    key = "" if family == 4 else " metric 2000"
    do(ignoring, f"-{family} route {verb} {prefix} {OWN} {via(family, 0)}{key}")
    resynchronise(ignoring)
    vpp_has(ignoring, prefix, [hop(family, 0)])
    do(ignoring, f"-{family} route replace {prefix} proto 4 {via(family, 2)}")
    vpp_has(ignoring, prefix, [hop(family, 0)])
    do(ignoring, f"-{family} route replace {prefix} {OWN} {via(family, 2)}")
    vpp_has(ignoring, prefix, [hop(family, 2)])
    do(ignoring, f"-{family} route del {prefix} {OWN} {via(family, 2)}")
    vpp_has(ignoring, prefix, [hop(family, 0)])
