"""A daemon whose configuration file changes while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daemon.running import RunningDaemon, running_daemon
from lab import Namespace, wait_until
from lab.vpp import SimulatedVpp


class Harness:
    """A kernel, a VPP, a configuration file that changes, and the daemon that reads it."""

    def __init__(self, kernel: Namespace, vpp: SimulatedVpp, directory: Path) -> None:
        self.kernel = kernel
        self.vpp = vpp
        self.file = directory / "bgpreflector.toml"
        self.log = directory / "d.log"
        self.write()

    def write(
        self, kernel: str = "", vpp: str = "", interfaces: str = 'f0 = "loop0"', more: str = ""
    ) -> None:
        """A configuration with lines added to its sections."""
        self.file.write_text(
            f'[kernel]\nnamespace = "{self.kernel.name}"\n{kernel}\n'
            f'[vpp]\napi_socket = "{self.vpp.socket}"\n{vpp}\n'
            f"[vpp.interfaces]\nmap = {{ {interfaces} }}\n{more}\n"
        )

    @contextmanager
    def running(
        self, *arguments: str, wait: bool = True, **environment: str
    ) -> Iterator[RunningDaemon]:
        """The daemon, by default once it is in sync."""
        given = ("--config", str(self.file), *arguments)
        with running_daemon(self.log, *given, environment=environment) as daemon:
            if wait:
                daemon.wait_in_sync()
            yield daemon

    def wait_route(self, prefix: str, expected: object) -> None:
        """Waits until VPP has this for a prefix."""
        wait_until(
            lambda: self.vpp.routes().get(prefix),
            30,
            f"{expected} for {prefix}",
            accept=lambda seen: seen == expected,
        )

    def requests(self) -> int:
        """Route requests that VPP has had."""
        return self.vpp.simulator.statistics()["route_requests"]
