"""The whole chain in this process, so that tests can ask its engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bgpreflector.config import Config
from bgpreflector.daemon.daemon import Daemon
from lab import Namespace, read_forwarding, wait_until
from lab.vpp import SimulatedVpp

Routes = dict[str, object]
"""By prefix: the gateways."""

TIMEOUT = 120.0
"""Seconds until a test that would hang fails instead."""


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

    def installed(self) -> int:
        """Prefixes that VPP has acknowledged."""
        return sum(counts["installed"] for counts in self.engine.status().prefixes.values())

    def desired(self) -> int:
        """Desired prefixes, by the table."""
        return sum(counts["desired"] for counts in self.engine.status().prefixes.values())

    def wait_in_sync(self, count: int) -> None:
        """Waits until VPP has acknowledged ``count`` prefixes and nothing else is to be done."""
        wait_until(
            lambda: (self.daemon.in_sync, self.installed()),
            TIMEOUT,
            f"{count} routes in VPP",
            accept=lambda seen: seen == (True, count),
        )

    def wait_same(self) -> Routes:
        """Waits until VPP holds what the kernel holds, no more and no less; returns that."""
        wait_until(
            self._differences, TIMEOUT, "VPP holds what the kernel holds",
            accept=lambda found: not found,
        )  # fmt: skip
        return self.vpp.routes()

    def _differences(self) -> list[tuple[str, object, object]]:
        kernel, vpp = kernel_routes(self.namespace), self.vpp.routes()
        return [
            (prefix, kernel.get(prefix), vpp.get(prefix))
            for prefix in kernel.keys() | vpp.keys()
            if kernel.get(prefix) != vpp.get(prefix)
        ]


@contextmanager
def running_daemon(
    namespace: Namespace,
    socket: Path,
    interfaces: Mapping[str, str],
    *,
    kernel: Mapping[str, object] | None = None,
    request_timeout: float = TIMEOUT,
) -> Iterator[Daemon]:
    """A daemon in this process that follows the namespace, ended at the end.

    ``interfaces`` are VPP's by Linux's, ``kernel`` further keys of that section. Fails where the
    daemon ended by itself.
    """
    config = Config.model_validate(
        {
            "kernel": {"namespace": namespace.name, **(kernel or {})},
            "vpp": {
                "api_socket": str(socket),
                "request_timeout": request_timeout,
                "interfaces": {"map": dict(interfaces)},
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
def running_chain(
    namespace: Namespace,
    vpp: SimulatedVpp,
    interfaces: Mapping[str, str],
    *,
    kernel: Mapping[str, object] | None = None,
    request_timeout: float = TIMEOUT,
) -> Iterator[Chain]:
    """As `running_daemon`, with the embedded VPP."""
    with running_daemon(
        namespace, vpp.socket, interfaces, kernel=kernel, request_timeout=request_timeout
    ) as daemon:
        yield Chain(namespace, vpp, daemon)


def kernel_routes(namespace: Namespace) -> Routes:
    """The kernel's routes of protocol 12 in its main table."""
    return {
        key.prefix: hops if isinstance(hops, str) else frozenset(hop.gateway for hop in hops)
        for key, hops in read_forwarding(namespace).items()
    }
