"""A daemon that has nothing to do."""

from __future__ import annotations

import time

import pytest

from lab import Namespace
from lab.vpp import SimulatedVpp

from .conftest import Add
from .process import daemon
from .rows import Row, at_most
from .size import ALL, MEASURES

pytestmark = [pytest.mark.root, pytest.mark.timeout(900)]

SECONDS = 30 if MEASURES else 2
KEEPALIVE = 5.0
"""Seconds after which the daemon pings a VPP that has nothing to say: the one timer that is due
in so short a time. A ping wakes its thread twice, to send it and to read the answer."""


def test_idle(plain_kernel: Namespace, simulator: SimulatedVpp, add: Add) -> None:
    """How often its threads wake."""
    with daemon(plain_kernel, simulator, ALL) as process:
        time.sleep(2 * KEEPALIVE if MEASURES else 0.1)
        before = process.wakeups()
        time.sleep(SECONDS)
        after = process.wakeups()
    # A thread of the start may end meanwhile.
    assert after.keys() <= before.keys()
    woken = {name: after[name] - before[name] for name in after if after[name] > before[name]}
    note = ", ".join(f"{name.rpartition('-')[0]} {count}" for name, count in woken.items())
    add(
        Row(
            f"Idle daemon: wake-ups in {SECONDS} s", sum(woken.values()), "",
            "its timers", 2 * SECONDS / KEEPALIVE, target=at_most(2 * SECONDS / KEEPALIVE + 1),
            note=note,
        )
    )  # fmt: skip
