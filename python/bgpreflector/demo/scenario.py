"""What the demonstration shows, step by step."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bgpreflector import _core
from bgpreflector.config import Config
from bgpreflector.daemon.daemon import Daemon
from bgpreflector.errors import ReflectorError
from bgpreflector.routes.listing import installed_count

from . import kernel

SOURCE = "bgpreflector"
POLL = 0.02
"""Seconds between two samples of the status."""

DEADLINE = 120.0
"""Seconds after which a step that has not ended fails."""


@dataclass(frozen=True)
class DemoResult:
    """What the demonstration ended with."""

    routes: int
    """Routes reflected at first."""

    seconds: float
    """From the beginning of the kernel's dump until VPP had acknowledged the last."""

    differences: list[str] = field(default_factory=list)
    """What kernel and VPP did not agree about; empty if all is well."""


def run_demo(console: Console, count: int) -> DemoResult:
    """Run it in the current namespace: our own, or the host's, which is left as it is."""
    with tempfile.TemporaryDirectory(prefix="bgpreflector-") as directory:
        socket = Path(directory) / "api.sock"
        with _simulator(socket) as simulator, _daemon(socket) as daemon:
            if kernel.inside_namespace():
                return _Scenario(console, simulator, daemon).run(count)
            return _Scenario(console, simulator, daemon).run_on_host()


@contextmanager
def _simulator(socket: Path) -> Iterator[_core.Simulator]:
    simulator = _core.Simulator(socket=socket, interfaces=[kernel.LINK])
    try:
        yield simulator
    finally:
        simulator.stop()


@contextmanager
def _daemon(socket: Path) -> Iterator[Daemon]:
    # On the host its interfaces have no counterpart: there VPP's own FIB resolves the gateways.
    strategies = ["map"] if kernel.inside_namespace() else ["map", "recursive"]
    interfaces = {"strategies": strategies, "map": {kernel.LINK: kernel.LINK}}
    values = {"vpp": {"api_socket": str(socket), "interfaces": interfaces}}
    daemon = Daemon(Config.model_validate(values))
    try:
        yield daemon
    finally:
        daemon.stop()


class _Scenario:
    def __init__(self, console: Console, simulator: _core.Simulator, daemon: Daemon) -> None:
        self._console = console
        self._simulator = simulator
        self._daemon = daemon

    def run(self, count: int) -> DemoResult:
        """All steps, with routes of our own."""
        routes = list(kernel.routes(count))
        self._say(f"Putting {count:,} routes of protocol 12 into a kernel namespace of our own …")
        kernel.make_link()
        kernel.install(routes)
        seconds = self._first_sync(count)

        tenth = max(1, count // 10)
        moved = [
            kernel.DemoRoute(r.prefix, kernel.gateway(6 if ":" in r.prefix else 4, n + 1))
            for n, r in enumerate(routes[:tenth])
        ]
        self._step(f"Moving {tenth:,} routes to another next hop", lambda: kernel.install(moved))
        gone = routes[-tenth:]
        self._step(f"Withdrawing {tenth:,} routes", lambda: kernel.withdraw(gone))
        self._step(f"Announcing {tenth:,} routes again", lambda: kernel.install(gone))
        differences = self._compare()
        every = moved + routes[tenth:]
        self._step("Withdrawing all routes", lambda: kernel.withdraw(every))
        left = len(self._in_vpp())
        self._say(f"VPP holds {left} of our routes")
        if left:
            differences.append(f"{left} routes are left in VPP after the last was withdrawn")
        return DemoResult(count, seconds, differences)

    def run_on_host(self) -> DemoResult:
        """The first sync alone: the host's own routes are only read."""
        self._say(
            "No network namespace can be had here (it takes root, or user namespaces, and the "
            "`ip` command): reflecting this host's own protocol-12 routes, read-only."
        )
        count = len(kernel.routes_by_prefix())
        seconds = self._first_sync(count)
        return DemoResult(count, seconds, self._compare())

    def _first_sync(self, count: int) -> float:
        self._say("Reflecting them into the embedded VPP …")
        began = time.monotonic()
        self._daemon.start()
        with Progress(
            TextColumn("  {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
        ) as progress:
            task = progress.add_task("routes in VPP", total=count)
            self._wait_in_sync(lambda: progress.update(task, completed=self._installed()))
            progress.update(task, completed=self._installed())
        seconds = time.monotonic() - began
        rate = self._installed() / seconds
        self._say(f"  in sync after {seconds:.2f} s ({rate:,.0f} routes a second)")
        return seconds

    def _step(self, title: str, change: Callable[[], None]) -> None:
        before = self._simulator.statistics()["route_requests"]
        change()
        began = time.monotonic()
        self._wait_in_sync(lambda: None)
        lag = time.monotonic() - began
        requests = self._simulator.statistics()["route_requests"] - before
        self._say(f"{title}: {requests:,} requests, in sync {lag * 1000:.0f} ms later")

    def _wait_in_sync(self, tick: Callable[[], None]) -> None:
        """Wait until all of the kernel's messages have been read and VPP has the result."""
        deadline = time.monotonic() + DEADLINE
        seen = -1
        while not (self._daemon.in_sync and self._kernel_seen() == seen):
            seen = self._kernel_seen()
            if self._daemon.wait(POLL):
                raise ReflectorError("the daemon ended in the middle of the demonstration")
            if time.monotonic() > deadline:
                raise ReflectorError(f"kernel and VPP were not in sync after {DEADLINE:.0f} s")
            tick()

    def _kernel_seen(self) -> int:
        return sum(self._daemon.engine.status().messages.values())

    def _installed(self) -> int:
        return installed_count(self._daemon.engine.status().prefixes)

    def _in_vpp(self) -> dict[str, frozenset[str]]:
        return {
            prefix: frozenset(hop for hop, _, _ in paths)
            for _, prefix, paths in self._simulator.snapshot(SOURCE)
        }

    def _compare(self) -> list[str]:
        listed, vpp = kernel.routes_by_prefix(), self._in_vpp()
        differences = [
            f"{prefix}: kernel {sorted(listed.get(prefix, ()))}, VPP {sorted(vpp.get(prefix, ()))}"
            for prefix in sorted(listed.keys() | vpp.keys())
            if listed.get(prefix) != vpp.get(prefix)
        ]
        self._say(
            f"Comparing {len(listed):,} routes of the kernel (as `ip` shows them) with "
            f"{len(vpp):,} of VPP: {len(differences)} differences"
        )
        return differences

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False)
