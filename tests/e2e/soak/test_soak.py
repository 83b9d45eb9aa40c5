"""Churn, VPP restarts, overruns, reloads, pauses and links that go down, while somebody asks."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import pytest

from daemon.running import running_daemon
from daemon.test_metrics import scraper_of
from daemon.world import make_links
from lab import Namespace, wait_until
from lab.requirements import missing
from lab.vpp import Vpp

from .prober import Prober
from .world import ACTIONS, OFTEN, World, write_config

MINUTES = float(os.environ.get("SOAK_MINUTES", "0"))
"""For all VPPs together; 0 for a round of everything."""

pytestmark = [pytest.mark.root, pytest.mark.timeout(300 + int(MINUTES * 120))]

GROWTH, SLACK = 1.10, 16.0
"""What memory may be at the end: in parts of what it was after the warm-up, and MiB beside that."""


@pytest.fixture
def world(make_namespace: Callable[[str], Namespace], vpp: Vpp, tmp_path: Path) -> Iterator[World]:
    """A daemon in sync with a full table."""
    kernel = make_namespace("soak")
    make_links(kernel)
    config = tmp_path / "soak.toml"
    write_config(config)
    links = [part for link in ("f0", "g0") for part in ("--interface", f"{link}={vpp.interface}")]
    arguments = ("--config", str(config), "--socket", str(vpp.socket), *links)
    with running_daemon(tmp_path / "d.log", *arguments, namespace=kernel) as daemon:
        wait_until(daemon.answers, 30, "it listens")
        made = World(kernel, vpp, daemon, config)
        made.agree()
        yield made


def test_soak(world: World) -> None:
    """No growth of memory, no drift, no request without an answer; prints what there was."""
    kinds = 1 if missing("vpp") else 2
    ends = time.monotonic() + MINUTES * 60 / kinds
    prober = Prober(world.daemon, scraper_of(world.daemon))
    resident: list[float] = []
    began = time.monotonic()
    with prober.asking():
        while len(resident) < 2 or time.monotonic() < ends:
            names = [*ACTIONS, *(OFTEN if MINUTES else OFTEN[:2])]
            world.random.shuffle(names)
            for name in names:
                world.turn(name)
                prober.check()
            world.agree()
            resident.append(world.resident())
    seconds = time.monotonic() - began
    world.keep_figures()
    audited = world.daemon_audit()
    warm = median(resident[: max(1, len(resident) // 5)])
    last = median(resident[-max(1, len(resident) // 5) :])
    lines = [
        f"{type(world.vpp).__name__}: {seconds:.0f} s, {len(resident)} rounds",
        "done: " + _listed(world.done),
        "daemon: " + _listed(world.totals),
        f"asked: {sum(prober.answered.values())} times, all answered",
        f"the slowest answer: {prober.slowest:.2f} s",
        f"resident after the warm-up: {warm:.1f} MiB",
        f"at the end: {last:.1f} MiB; at most: {max(resident):.1f} MiB",
        f"by round: {' '.join(f'{r:.0f}' for r in resident)}",
        f"audit: {audited}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    assert set(world.done) == set(ACTIONS)
    assert world.totals["overruns"] > 0
    assert (world.totals["kernel drift"], world.totals["VPP drift"]) == (0, 0), world.audits()
    assert world.totals["refused requests"] == 0
    assert audited == {"add": 0, "replace": 0, "delete": 0}
    assert "Traceback" not in world.daemon.log()
    assert last <= warm * GROWTH + SLACK


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items()))
