"""What the kernel chooses by among several routes of one prefix: `ip route get … fibmatch` says."""

from __future__ import annotations

import pytest

from bgpreflector import _core
from lab import wait_until

from .following import desired, following
from .two_links import (
    ADDRESS,
    LINKS,
    PREFIX,
    RTPROT_RA,
    SIDE,
    TIMEOUT,
    UPLINK,
    VIA_SIDE,
    VIA_UPLINK,
    TwoLinks,
    mirrored,
)

pytestmark = pytest.mark.root


def next_hop_counts(engine: _core.Engine, prefix: str, expected: list[int]) -> None:
    """Waits until the prefix has routes of so many next hops, in the kernel's order."""
    wait_until(
        lambda: [len(view.next_hops) for view in engine.routes_of(254, prefix)],
        TIMEOUT,
        f"next hops of {prefix}",
        accept=lambda seen: seen == expected,
    )


def protocols(engine: _core.Engine, prefix: str, expected: list[int]) -> None:
    """Waits until the prefix has routes of these protocols, in the kernel's order."""
    wait_until(
        lambda: [view.protocol for view in engine.routes_of(254, prefix)],
        TIMEOUT,
        f"protocols of {prefix}",
        accept=lambda seen: seen == expected,
    )


def test_an_advertised_route_is_not_merged_with_ours(two_links: TwoLinks) -> None:
    """The kernel keeps what a router advertisement says apart (RTF_ADDRCONF), behind ours."""
    two_links.ip("-6 route add default via fd00::2 dev uplink metric 1024 proto 12")
    with following(two_links.router, interfaces=LINKS) as engine:
        mirrored(engine, "::/0", [VIA_UPLINK])
        two_links.advertise(1800)
        two_links.await_routes("default", 2)
        engine.resync()
        assert two_links.forwards_by("::/0") == UPLINK
        assert [view.protocol for view in engine.routes_of(254, "::/0")] == [12, RTPROT_RA]
        mirrored(engine, "::/0", [VIA_UPLINK])
        with following(two_links.router, interfaces=LINKS) as restarted:
            mirrored(restarted, "::/0", [VIA_UPLINK])
        two_links.advertise(0)
        two_links.await_routes("default", 1)
        two_links.ip("-6 route add 2001:db8:1::/48 via fd00::2 dev uplink proto 12")
        mirrored(engine, PREFIX, [VIA_UPLINK])
        assert [view.protocol for view in engine.routes_of(254, "::/0")] == [12]
        mirrored(engine, "::/0", [VIA_UPLINK])


def test_an_advertised_route_that_came_first_hides_ours(two_links: TwoLinks) -> None:
    """Ours forwards once the advertisement is withdrawn; the audit finds nothing to mend."""
    two_links.advertise(1800)
    two_links.await_routes("default", 1)
    with following(two_links.router, interfaces=LINKS) as engine:
        two_links.ip("-6 route append default via fd00::2 dev uplink metric 1024 proto 12")
        two_links.await_kernel("::/0", SIDE)
        protocols(engine, "::/0", [RTPROT_RA, 12])
        mirrored(engine, "::/0", None)
        assert engine.audit().drifted == []
        two_links.advertise(0)
        two_links.await_kernel("::/0", UPLINK)
        mirrored(engine, "::/0", [VIA_UPLINK])
        assert engine.audit().drifted == []


def test_an_advertised_router_of_a_higher_preference_forwards(two_links: TwoLinks) -> None:
    """RFC 4191 decides between routes of one metric, whichever was first."""
    two_links.ip("-6 route add default via fd00::2 dev uplink metric 1024 proto 12")
    with following(two_links.router, interfaces=LINKS) as engine:
        mirrored(engine, "::/0", [VIA_UPLINK])
        two_links.advertise(1800, preference="high")
        two_links.await_kernel("::/0", SIDE)
        mirrored(engine, "::/0", None)
        two_links.advertise(0)
        mirrored(engine, "::/0", [VIA_UPLINK])


def test_routes_that_a_daemon_says_are_advertised_are_merged(two_links: TwoLinks) -> None:
    """It is the flag that counts for the kernel, not the protocol."""
    two_links.ip("-6 route add 2001:db8:1::/48 via fd00:9::2 dev side metric 1024 proto ra")
    with following(two_links.router, interfaces=LINKS) as engine:
        two_links.ip("-6 route append 2001:db8:1::/48 via fd00::2 dev uplink metric 1024 proto 12")
        next_hop_counts(engine, PREFIX, [2])
        assert engine.audit().drifted == []
        two_links.ip("-6 route del 2001:db8:1::/48 via fd00::2 dev uplink")
        next_hop_counts(engine, PREFIX, [1])
        # The kernel replaces the route of the daemon, which it would not were it advertised.
        two_links.ip(
            "-6 route append 2001:db8:1::/48 dev uplink metric 1024 proto 4",
            "-6 route replace 2001:db8:1::/48 via fd00::2 dev uplink metric 1024 proto 12",
        )
        protocols(engine, PREFIX, [12, 4])
        mirrored(engine, PREFIX, [VIA_UPLINK])
        assert engine.audit().drifted == []


def test_beyond_the_first_metric_the_preference_decides_alone(two_links: TwoLinks) -> None:
    """Where none of the first metric can be used the kernel compares all others together."""
    two_links.ip(
        f"-6 route add {PREFIX} via fd00:9::3 dev side metric 10 proto 12 expires 2",
        f"-6 route add {PREFIX} dev uplink metric 20 proto 12 pref low",
        f"-6 route add {PREFIX} via fd00:9::2 dev side metric 30 proto 12 pref high",
    )
    with following(two_links.router, interfaces=LINKS) as engine:
        wait_until(
            lambda: two_links.router.ip("-6", "route", "get", ADDRESS[PREFIX], "fibmatch"),
            TIMEOUT,
            "the first expires",
            accept=lambda shown: "metric 30" in shown,
        )
        mirrored(engine, PREFIX, [VIA_SIDE])
        two_links.ip(f"-6 route del {PREFIX} metric 30")
        two_links.await_kernel(PREFIX, UPLINK)
        mirrored(engine, PREFIX, ["attached sw_if_index 1"])


def test_a_merged_route_lives_as_long_as_one_of_its_next_hops(two_links: TwoLinks) -> None:
    """Each next hop has a lifetime of its own; the kernel goes on to use the whole."""
    two_links.ip(
        f"-6 route add {PREFIX} via fd00::2 dev uplink proto 12 expires 1",
        f"-6 route append {PREFIX} via fd00:9::2 dev side proto 12",
        "-6 route add 2001:db8:2::/48 via fd00::2 dev uplink proto 12 expires 1",
    )
    with following(two_links.router, interfaces=LINKS) as engine:
        wait_until(
            lambda: desired(engine),
            TIMEOUT,
            "the other one has expired",
            accept=lambda seen: "2001:db8:2::/48" not in seen,
        )
        assert "nexthop" in two_links.router.ip("-6", "route", "get", ADDRESS[PREFIX], "fibmatch")
        assert len(desired(engine)[PREFIX]) == 2
        two_links.ip(f"-6 route del {PREFIX} via fd00::2 dev uplink")
        mirrored(engine, PREFIX, [VIA_SIDE])


def test_a_merged_route_has_the_preference_of_its_first_next_hop(two_links: TwoLinks) -> None:
    """As dumps show it; a notification tells that of the next hop that was added."""
    two_links.ip(f"-6 route add {PREFIX} via fd00::2 dev uplink proto 12")
    with following(two_links.router, interfaces=LINKS) as engine:
        two_links.ip(f"-6 route append {PREFIX} via fd00:9::2 dev side proto 12 pref high")
        next_hop_counts(engine, PREFIX, [2])
        assert engine.audit().drifted == []
        two_links.ip(f"-6 route append {PREFIX} dev side proto 12")
        two_links.await_routes(PREFIX, 2)
        assert engine.audit().drifted == []


def test_a_blackhole_object_ends_the_search(two_links: TwoLinks) -> None:
    """Behind others of its metric it is what the kernel forwards by nevertheless."""
    two_links.ip(
        "-6 nexthop add id 7 blackhole",
        f"-6 route add {PREFIX} dev uplink metric 10 proto 12 pref high",
        f"-6 route append {PREFIX} nhid 7 metric 10 proto 12",
    )
    with following(two_links.router, interfaces=LINKS) as engine:
        assert len(engine.routes_of(254, PREFIX)) == 2
        two_links.await_kernel(PREFIX, "")
        mirrored(engine, PREFIX, ["drop"])
        two_links.ip("-6 nexthop del id 7")
        two_links.await_kernel(PREFIX, UPLINK)
        mirrored(engine, PREFIX, ["attached sw_if_index 1"])
