"""Metrics that are 0 while all is well, each with what makes it count."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.test_metrics import scraper_of
from e2e.world import MIRRORED, kernel_of, reflecting, route
from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp

pytestmark = pytest.mark.root

CONFIG = """
[kernel]
receive_buffer = "64 KiB"
deny = ["70.0.0.0/8"]
[vpp]
audit_interval = 0.3
[metrics]
address = "127.0.0.1:0"
"""


@pytest.fixture
def kernel(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """With all sorts of routes."""
    return kernel_of(make_namespace)


@pytest.fixture
def config(tmp_path: Path) -> tuple[str, str]:
    """The option that names it."""
    file = tmp_path / "trouble.toml"
    file.write_text(CONFIG)
    return "--config", str(file)


def test_what_is_lost_and_left_out_is_counted(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path, config: tuple[str, str]
) -> None:
    """Overruns, drops and the resyncs that they cost; prefixes that the lists leave out."""
    with reflecting(kernel, simulator, tmp_path / "d.log", *config) as daemon:
        scraper = scraper_of(daemon)
        for name in ("kernel_overruns_total", "kernel_dropped_messages_total"):
            assert scraper.value(name) == 0, name
        # While it does not read, the kernel's messages fill the buffer, for certain.
        daemon.process.send_signal(signal.SIGSTOP)
        ip_batch(kernel, [f"route add 11.0.{n}.0/24 via 10.0.0.2 proto 12" for n in range(250)])
        ip_batch(kernel, [f"route del 11.0.{n}.0/24 proto 12" for n in range(250)])
        daemon.process.send_signal(signal.SIGCONT)
        wait_until(lambda: scraper.value("kernel_overruns_total"), 30, "counted")
        wait_until(lambda: scraper.value("kernel_dropped_messages_total"), 30, "counted")
        wait_until(
            lambda: scraper.value("kernel_resync_duration_seconds_count", reason="overrun"),
            30,
            "a resync follows",
        )
        wait_until(simulator.routes, 30, "as before", accept=lambda s: len(s) == MIRRORED)
        ip_batch(kernel, ["route add 70.0.0.0/24 via 10.0.0.2 proto 12"])
        wait_until(
            lambda: scraper.value("kernel_skipped_messages_total", reason="prefix_lists"),
            30,
            "left out",
        )


def test_other_writers_and_missing_interfaces_are_counted(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path, config: tuple[str, str]
) -> None:
    """A prefix that VPP forwards by another's route; an interface that it does not have."""
    arguments = (*config, "--interface", "g0=nothing")
    with reflecting(kernel, simulator, tmp_path / "d.log", *arguments) as daemon:
        scraper = scraper_of(daemon)
        assert scraper.value("vpp_missing_interfaces") == 1
        assert scraper.value("vpp_overridden_prefixes") == 0
        simulator.add_foreign_route(route(3))
        wait_until(
            lambda: scraper.value("vpp_overridden_prefixes"), 30, "seen", accept=lambda n: n == 1
        )
        simulator.remove_foreign_route(route(3))
        wait_until(
            lambda: scraper.value("vpp_overridden_prefixes"), 30, "gone", accept=lambda n: n == 0
        )
