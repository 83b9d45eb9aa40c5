"""Reloads of a daemon that holds many routes: each has a table of its own, and new threads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.running import RunningDaemon, running_daemon
from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp

from .size import Figures, sized

pytestmark = [pytest.mark.root, pytest.mark.timeout(900)]

COUNT = sized(200_000, 1_000_000)
RELOADS = 8

SLACK = 5
"""MiB. It grew by twice as much where the C library kept what was freed, by ten times as much where
old tables were kept alive, and by more with each further reload."""

CONFIG = """
[kernel]
namespace = "{kernel}"
[vpp]
api_socket = "{socket}"
max_in_flight = {max_in_flight}
[vpp.interfaces]
map = {{ f0 = "loop0" }}
"""


def resident(daemon: RunningDaemon) -> float:
    """The daemon's memory, MiB."""
    lines = Path(f"/proc/{daemon.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def in_sync(daemon: RunningDaemon) -> None:
    """Waits for all routes."""

    def whole(status: dict[str, object]) -> bool:
        return bool(status["in_sync"]) and status["prefixes"]["ipv4"]["installed"] == COUNT  # type: ignore[index]

    wait_until(daemon.status, 300, "all is in VPP", accept=whole, interval=0.2)


def test_memory_does_not_grow(
    make_namespace: Callable[[str], Namespace],
    simulator: SimulatedVpp,
    tmp_path: Path,
    figures: Figures,
) -> None:
    """One table at a time is all that there is memory for."""
    kernel = make_namespace("reloads")
    kernel.add_link("f0", "10.0.0.1/24")
    ip_batch(
        kernel,
        (
            f"route add {20 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.0/24 via 10.0.0.2 proto 12"
            for n in range(COUNT)
        ),
    )
    config = tmp_path / "bulk.toml"

    def write(max_in_flight: int) -> None:
        config.write_text(
            CONFIG.format(kernel=kernel.path, socket=simulator.socket, max_in_flight=max_in_flight)
        )

    write(64)
    with running_daemon(tmp_path / "d.log", "--config", str(config)) as daemon:
        daemon.wait_listening()
        in_sync(daemon)
        sizes = [resident(daemon)]
        for number in range(RELOADS):
            write(65 + number)
            daemon.ask("reload")
            in_sync(daemon)
            sizes.append(resident(daemon))
    figures(f"{COUNT:,} routes, MiB by reload: {' '.join(f'{size:.1f}' for size in sizes)}")
    assert max(sizes) <= sizes[0] + SLACK
