"""What is shown of a sync: to people, and in a log."""

from __future__ import annotations

import io
import logging
import os
import pty
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from bgpreflector.config import Config
from bgpreflector.controller import FullResync
from bgpreflector.daemon.daemon import Daemon
from bgpreflector.daemon.progress import INTERVAL, Bar, LogLines, SyncProgress
from bgpreflector.daemon.report import Requests, StatusReport
from bgpreflector.daemon.status import status_of
from daemon.world import reflecting
from lab import Namespace, ip_batch, wait_until
from lab.command import PROGRAM
from lab.vpp import SimulatedVpp

MANY = 20_000
PROGRESS = "bgpreflector.daemon.progress"


def report(state: str, *, desired: int = 0, installed: int = 0, done: int = 0) -> StatusReport:
    """A status like that of a daemon."""
    daemon = Daemon(Config())
    try:
        made = status_of(daemon)
    finally:
        daemon.stop()
    counts = {"kernel": desired, "desired": desired, "installed": installed}
    prefixes = {"ipv4": {"held": 0, "rejected": 0, "unconfirmed": 0, **counts}}
    return replace(
        made,
        state=state,
        in_sync=state == "in_sync",
        prefixes=prefixes,
        kernel=replace(made.kernel, synchronised=state != "kernel_unread"),
        vpp=replace(made.vpp, requests={"add": Requests(done, 0)}),
    )


def lines_of(
    caplog: pytest.LogCaptureFixture, samples: list[tuple[float, StatusReport]]
) -> list[str]:
    """What is logged if these are seen at these times."""
    caplog.set_level(logging.INFO, PROGRESS)
    progress = SyncProgress(lambda: None, LogLines())
    for now, seen in samples:
        progress.sample(seen, now)
    return [record.message for record in caplog.records if record.name == PROGRESS]


def test_lines_with_counts_rate_and_time_left(caplog: pytest.LogCaptureFixture) -> None:
    """Every few seconds, whatever is looked at in between."""
    samples = [(0.0, report("kernel_unread")), (0.5, report("kernel_unread", desired=50_000))]
    for tenths in range(10, 120):
        done = (tenths - 10) * 1000
        seen = report("synchronising", desired=110_000, installed=done, done=done)
        samples.append((tenths / 10, seen))
    samples.append((12.0, report("in_sync", desired=110_000, installed=110_000, done=110_000)))
    lines = lines_of(caplog, samples)
    assert len(lines) == 2, lines
    for line, done in zip(lines, (40_000, 90_000), strict=True):
        found = re.fullmatch(
            r"Synchronising: ([\d,]+) of 110,000 prefixes, ([\d,]+) a second, (\d+) s left", line
        )
        assert found is not None, line
        shown, rate, left = (int(text.replace(",", "")) for text in found.groups())
        assert shown == done
        assert rate == pytest.approx(10_000, rel=0.01)
        assert left == pytest.approx((110_000 - done) / 10_000, abs=1)


def test_a_vpp_that_is_mute_is_what_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """The kernel is not read before VPP has said what it has."""
    mute = report("kernel_unread")
    with caplog.at_level(logging.INFO):
        progress = SyncProgress(lambda: None, LogLines(0.0))
        progress.sample(mute, 0.0)
    assert "Waiting for VPP at " in caplog.text
    assert mute.vpp.socket in caplog.text
    assert "Reading the kernel" not in caplog.text


def test_a_few_changes_are_not_worth_a_word(caplog: pytest.LogCaptureFixture) -> None:
    """And neither is a daemon that is paused, or has lost VPP."""
    few = [(n * INTERVAL, report("synchronising", desired=999)) for n in range(5)]
    assert lines_of(caplog, few) == []
    for state in ("paused", "vpp_lost"):
        many = [(n * INTERVAL, report(state, desired=9999)) for n in range(5)]
        assert lines_of(caplog, many) == []


def test_a_sample_that_fails_is_not_the_last(caplog: pytest.LogCaptureFixture) -> None:
    """The thread goes on at the next event."""
    looks: list[StatusReport | None] = []

    def look() -> StatusReport | None:
        looks.append(None)
        if len(looks) == 2:
            raise LookupError("what nobody foresaw")
        return None

    progress = SyncProgress(look, LogLines(), waits_for_events=True, poll=0.01)
    progress.start()
    try:
        wait_until(lambda: "cannot be shown" in caplog.text, 30, "it is logged")
        assert len(looks) == 2
        progress.handler.handles_event(FullResync("asked for"))
        wait_until(lambda: len(looks) > 2, 30, "it looks again")
    finally:
        progress.close()


def test_an_interruption(caplog: pytest.LogCaptureFixture) -> None:
    """By a pause or a loss, and by another daemon that counts from the beginning."""
    samples = [
        (0.0, report("synchronising", desired=5000, done=0)),
        (1.0, report("synchronising", desired=5000, installed=2000, done=2000)),
        (2.0, report("vpp_lost", desired=5000, installed=3000, done=3000)),
        (3.0, report("synchronising", desired=5000, installed=3000, done=3000)),
        (4.0, report("synchronising", desired=5000, installed=4500, done=4500)),
        (5.0, report("synchronising", desired=5000, installed=4500, done=0)),
    ]
    assert lines_of(caplog, samples) == [
        "The sync is interrupted: 3,000 prefixes in 2 s",
        "The sync is interrupted: 1,500 prefixes in 1 s",
    ]


def test_a_bar_on_a_terminal() -> None:
    """With the same figures; it goes when all is done."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    progress = SyncProgress(lambda: None, Bar(console))
    for now in range(5):
        seen = report("synchronising", desired=5000, installed=now * 1000, done=now * 1000)
        progress.sample(seen, float(now))
    progress.sample(report("in_sync", desired=5000, installed=5000, done=5000), 5.0)
    assert "4,000 of 5,000 prefixes, 1,000 a second, 1 s left" in screen.getvalue()
    assert screen.getvalue().rstrip().endswith("\x1b[2K")


@pytest.fixture
def kernel(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """With more routes than are in VPP at once."""
    made = make_namespace("progress")
    made.add_link("f0", "10.0.0.1/24")
    prefixes = (f"11.{n >> 8}.{n & 255}.0/24" for n in range(MANY))
    ip_batch(made, [f"route add {prefix} via 10.0.0.2 proto 12" for prefix in prefixes])
    return made


@pytest.mark.root
def test_a_daemon_logs_its_syncs(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """The first one, which a limit slows down so that it takes a while; not one line a route."""
    config = tmp_path / "slow.toml"
    config.write_text("[vpp]\nrate_limit = 3000\n")
    log, arguments = tmp_path / "d.log", ("--config", str(config))
    with reflecting(kernel, simulator, log, *arguments, wait=False) as daemon:
        done = f"{MANY:,} routes added, {MANY:,} through f0 now, in "
        wait_until(daemon.log, 60, "done", accept=lambda log: done in log)
        lines = re.findall(
            r"Synchronising: [\d,]+ of 20,000 prefixes, [\d,]+ a second", daemon.log()
        )
        assert 1 <= len(lines) <= 10
        assert len(daemon.log().splitlines()) < 50


@pytest.mark.root
def test_an_operator_who_asks_for_a_resync_sees_a_bar(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """On a terminal, while the daemon is at it: here as VPP takes its time."""
    config = tmp_path / "slow.toml"
    config.write_text("[vpp]\nrequest_timeout = 300\n")
    log, arguments = tmp_path / "d.log", ("--config", str(config))
    with reflecting(kernel, simulator, log, *arguments, wait=False) as daemon:
        daemon.wait_in_sync(60)
        simulator.hang()
        gone = (f"11.{n >> 8}.{n & 255}.0/24" for n in range(MANY))
        ip_batch(kernel, [f"route del {prefix} proto 12" for prefix in gone])
        ours, theirs = pty.openpty()
        command = [*PROGRAM, "resync", "--control", str(daemon.control)]
        with subprocess.Popen(command, stderr=theirs, stdout=subprocess.PIPE) as resync:
            os.close(theirs)
            shown = b""
            while not re.search(rb"[\d,]+ of [\d,]+ prefixes, [\d,]+ a second", shown):
                part = _read(ours)
                assert part, shown
                shown += part
            simulator.resume()
            while _read(ours):
                pass
            os.close(ours)
        assert resync.returncode == 0
        assert simulator.routes() == {}


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:
        # The other side has closed it.
        return b""
