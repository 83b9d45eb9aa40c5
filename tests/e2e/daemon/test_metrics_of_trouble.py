"""Metrics that are 0 while all is well, each with what makes it count."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import pytest

from bgpreflector.control import ControlClient
from daemon.test_metrics import scraper_of
from daemon.world import MIRRORED, reflecting, route
from lab import Namespace, again_and_again, ip_batch, wait_until
from lab.vpp import SimulatedVpp, wait_routes

pytestmark = pytest.mark.root

CONFIG = """
[kernel]
receive_buffer = "64 KiB"
deny = ["70.0.0.0/8"]
audit_interval = 0.3
[vpp]
audit_interval = 0.3
[metrics]
address = "127.0.0.1:0"
"""


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
        scraper.wait("kernel_overruns_total")
        scraper.wait("kernel_dropped_messages_total")
        scraper.wait("kernel_resync_duration_seconds_count", reason="overrun")
        wait_routes(simulator, MIRRORED)
        ip_batch(kernel, ["route add 70.0.0.0/24 via 10.0.0.2 proto 12"])
        scraper.wait("kernel_skipped_messages_total", reason="prefix_lists")


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
        scraper.wait("vpp_overridden_prefixes", 1)
        simulator.remove_foreign_route(route(3))
        scraper.wait("vpp_overridden_prefixes", 0)


def test_what_goes_without_a_message_is_drift(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path, config: tuple[str, str]
) -> None:
    """Where notifications about links are off, IPv6 is disabled on a link without a message."""
    kernel.ip("link", "add", "h0", "type", "veth", "peer", "name", "h0p")
    # Without an address there is none whose end would tell.
    kernel.ip("link", "set", "h0", "addrgenmode", "none")
    kernel.ip("link", "set", "h0p", "up")
    kernel.ip("link", "set", "h0", "up")
    kernel.sysctl("ipv6/route/skip_notify_on_dev_down", 1)
    arguments = (*config, "--interface", "h0=loop1")
    with reflecting(kernel, simulator, tmp_path / "d.log", *arguments) as daemon:
        scraper = scraper_of(daemon)
        gone = [f"2001:db8:f{n:03x}::/48" for n in range(5)]
        ip_batch(kernel, [f"route add {prefix} dev h0 proto 12" for prefix in gone])
        wait_routes(simulator, MIRRORED + len(gone))
        assert scraper.value("kernel_drift_total", kind="stale") == 0
        withdrawn = scraper.value("kernel_messages_total", type="del_route")
        kernel.sysctl("ipv6/conf/h0/disable_ipv6", 1)
        wait_routes(simulator, MIRRORED)
        # Counted only once a notification had time to explain it.
        scraper.wait("kernel_drift_total", len(gone), kind="stale")
        assert scraper.value("kernel_messages_total", type="del_route") == withdrawn
        for prefix in gone:
            assert f"stale {prefix}" in daemon.log()


def test_a_withdrawal_of_what_is_gone_is_an_anomaly(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path, config: tuple[str, str]
) -> None:
    """With a next-hop object its routes go, and of those of IPv6 the kernel tells once more."""
    with reflecting(kernel, simulator, tmp_path / "d.log", *config) as daemon:
        scraper = scraper_of(daemon)
        prefix = "2001:db8:f000::/48"
        ip_batch(kernel, ["nexthop add id 7 via fd00::2 dev f0"])
        ip_batch(kernel, [f"route add {prefix} nhid 7 proto 12"])
        wait_until(simulator.routes, 30, "there", accept=lambda seen: prefix in seen)
        assert scraper.value("kernel_anomalies_total", kind="unknown_withdrawals") == 0
        kernel.ip("nexthop", "del", "id", "7")
        scraper.wait("kernel_anomalies_total", 1, kind="unknown_withdrawals")
        wait_until(simulator.routes, 30, "gone", accept=lambda seen: prefix not in seen)


def several_a_key(kernel: Namespace) -> None:
    """Several routes of one key come, and go one right after the other."""
    protocols, keys = (12, 13, 14), range(200)
    ip_batch(
        kernel,
        [
            f"route append 11.0.{n}.0/24 via 10.0.0.{protocol} proto {protocol}"
            for n in keys
            for protocol in protocols
        ]
        + [f"route del 11.0.{n}.0/24 proto {protocol}" for n in keys for protocol in protocols],
    )


def test_a_dump_beside_changes_is_an_anomaly(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """Where it says something else than a notification meanwhile; and all is repaired."""
    file = tmp_path / "enough.toml"
    # A dump shows routes of which two have gone since, and both withdrawals are known by then.
    file.write_text(CONFIG.replace("64 KiB", "8 MiB"))
    with reflecting(kernel, simulator, tmp_path / "d.log", "--config", str(file)) as daemon:
        scraper = scraper_of(daemon)
        assert scraper.value("kernel_anomalies_total", kind="uncertain_dump_routes") == 0
        churn = again_and_again(lambda _: several_a_key(kernel))
        with churn, ControlClient(daemon.control, timeout=60) as client:

            def resynchronised() -> float:
                assert client.ask("resync").end
                return scraper.value("kernel_anomalies_total", kind="uncertain_dump_routes")

            wait_until(resynchronised, 60, "counted")
        wait_routes(simulator, MIRRORED)


def test_what_waits_behind_a_slow_vpp_is_queued(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path, config: tuple[str, str]
) -> None:
    """Two resyncs behind changes that VPP does not answer; each is answered in the end."""
    with reflecting(kernel, simulator, tmp_path / "d.log", *config) as daemon:
        scraper = scraper_of(daemon)
        assert scraper.value("queued_events") == 0
        ends: list[object] = []

        def resynchronise() -> None:
            with ControlClient(daemon.control, timeout=60) as client:
                ends.append(client.ask("resync").end)

        simulator.hang()
        ip_batch(kernel, [f"route del {route(3)} proto 12"])
        clients = [threading.Thread(target=resynchronise) for _ in range(2)]
        for client in clients:
            client.start()
        scraper.wait("queued_events")
        simulator.resume()
        for client in clients:
            client.join()
        assert len(ends) == 2
        scraper.wait("queued_events", 0)
        wait_routes(simulator, MIRRORED - 1)
