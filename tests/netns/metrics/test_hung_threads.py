"""A thread of the daemon that is stopped, as by a fault of the kernel or of ours, is named."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bgpreflector.control import ControlClient
from bgpreflector.errors import ControlError
from daemon.running import RunningDaemon, running_daemon
from daemon.test_metrics import scraper_of
from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp
from vpp.support import DEVICE, kernel_with_routes

pytestmark = pytest.mark.root

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
"""``linux/ptrace.h``."""

WALL = 0x40000000
"""``__WALL``: threads are waited for, too."""

CONFIG = """
[vpp]
connect_timeout = 0.5
request_timeout = 0.5
keepalive_interval = 0.2
[metrics]
address = "127.0.0.1:0"
"""

SHORT_TIMEOUT = "from bgpreflector.daemon import daemon\ndaemon.HANG_TIMEOUT = 0.5\n"
"""The default is over a minute."""


@pytest.fixture
def daemon(
    make_namespace: Callable[[str], Namespace], tmp_path: Path
) -> Iterator[tuple[RunningDaemon, Namespace]]:
    """A daemon in sync, with a short hang timeout."""
    (tmp_path / "sitecustomize.py").write_text(SHORT_TIMEOUT)
    (tmp_path / "config.toml").write_text(CONFIG)
    kernel = kernel_with_routes(make_namespace("stopped"), 10)
    with SimulatedVpp.running(tmp_path) as vpp:
        given = ("--config", str(tmp_path / "config.toml"), "--socket", str(vpp.socket))
        interface = ("--interface", f"{DEVICE}={vpp.interface}")
        environment = {"PYTHONPATH": str(tmp_path)}
        log = tmp_path / "run.log"
        with running_daemon(
            log, *given, *interface, namespace=kernel, environment=environment
        ) as running:
            running.wait_in_sync()
            yield running, kernel
            assert running.end() == 0, running.log()


@contextmanager
def stopped(daemon: RunningDaemon, name: str) -> Iterator[None]:
    """One thread is stopped by the kernel, wherever it is; the others go on."""
    tasks = Path(f"/proc/{daemon.process.pid}/task")
    (task,) = [
        int(entry.name) for entry in tasks.iterdir() if (entry / "comm").read_text().strip() == name
    ]
    _ptrace(PTRACE_SEIZE, task)
    try:
        _ptrace(PTRACE_INTERRUPT, task)
        os.waitpid(task, WALL)
        yield
    finally:
        _ptrace(PTRACE_DETACH, task)


def _ptrace(request: int, task: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long
    if libc.ptrace(request, task, None, None) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def is_named(daemon: RunningDaemon, name: str) -> None:
    """By the probe, in the status and in the log."""
    said = f"the {name} hangs"
    scraper = scraper_of(daemon)
    code, _ = wait_until(
        lambda: scraper.get("/-/healthy"), 60, "a probe names it", accept=lambda got: said in got[1]
    )
    assert code == 503
    status = daemon.status()
    assert said in status["hung"]
    assert not status["ready"]
    assert said in daemon.ask("status", "--check", exit_code=1)
    wait_until(daemon.log, 60, "the log names it", accept=lambda log: said in log)


def makes_progress(daemon: RunningDaemon) -> None:
    """All is well again."""
    scraper = scraper_of(daemon)
    wait_until(
        lambda: scraper.get("/-/healthy"),
        60,
        "healthy",
        accept=lambda got: got == (200, "healthy\n"),
    )
    wait_until(lambda: daemon.status()["hung"], 60, "nothing hangs", accept=lambda hung: not hung)
    wait_until(lambda: daemon.status()["ready"], 60, "ready")


def test_a_kernel_reader_that_hangs(daemon: tuple[RunningDaemon, Namespace]) -> None:
    """It does not do what it was asked for."""
    running, _ = daemon

    def resync() -> None:
        with suppress(ControlError), ControlClient(running.control, timeout=120) as client:
            client.ask("resync").end  # noqa: B018

    asking = threading.Thread(target=resync)
    with stopped(running, "kernel-reader"):
        asking.start()
        is_named(running, "kernel reader")
    asking.join(60)
    makes_progress(running)


def test_a_bulk_connection_that_hangs(daemon: tuple[RunningDaemon, Namespace]) -> None:
    """Whether somebody waits for it, or it only has to see whether VPP lives."""
    running, kernel = daemon
    with stopped(running, "vpp-bulk"):
        is_named(running, "bulk connection")
        ip_batch(kernel, ["route del 30.0.0.0/24 proto 12"])
    makes_progress(running)
    count = sum(counts["installed"] for counts in running.status()["prefixes"].values())
    assert count == 9
