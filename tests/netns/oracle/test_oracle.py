"""Random sequences from seeds; `make oracle SEEDS=1-500` tries more."""

from __future__ import annotations

import os

import pytest

from .forwarder import real
from .more_operations import COMPAT, PLAIN, VARIANTS, Variant
from .runner import check_seed, run

pytestmark = [pytest.mark.root, pytest.mark.timeout(900)]

OPERATIONS = int(os.environ.get("ORACLE_OPERATIONS", "150"))
"""Of each seed."""

TOGETHER = 60
"""Operations before all are compared, where they come in long series."""


def seeds() -> range:
    """Those of ``ORACLE_SEEDS`` (FIRST-LAST), by default three of each variant."""
    first, _, last = os.environ.get("ORACLE_SEEDS", f"1-{3 * len(VARIANTS)}").partition("-")
    return range(int(first), int(last or first) + 1)


@pytest.mark.parametrize("seed", seeds())
def test_table_and_vpp_say_what_the_kernel_does(seed: int) -> None:
    """Each seed has a variant of its own (`more_operations.VARIANTS`)."""
    assert check_seed(seed, OPERATIONS) == OPERATIONS


@pytest.mark.parametrize("seed", [seed for seed in seeds() if seed <= len(VARIANTS)])
def test_long_series_of_changes_beside_the_dumps_do_too(seed: int) -> None:
    """Nothing is awaited within them: dumps begin in the middle of it."""
    assert check_seed(seed, OPERATIONS, together=TOGETHER) == OPERATIONS


@pytest.mark.vpp
@pytest.mark.parametrize("seed", [seed for seed in seeds() if seed <= len(VARIANTS)])
def test_a_real_vpp_does_too(seed: int) -> None:
    assert check_seed(seed, OPERATIONS, real) == OPERATIONS


FOUND = {
    "a dead next hop of the first of two": (
        (
            "-4 route prepend 198.18.0.0/24 table 254 proto 4 "
            "nexthop via 10.7.1.3 dev o1 nexthop via 10.7.0.3 dev o0"
        ),
        "-4 route append 198.18.0.0/24 table 254 proto 12 via 10.7.2.4 dev o2",
        "addr del 10.7.0.1/24 dev o0",
    ),
    "the order of merged next hops": (
        (
            "-6 route replace 2001:db8:1::/48 metric 1024 table 1000 proto 12 "
            "nexthop via fd07:0::3 dev o0 nexthop via fd07:0::2 dev o0 onlink"
        ),
        "-6 route append 2001:db8:1::/48 metric 1024 table 1000 proto 4 via fd07:1::3 dev o1",
    ),
    "a route between merged ones": (
        "-6 route append fd07:1::/64 table 254 proto 12 via fd07:2::2 dev o2 onlink",
        "-6 route append prohibit fd07:1::/64 table 254 proto 12",
        "-6 route append fd07:1::/64 metric 1024 table 254 proto 12 via fd07:2::3 dev o2",
        "-6 route del fd07:1::/64 table 254 proto 12 via fd07:2::2 dev o2 onlink",
        "-6 route del fd07:1::/64 table 254 proto 12 via fd07:2::3 dev o2",
    ),
    "an order that only a dump tells": (
        "-6 route add 2001:db8:2::/48 table 254 proto 12 via fd07:1::3 dev o1",
        "-6 route append blackhole 2001:db8:2::/48 table 254 proto 12",
        "-6 route append 2001:db8:2::/48 table 254 proto 12 via fd07:2::2 dev o2",
        "link del o1",
    ),
    "the first next hop of a merged route": (
        "-6 route add 2001:db8:1::/48 table 254 proto 12 via fd07:1::2 dev o1",
        "-6 route append throw 2001:db8:1::/48 table 254 proto 12",
        "-6 route append 2001:db8:1::/48 table 254 proto 12 via fd07:2::2 dev o2",
        "-6 route del 2001:db8:1::/48 table 254 via fd07:1::2 dev o1",
    ),
    "a route that loses a leg in a table that no lookup reaches": (
        "-6 route append 2001:db8::/32 metric 10 table 1000 proto 12 via fd07:2::3 dev o2",
        "-6 route append 2001:db8::/32 metric 10 table 1000 proto 12 via fe80::4 dev o1",
        "link del o1",
    ),
    "an object replaced under the second of two": (
        "-6 nexthop replace id 11 via fe80::4 dev o1",
        "-6 nexthop replace id 13 via fe80::4 dev o0",
        "-6 route replace 2001:db8:2::/48 metric 1024 table 254 proto 12 nhid 11",
        "-6 route prepend 2001:db8:2::/48 table 254 proto 12 nhid 13",
        "-6 nexthop replace id 13 via fd07:1::2 dev o1",
    ),
    "a replacement of what had gone in silence": (
        "-4 route add 198.18.0.0/24 table 254 proto 12 via 10.7.0.4 dev o0",
        "-4 route append 198.18.0.0/24 table 254 proto 4 via 10.7.1.2 dev o1",
        "addr flush dev o0",
        "-4 route replace 198.18.0.0/24 table 254 proto 12 via 10.7.2.3 dev o2",
    ),
    "a route that goes while its first next hop is dead": (
        (
            "-4 route add 198.18.0.0/16 table 254 proto 12 "
            "nexthop via 10.7.0.4 dev o0 weight 3 nexthop via 10.7.1.3 dev o1"
        ),
        "quiet",
        "link set o0 down",
        "quiet",
        "-4 route del 198.18.0.0/16",
    ),
    "a next hop appended behind an advertised route": (
        "-6 route replace 2001:db8:2::1/128 metric 1024 table 254 proto 12 via fe80::4 dev o2",
        "ra o2 fe80::99 1800 medium 2001:db8:2::1/128 high",
        "quiet",
        "-6 route append 2001:db8:2::1/128 metric 1024 table 254 proto 12 via fd07:2::2 dev o2",
    ),
    "merged routes of two preferences": (
        "-6 route prepend 2001:db8:1::/48 metric 1024 table 254 proto 4 via fd07:1::3 dev o1",
        (
            "-6 route append 2001:db8:1::/48 metric 1024 table 254 proto 12 pref low "
            "via fd07:1::2 dev o1"
        ),
        "-6 route append 2001:db8:1::/48 metric 1024 table 254 proto 12 dev o2",
    ),
    "a blackhole object behind a blackhole": (
        "-6 route replace blackhole 2001:db8:1::/48 metric 1024 table 254 proto 186",
        "-6 nexthop replace id 12 blackhole",
        "-6 route prepend 2001:db8:1::/48 table 254 proto 12 nhid 12",
    ),
    "a group whose member another route uses": (
        "-6 nexthop replace id 11 via fe80::4 dev o1",
        "-6 route replace 2001:db8::/32 metric 1024 table 254 proto 4 nhid 11",
        "nexthop replace id 113 group 11,2 type resilient buckets 8",
        "-6 route replace 2001:db8:2::/48 table 254 proto 12 pref high nhid 113",
    ),
    "the order of advertisements of another preference": (
        "ra o0 fe80::99 1800 high",
        "ra o0 fe80::4 1800 high",
        "ra o1 fe80::4 1800 high",
        "ra o1 fe80::99 1800 high",
        "quiet",
        "ra o1 fe80::4 1800 medium",
        "ra o0 fe80::4 1800 low",
    ),
    "a leg that goes with its link": (
        (
            "-6 route add 2001:db8:1::/48 table 1000 proto 12 "
            "nexthop via fd07:0::2 dev o0 nexthop via fd07:1::3 dev o1"
        ),
        "quiet",
        "link del o0",
    ),
    "a lifetime given anew after its end": (
        "-6 route add 2001:db8:1::/48 metric 1024 proto 12 expires 1 via fe80::99 dev o1 onlink",
        "expire",
        "quiet",
        "-6 route append 2001:db8:1::/48 metric 1024 proto 12 expires 9 via fe80::99 dev o1 onlink",
    ),
    "a type of service beside an encapsulation": (
        "-4 route add 0.0.0.0/0 table 254 proto 12 via 10.7.1.4 dev o1",
        (
            "-4 route prepend 0.0.0.0/0 tos 8 table 254 proto 12 "
            "encap ip id 7 dst 10.7.0.9 via 10.7.2.4 dev o2 onlink"
        ),
    ),
    "a replacement of what a merged route hid from the start": (
        "stop",
        "-6 route add 2001:db8:1::/48 table 254 proto 12 via fd07:0::2 dev o0",
        "-6 route append prohibit 2001:db8:1::/48 table 254 proto 12",
        "-6 route append 2001:db8:1::/48 table 254 proto 12 via fd07:1::2 dev o1",
        "quiet",
        "-6 route replace blackhole 2001:db8:1::/48 table 254 proto 12",
        "-6 route del 2001:db8:1::/48 table 254 via fd07:1::2 dev o1",
    ),
    "an object that went with the carrier comes again elsewhere (IPv4)": (
        "-4 nexthop replace id 1 via 10.7.0.4 dev o0",
        "-4 route append 10.7.1.0/24 metric 20 table 254 proto 12 nhid 1",
        "quiet",
        "link set o0p down; -4 nexthop replace id 1 via 10.7.2.4 dev o2",
    ),
    "an object that went with the carrier comes again elsewhere (IPv6)": (
        "-6 nexthop replace id 11 via fe80::4 dev o0",
        "-6 route append 2001:db8:1::/48 table 254 proto 12 nhid 11",
        "quiet",
        "link set o0p down; -6 nexthop replace id 11 via fd07:2::2 dev o2",
    ),
    "a member that went with the carrier comes again elsewhere": (
        "-4 nexthop replace id 1 via 10.7.0.4 dev o0",
        "-4 nexthop replace id 2 via 10.7.1.4 dev o1",
        "nexthop replace id 100 group 1/2",
        "-4 route append 198.18.0.0/24 table 254 proto 12 nhid 100",
        "quiet",
        "link set o0p down; -4 nexthop replace id 1 via 10.7.2.4 dev o2",
    ),
    "a replacement by an equal of what follows": (
        "-6 nexthop replace id 11 via fd07:2::2 dev o2",
        "-6 route replace unreachable 2001:db8::/32 metric 1024 table 254 proto 12",
        "-6 route prepend 2001:db8::/32 table 254 proto 12 nhid 11",
        "-6 route replace 2001:db8::/32 table 254 proto 12 nhid 11",
        "link set lo down",
        "quiet",
        "-6 route del 2001:db8::/32 table 254",
    ),
    "a route beside an advertised one by the same router": (
        "-6 route replace ::/0 table 254 proto 12 expires 2 via fd07:1::3 dev o1",
        "ra o0 fe80::4 1800 medium 2001:db8:2::/48 medium",
        "-6 route change ::/0 table 254 proto 12 via fe80::4 dev o0",
        "restart",
    ),
    "merged routes of two protocols": (
        "-6 route replace 2001:db8:2::/48 table 254 proto 12 via fd07:1::3 dev o1",
        "-6 route append 2001:db8:2::/48 table 254 proto 4 via fd07:2::2 dev o2",
        "-6 route flush table 254 proto 12",
    ),
}
"""Sequences that once led to a difference."""


@pytest.mark.parametrize("sysctls", [COMPAT, PLAIN], ids=["compat", "plain"])
@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_once_is_right(name: str, sysctls: tuple[str, ...]) -> None:
    """They stay that way."""
    assert run(FOUND[name], Variant("usual", sysctls)) is None
