"""The whole chain in this process, so that tests can ask its engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bgpreflector.config import Config
from bgpreflector.daemon.daemon import Daemon
from lab import Namespace, read_forwarding, wait_until
from lab.vpp import Routes, SimulatedVpp, Vpp, differences, kernel_routes

from .wave import DEVICE

TIMEOUT = 120.0
"""Seconds until a test that would hang fails instead."""


def count_prefixes(daemon: Daemon, state: str) -> int:
    """Prefixes in a state, as the daemon's table has them: ``desired``, ``installed``."""
    return sum(counts[state] for counts in daemon.engine.status().prefixes.values())


class Chain:
    """Kernel, daemon and embedded VPP."""

    def __init__(self, namespace: Namespace, vpp: SimulatedVpp, daemon: Daemon) -> None:
        self.namespace = namespace
        self.vpp = vpp
        self.daemon = daemon
        self.engine = daemon.engine

    def statistics(self) -> dict[str, int]:
        """The embedded VPP's figures."""
        return self.vpp.simulator.statistics()

    def deleted(self) -> set[str]:
        """Prefixes that were deleted in VPP since its ``record_deletions()``."""
        return {prefix for _, prefix in self.vpp.simulator.deletions()}

    def count(self, state: str) -> int:
        """Prefixes in a state, as the table has them: ``desired``, ``installed``."""
        return count_prefixes(self.daemon, state)

    def wait_in_sync(self, count: int) -> None:
        """Waits until VPP has acknowledged ``count`` prefixes and nothing else is to be done."""
        wait_until(
            lambda: (self.daemon.in_sync, self.count("installed")),
            TIMEOUT,
            f"{count} routes in VPP",
            accept=lambda seen: seen == (True, count),
        )

    def wait_same(self) -> Routes:
        """Waits until VPP holds what the kernel holds, no more and no less; returns that."""
        wait_until(
            lambda: differences(kernel_routes(read_forwarding(self.namespace)), self.vpp.routes()),
            TIMEOUT,
            "VPP holds what the kernel holds",
            accept=lambda found: not found,
        )
        return self.vpp.routes()


@contextmanager
def running_daemon(
    namespace: Namespace,
    vpp: Vpp,
    device: str = DEVICE,
    *,
    kernel: Mapping[str, object] | None = None,
    request_timeout: float = TIMEOUT,
) -> Iterator[Daemon]:
    """A daemon in this process that follows the namespace, ended at the end.

    VPP's interface is mapped to ``device``, ``kernel`` are further keys of that section. Fails
    where the daemon ended by itself.
    """
    config = Config.model_validate(
        {
            "kernel": {"namespace": namespace.name, **(kernel or {})},
            "vpp": {
                "api_socket": str(vpp.socket),
                "request_timeout": request_timeout,
                "interfaces": {"map": {device: vpp.interface}},
            },
        }
    )
    daemon = Daemon(config)
    try:
        daemon.start()
        yield daemon
        assert daemon.wait(0) is False, "the daemon ended"
    finally:
        daemon.stop()


@contextmanager
def running_chain(namespace: Namespace, vpp: SimulatedVpp, **settings: Any) -> Iterator[Chain]:
    """As `running_daemon`, with the embedded VPP."""
    with running_daemon(namespace, vpp, **settings) as daemon:
        yield Chain(namespace, vpp, daemon)
