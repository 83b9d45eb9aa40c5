"""Metrics and probes of a running daemon, each metric against the kernel and the embedded VPP."""

from __future__ import annotations

import platform
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bgpreflector.metrics import METRICS
from daemon.running import RunningDaemon, running_daemon
from daemon.world import COUNT, HELD, MIRRORED, reflecting, route
from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp

pytestmark = pytest.mark.root

Values = dict[tuple[str, frozenset[tuple[str, str]]], float]

REFUSED = "30.0.5.0/24"
INVALID_VALUE = -7


class Scraper:
    """What Prometheus and a supervisor's probes do."""

    def __init__(self, base: str) -> None:
        self.base = base

    def get(self, path: str) -> tuple[int, str]:
        """Status code and text."""
        try:
            with urllib.request.urlopen(self.base + path, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def values(self) -> Values:
        """All samples."""
        code, text = self.get("/metrics")
        assert code == 200
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float:
        """One sample, by its name without our prefix."""
        return self.values()[f"bgpreflector_{name}", frozenset(labels.items())]

    def wait(self, name: str, expected: float | None = None, **labels: str) -> None:
        """Waits until a sample has the value; until it is not 0 where none is named."""
        wait_until(
            lambda: self.value(name, **labels),
            30,
            f"{name} as expected",
            accept=lambda seen: seen == expected if expected is not None else bool(seen),
        )


def scraper_of(daemon: RunningDaemon) -> Scraper:
    """Where the daemon says that it listens."""
    found = wait_until(
        lambda: re.search(r"Metrics at (http://\S+)/metrics", daemon.log()), 30, "it listens"
    )
    assert found is not None
    return Scraper(found[1])


@pytest.fixture
def config(tmp_path: Path) -> tuple[str, str]:
    """The option that switches metrics on, at any free port."""
    file = tmp_path / "metrics.toml"
    file.write_text(
        '[metrics]\naddress = "127.0.0.1:0"\n[vpp]\naudit_interval = 0.3\n'
        "[kernel]\nmax_routes = 5000\n"
    )
    return "--config", str(file)


@pytest.fixture
def running(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path, config: tuple[str, str]
) -> Iterator[RunningDaemon]:
    """A daemon in sync."""
    with reflecting(kernel, simulator, tmp_path / "d.log", *config) as daemon:
        yield daemon


@pytest.fixture
def scraper(running: RunningDaemon) -> Scraper:
    """A scraper of the daemon's metrics."""
    return scraper_of(running)


def test_every_metric_is_there(scraper: Scraper) -> None:
    """All that the reference lists, with its help; beside them only the process's own."""
    _, text = scraper.get("/metrics")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    for metric in METRICS:
        family = families[f"bgpreflector_{metric.name}"]
        assert family.type == metric.kind, metric
        assert family.documentation == metric.help
        # The kernel is the source here, and zebra's connection has no figures.
        assert bool(family.samples) != metric.name.startswith("fpm_"), metric
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(metric.labels), sample
    others = {name for name in families if not name.startswith("bgpreflector_")}
    assert others
    assert all(name.startswith(("process_", "python_")) for name in others), others
    assert families["process_resident_memory_bytes"].samples[0].value > 1 << 20
    assert "30.0." not in text, "no label is a prefix"


def test_metrics_agree_with_status_and_vpp(
    scraper: Scraper, running: RunningDaemon, simulator: SimulatedVpp
) -> None:
    """State by state, and the requests one by one."""
    status = running.status()
    values = scraper.values()

    def value(name: str, **labels: str) -> float:
        return values[f"bgpreflector_{name}", frozenset(labels.items())]

    for table in status["tables"]:
        for state, count in table["prefixes"].items():
            labels = {"family": table["family"], "table": "254", "state": state}
            assert value("prefixes", **labels) == count
    assert value("prefixes", family="ipv4", table="254", state="installed") == COUNT + 1
    assert value("prefixes", family="ipv4", table="254", state="held") == HELD - 1
    assert value("held_routes", reason="type_of_service") == 1
    assert value("build_info", version=status["version"], python=platform.python_version()) == 1
    assert value("vpp_info", version=status["vpp"]["version"]) == 1
    for name in ("in_sync", "ready", "kernel_synchronised", "vpp_connected"):
        assert value(name) == 1, name
    for name in ("paused", "dirty_prefixes", "oldest_queued_seconds", "queued_events"):
        assert value(name) == 0, name
    for handler in ("VppMonitor", "bgpreflector"):
        assert value("handler_errors_total", handler=handler) == 0
    for name in ("kernel_overruns_total", "kernel_dropped_messages_total"):
        assert value(name) == 0, name
    assert value("kernel_messages_total", type="new_route") >= 2 * COUNT
    assert value("kernel_skipped_messages_total", reason="prefix_lists") == 0
    assert value("kernel_anomalies_total", kind="unknown_withdrawals") == 0
    assert value("kernel_receive_buffer_bytes") == status["kernel"]["receive_buffer_bytes"]
    assert value("kernel_resync_duration_seconds_count", reason="requested") == 1
    assert value("kernel_resync_duration_seconds_sum", reason="requested") > 0
    assert value("kernel_drift_total", kind="missing") == 0
    assert value("next_hop_sets") == status["next_hop_sets"] > 0
    assert value("path_sets") == status["path_sets"] > 0
    assert value("vpp_overridden_prefixes") == value("vpp_missing_interfaces") == 0
    assert value("max_routes", action="refuse") == 5000
    assert value("max_routes_exceeded") == 0
    requests = simulator.simulator.statistics()
    assert value("vpp_requests_total", operation="add", result="done") == requests["adds"]
    assert value("change_latency_seconds_count") == requests["route_requests"] == MIRRORED
    assert value("change_latency_seconds_bucket", le="+Inf") == MIRRORED
    assert value("change_latency_seconds_sum") > 0


def test_requests_by_operation_and_result(
    scraper: Scraper, running: RunningDaemon, kernel: Namespace, simulator: SimulatedVpp
) -> None:
    """As VPP counts them; and how long the changes took."""
    simulator.fault("fail_prefix", prefix=REFUSED, retval=INVALID_VALUE)
    moved = [f"route replace {route(n)} via 10.0.0.3 proto 12" for n in range(5, 15)]
    ip_batch(kernel, [*moved, *(f"route del {route(n)} proto 12" for n in range(20, 23))])
    wait_until(running.status, 30, "refused", accept=lambda seen: seen["state"] == "rejected")
    scraper.wait("dirty_prefixes", 0)
    counted = simulator.simulator.statistics()
    for operation, done in (("replace", 9), ("delete", 3)):
        value = scraper.value("vpp_requests_total", operation=operation, result="done")
        assert value == counted[f"{operation}s"] == done
    refused = scraper.value("vpp_requests_total", operation="replace", result="refused")
    assert refused == simulator.simulator.statistics()["refused"] >= 1
    assert scraper.value("prefixes", family="ipv4", table="254", state="rejected") == 1
    assert scraper.value("in_sync") == scraper.value("ready") == 0
    assert scraper.value("change_latency_seconds_count") >= MIRRORED + 13


def test_what_audits_find_is_counted(scraper: Scraper, simulator: SimulatedVpp) -> None:
    """By kind."""
    simulator.tamper(route(1), delete=True)
    simulator.tamper("203.0.113.0/24")
    for kind in ("missing", "unexpected"):
        scraper.wait("vpp_drift_total", kind=kind)


def test_a_pause_and_a_loss_are_seen(
    scraper: Scraper, running: RunningDaemon, kernel: Namespace, simulator: SimulatedVpp
) -> None:
    """In the metrics and by the probes: not ready, and alive all the time."""
    assert scraper.get("/-/ready") == (200, "in_sync\n")
    running.ask("pause")
    ip_batch(kernel, [f"route del {route(n)} proto 12" for n in range(30)])
    scraper.wait("dirty_prefixes", 30)
    assert scraper.value("oldest_queued_seconds") > 0
    assert scraper.value("paused") == 1
    assert scraper.get("/-/ready") == (503, "paused\n")
    assert scraper.get("/-/healthy") == (200, "healthy\n")
    running.ask("resume")
    wait_until(lambda: scraper.get("/-/ready")[0], 30, "ready", accept=lambda code: code == 200)
    simulator.close()
    simulator.simulator.stop()
    scraper.wait("vpp_connected", 0)
    assert scraper.get("/-/ready") == (503, "vpp_lost\n")
    assert scraper.get("/-/healthy")[0] == 200


def test_nothing_else_is_served(scraper: Scraper) -> None:
    """And nothing can be changed."""
    assert scraper.get("/other")[0] == 404
    assert scraper.get("/etc/passwd")[0] == 404
    request = urllib.request.Request(scraper.base + "/metrics", method="POST", data=b"x")
    with pytest.raises(urllib.error.HTTPError, match="501"):
        urllib.request.urlopen(request, timeout=30)


def test_an_address_that_is_taken(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """The daemon does not start, and says where and what to do."""
    config = tmp_path / "taken.toml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config.write_text(f'[metrics]\naddress = "127.0.0.1:{port}"\n')
        arguments = ("--config", str(config), "--socket", str(simulator.socket))
        with running_daemon(tmp_path / "d.log", *arguments, namespace=kernel) as daemon:
            assert daemon.process.wait(30) == 1
            assert f"127.0.0.1:{port}" in daemon.log()
            assert "metrics.address" in daemon.log()
            assert "Traceback" not in daemon.log()


def test_nothing_listens_by_default(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """No TCP socket at all."""
    with reflecting(kernel, simulator, tmp_path / "d.log") as daemon:
        inodes = set()
        for path in Path(f"/proc/{daemon.process.pid}/fd").iterdir():
            # A descriptor that is closed meanwhile is no socket that listens.
            with suppress(FileNotFoundError):
                inodes.add(path.readlink().name.removeprefix("socket:[").removesuffix("]"))
        tables = [Path(f"/proc/{daemon.process.pid}/net/{name}") for name in ("tcp", "tcp6", "udp")]
        lines = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
        assert not inodes & {fields[9] for fields in lines}
