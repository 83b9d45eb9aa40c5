"""The parts put together: what ``bgpreflector run`` and the demo both are."""

from __future__ import annotations

import logging
from typing import cast

from bgpreflector import _core
from bgpreflector.config import Config
from bgpreflector.controller import Controller, Event, FullResync
from bgpreflector.reflector import (
    BGPReflector,
    Deps,
    KernelRouteWatcher,
    kernel_engine,
    new_plugin,
    use_deps,
)
from bgpreflector.vpp import VppMonitor, VppSink

_log = logging.getLogger(__name__)

FLUSH_PATIENCE = 5.0
"""Seconds to wait for prefixes that somebody else still holds."""


class Daemon:
    """One kernel, one VPP, and the event loop between them.

    :meth:`start` returns once VPP is connected and the first resync is on its way;
    :meth:`wait` waits for the end, which :meth:`stop` brings about from any thread.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.engine = cast("_core.Engine", kernel_engine(config))
        self.sink = VppSink(
            self.engine,
            config.vpp,
            tables=config.vpp_tables,
            protocol=config.kernel.protocols[0],
        )
        self.reflector: BGPReflector = new_plugin(use_deps(self._inject))
        self.monitor = VppMonitor(
            self.engine, self.sink, self._push_event, audit_interval=config.vpp.audit_interval
        )
        self.controller = Controller([self.monitor, self.reflector], self.sink, config.controller)

    def _push_event(self, event: Event) -> None:
        # The controller is made after the monitor, which is one of its handlers.
        self.controller.push_event(event)

    def _inject(self, deps: Deps) -> None:
        deps.contiv_conf = self.config
        deps.watcher = lambda _: KernelRouteWatcher(self.engine)

    def start(self) -> None:
        """Connect to VPP and begin.

        Raises :class:`~bgpreflector.errors.VppError` where VPP cannot be reached: at the start
        that is a mistake worth ending for, later it is an event to live through.
        """
        self.reflector.init()
        self.sink.connect()
        self.monitor.start()
        self.controller.start()
        self.controller.push_event(FullResync("startup"))

    @property
    def in_sync(self) -> bool:
        """Whether the kernel has been read and VPP has acknowledged all that it shall have."""
        status = self.engine.status()
        return (
            status.synchronised
            and status.dirty == 0
            and not self.sink.lost
            and all(c["desired"] == c["installed"] for c in status.prefixes.values())
        )

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; raises the :class:`~bgpreflector.controller.FatalError` of it."""
        return self.controller.wait(timeout)

    def stop(self) -> None:
        """End everything; routes stay in VPP unless ``vpp.on_exit`` says ``flush``."""
        # What is being sent shall not keep the end waiting: under a rate limit it may be hours.
        self.sink.hold(on=True)
        self.controller.close()
        try:
            if self.config.vpp.on_exit == "flush":
                self.sink.hold(on=False)
                self._flush()
        finally:
            self.monitor.close()
            self.reflector.close()
            self.engine.close()

    def _flush(self) -> None:
        if self.sink.lost:
            _log.error("VPP is not connected: our routes stay in it")
            return
        self.engine.forget_kernel()
        removed = failed = 0
        # The watcher may still hold a batch; it gives it back when the event loop refuses it.
        while self._installed and not failed and self.engine.wait_dirty(FLUSH_PATIENCE):
            result = self.sink.flush()
            removed += result.applied
            failed = result.failed
        if self._installed:
            _log.error("%d of our routes stay in VPP: they could not be removed", self._installed)
        else:
            self.sink.remove_tables()
        _log.info("Removed %d of our routes from VPP", removed)

    @property
    def _installed(self) -> int:
        return sum(counts["installed"] for counts in self.engine.status().prefixes.values())
