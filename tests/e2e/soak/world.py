"""A kernel that never rests, and a VPP that is lost again and again."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bgpreflector.control import ControlClient
from bgpreflector.errors import RefusedByDaemonError
from daemon.running import RunningDaemon
from lab import Namespace, ip_batch, read_forwarding, wait_until
from lab.vpp import RealVpp, SimulatedVpp, Vpp

from .prober import sound

V4, V6, FLAPPING = 12_000, 3_000, 300
"""Routes of the table, and those through the link that goes down."""

TIMEOUT = 120.0
"""Seconds for a sync."""

CONFIG = """
[kernel]
receive_buffer = "64 KiB"
audit_interval = {audit}
[vpp]
max_in_flight = {max_in_flight}
audit_interval = 3
request_timeout = 5
[controller]
healing_delay = 0.2
[metrics]
address = "127.0.0.1:0"
"""


def prefixes() -> list[str]:
    """All prefixes of the table."""
    v4 = [f"30.{n >> 8}.{n & 255}.0/24" for n in range(V4)]
    return v4 + [f"2001:db8:{n:x}::/48" for n in range(V6)]


def flapping() -> list[str]:
    """Prefixes through the link that goes down."""
    return [f"60.{n >> 8}.{n & 255}.0/24" for n in range(FLAPPING)]


def gateway(prefix: str, number: int) -> str:
    """The address of one of a few neighbours."""
    return f"fd00::{2 + number % 8:x}" if ":" in prefix else f"10.0.0.{2 + number % 8}"


def write_config(file: Path, *, max_in_flight: int = 256, audit: float = 2.0) -> None:
    """Writes the configuration that a reload reads."""
    file.write_text(CONFIG.format(max_in_flight=max_in_flight, audit=audit))


@dataclass
class World:
    """What happens to a daemon, one thing after the other."""

    kernel: Namespace
    vpp: Vpp
    daemon: RunningDaemon
    config: Path
    random: random.Random = field(default_factory=lambda: random.Random(1))
    done: Counter[str] = field(default_factory=Counter)
    totals: Counter[str] = field(default_factory=Counter)
    """Figures of the daemons that reloads have ended."""

    def fill(self) -> None:
        """The whole table, as it is at every quiet moment."""
        lines = [f"route replace {p} via {gateway(p, 0)} proto 12" for p in prefixes()]
        lines += [f"route replace {p} via 10.9.0.2 proto 12" for p in flapping()]
        ip_batch(self.kernel, lines)

    def turn(self, name: str) -> None:
        """Does one of the actions."""
        ACTIONS[name](self)
        self.done[name] += 1

    def churn(self) -> None:
        """Some routes move, some go and come again."""
        some = self.random.sample(prefixes(), 1500)
        number = self.random.randrange(8)
        lines = [f"route replace {p} via {gateway(p, number)} proto 12" for p in some[:700]]
        gone = some[700:]
        lines += [f"route del {p} proto 12" for p in gone]
        lines += [f"route add {p} via {gateway(p, number)} proto 12" for p in gone]
        ip_batch(self.kernel, lines)

    def burst(self) -> None:
        """All routes move at once, more than the buffer holds."""
        number = self.random.randrange(8)
        every = prefixes()
        ip_batch(
            self.kernel, [f"route replace {p} via {gateway(p, number)} proto 12" for p in every]
        )

    def link(self) -> None:
        """A link goes down, which the kernel says nothing of routes about, and comes again."""
        self.kernel.ip("link", "set", "g0", "down")
        self.kernel.ip("link", "set", "g0", "up")
        ip_batch(self.kernel, [f"route replace {p} via 10.9.0.2 proto 12" for p in flapping()])

    def restart(self) -> None:
        """VPP forgets everything, and its interfaces have other indices if they can."""
        if isinstance(self.vpp, RealVpp):
            self.vpp.restart()
        elif isinstance(self.vpp, SimulatedVpp):
            self.vpp.fault("restart", shift=self.random.randrange(3))

    def reload(self) -> None:
        """A new configuration, which takes a new daemon; the old one's figures are kept."""
        self.settle()
        self.keep_figures()
        write_config(self.config, max_in_flight=self.random.choice([16, 64, 256, 1024]))
        reloads = self.daemon.log().count("Reloaded: ")
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_until(
            self.daemon.log, TIMEOUT, "reloaded", accept=lambda s: s.count("Reloaded: ") > reloads
        )

    def pause(self) -> None:
        """VPP is sent nothing for a while."""
        self.daemon.ask("pause")
        self.churn()
        self.daemon.ask("resume")

    def resync(self) -> None:
        """By order. One that VPP's loss cuts short follows by itself, and is no failure here."""
        with (
            ControlClient(self.daemon.control, timeout=TIMEOUT) as client,
            suppress(RefusedByDaemonError),
        ):
            assert client.ask("resync").end["schema"] == 3

    def keep_figures(self) -> None:
        """Before they begin at 0 again."""
        status = self.daemon.status()
        kernel, vpp = status["kernel"], status["vpp"]
        self.totals["overruns"] += kernel["overruns"]
        self.totals["messages dropped"] += kernel["drops"]
        self.totals["kernel messages"] += sum(kernel["messages"].values())
        self.totals["kernel resyncs"] += sum(r["count"] for r in kernel["resyncs"].values())
        self.totals["kernel drift"] += sum(kernel["drift"].values())
        self.totals["VPP drift"] += sum(vpp["drift"].values())
        for operation, results in vpp["requests"].items():
            self.totals[f"{operation} requests"] += results["done"]
            self.totals["refused requests"] += results["refused"]

    def settle(self) -> dict[str, Any]:
        """Waits until all is in sync; the status then."""

        def settled(status: dict[str, Any]) -> bool:
            sound(status)
            return bool(status["in_sync"]) and status["oldest_queued_seconds"] is None

        return wait_until(self.daemon.status, TIMEOUT, "in sync", accept=settled, interval=0.1)

    def agree(self) -> None:
        """Kernel, VPP, status and metrics have the same routes, at a quiet moment."""
        self.fill()
        wanted = {
            key.prefix: frozenset(hop.gateway or "" for hop in hops)
            for key, hops in read_forwarding(self.kernel).items()
            if not isinstance(hops, str)
        }
        assert len(wanted) == V4 + V6 + FLAPPING
        wait_until(
            self.vpp.routes,
            TIMEOUT,
            "VPP has what the kernel has",
            accept=lambda seen: seen == wanted,
            interval=0.2,
        )
        counts = self.settle()["prefixes"]
        for family, count in (("ipv4", V4 + FLAPPING), ("ipv6", V6)):
            shown = {state: counts[family][state] for state in ("desired", "installed")}
            assert shown == {"desired": count, "installed": count}, counts

    def daemon_audit(self) -> dict[str, int]:
        """What another process finds that compares kernel and VPP."""
        links = [
            part
            for link in ("f0", "g0")
            for part in ("--interface", f"{link}={self.vpp.interface}")
        ]
        done = subprocess.run(
            [
                *(
                    sys.executable,
                    "-m",
                    "bgpreflector",
                    "audit",
                    "--dry-run",
                    "--summary",
                    "--json",
                ),
                *("--socket", str(self.vpp.socket), "--netns", str(self.kernel.path), *links),
            ],
            check=False,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
        assert done.returncode in {0, 6}, done.stderr
        found: dict[str, int] = json.loads(done.stdout)
        return {operation: found[operation] for operation in ("add", "replace", "delete")}

    def audits(self) -> str:
        """What the daemon has logged of its audits."""
        lines = self.daemon.log().splitlines()
        return "\n".join(line for line in lines if "audit" in line or "drift" in line)

    def resident(self) -> float:
        """The daemon's memory, MiB."""
        lines = Path(f"/proc/{self.daemon.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


ACTIONS: dict[str, Callable[[World], None]] = {
    "churn": World.churn,
    "burst": World.burst,
    "link": World.link,
    "restart": World.restart,
    "reload": World.reload,
    "pause": World.pause,
    "resync": World.resync,
}

OFTEN: Sequence[str] = ("churn",) * 6
"""What happens beside one of each."""
