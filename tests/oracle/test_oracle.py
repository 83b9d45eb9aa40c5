"""Random sequences from seeds; `make oracle SEEDS=1-500` tries more."""

from __future__ import annotations

import os

import pytest

from .runner import check_seed

pytestmark = [pytest.mark.root, pytest.mark.timeout(900)]

OPERATIONS = 150
COMPAT = ("net.ipv4.nexthop_compat_mode=1",)
PLAIN = ("net.ipv4.nexthop_compat_mode=0", "net.ipv6.route.skip_notify_on_dev_down=1")


def seeds() -> range:
    """Those of ``ORACLE_SEEDS`` (FIRST-LAST), by default enough for 3,000 operations."""
    first, _, last = os.environ.get("ORACLE_SEEDS", "1-20").partition("-")
    return range(int(first), int(last or first) + 1)


@pytest.mark.parametrize("seed", seeds())
def test_table_and_vpp_say_what_the_kernel_does(seed: int) -> None:
    """With both ways in which the kernel tells of next-hop objects and of links that go down."""
    assert check_seed(seed, OPERATIONS, COMPAT if seed % 2 else PLAIN) == OPERATIONS
