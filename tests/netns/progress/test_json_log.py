"""What the compiled module logs has fields where the log is JSON, and is a sentence else."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from daemon.running import RunningDaemon, running_daemon
from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp, wait_routes

ROUTES = 5
LIMIT = 2
MANY = 500
SMALL = 64 << 10
"""Bytes of a receive buffer: the smallest that is allowed, for about 150 routes."""


@contextmanager
def logging_daemon(
    kernel: Namespace, simulator: SimulatedVpp, directory: Path, form: str, setting: str
) -> Iterator[RunningDaemon]:
    """A daemon with this form of log and this line of its section ``kernel``."""
    config = directory / "log.toml"
    config.write_text(
        f'[log]\nformat = "{form}"\n[kernel]\n{setting}\n[vpp.interfaces]\nmap = {{ f0 = 1 }}\n'
    )
    arguments = ("--config", str(config), "--socket", str(simulator.socket))
    with running_daemon(directory / "d.log", *arguments, namespace=kernel) as daemon:
        yield daemon


@pytest.mark.root
@pytest.mark.parametrize("form", ["text", "json"])
def test_records_of_the_compiled_module(
    make_namespace: Callable[[str], Namespace],
    simulator: SimulatedVpp,
    tmp_path: Path,
    form: str,
) -> None:
    kernel = make_namespace("json")
    kernel.add_link("f0", "10.0.0.1/24")
    ip_batch(
        kernel, [f"route add 11.0.{n}.0/24 via 10.0.0.2 dev f0 proto 12" for n in range(ROUTES)]
    )
    with logging_daemon(kernel, simulator, tmp_path, form, f"max_routes = {LIMIT}") as daemon:
        wait_routes(simulator, LIMIT, timeout=60)
        assert daemon.end() == 0
        log = daemon.log()
    if form == "text":
        assert "prefixes are more than kernel.max_routes (2): VPP keeps" in log
        assert "max_routes=" not in log
        return
    records = [json.loads(line) for line in log.splitlines()]
    native = [one for one in records if one["logger"].startswith("bgpreflector.engine")]
    (exceeded,) = [one for one in native if one["event"] == "limit exceeded"]
    assert exceeded["prefixes"] > LIMIT
    assert (exceeded["max_routes"], exceeded["action"]) == (LIMIT, "refuse")
    (buffer,) = [one for one in native if one["event"] == "receive buffer"]
    assert buffer["granted_bytes"] > 0
    assert not [one for one in native if len(one["event"]) > len("message not from the kernel")]


@pytest.mark.root
@pytest.mark.parametrize("form", ["text", "json"])
def test_lost_notifications(
    make_namespace: Callable[[str], Namespace],
    simulator: SimulatedVpp,
    tmp_path: Path,
    form: str,
) -> None:
    """A warning for each overrun, whatever number the kernel drops; ``status`` has that."""
    kernel = make_namespace("lost")
    kernel.add_link("f0", "10.0.0.1/24")
    with logging_daemon(kernel, simulator, tmp_path, form, f"receive_buffer = {SMALL}") as daemon:
        daemon.wait_in_sync(60)
        # As one that gets no processor while the kernel's routes change.
        daemon.process.send_signal(signal.SIGSTOP)
        lines = (f"route add 11.{n >> 8}.{n & 255}.0/24 via 10.0.0.2 proto 12" for n in range(MANY))
        ip_batch(kernel, lines)
        daemon.process.send_signal(signal.SIGCONT)
        wait_routes(simulator, MANY, timeout=60)
        # A resync counts at its end, which comes after its last route.
        counted = lambda: daemon.status()["kernel"]  # noqa: E731
        seen = wait_until(
            counted, 60, "the resync", accept=lambda now: now["resyncs"]["overrun"]["count"]
        )
        assert daemon.end() == 0
        log = daemon.log()
    resyncs = seen["resyncs"]["overrun"]["count"]
    assert (seen["overruns"], seen["drops"] > 0, resyncs) == (1, True, 1)
    sentence = "the kernel dropped notifications (overrun); dumping its routes again"
    if form == "text":
        assert log.count(sentence) == 1
        assert "overruns_in_a_row=" not in log
        return
    records = [json.loads(line) for line in log.splitlines()]
    (overrun,) = [one for one in records if one["event"] == "overrun"]
    assert (overrun["level"], overrun["overruns_in_a_row"]) == ("warning", 1)
    assert overrun["logger"].startswith("bgpreflector.engine")
    (small,) = [one for one in records if one["event"] == "receive buffer"]
    assert small["granted_bytes"] == 2 * SMALL
