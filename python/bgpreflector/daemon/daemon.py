"""The parts put together: what ``bgpreflector run`` and the demo both are."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import cast

from bgpreflector import _core
from bgpreflector.config import Config
from bgpreflector.config.protocols import protocols_text
from bgpreflector.controller import Controller, Event, EventHandler, FullResync
from bgpreflector.errors import VppError
from bgpreflector.reflector import (
    BGPReflector,
    Deps,
    KernelRouteWatcher,
    new_plugin,
    source_engine,
    use_deps,
)
from bgpreflector.vpp import (
    Comparisons,
    FibProgrammer,
    FibQuery,
    VppEntry,
    VppGuardDue,
    VppLookup,
    VppMonitor,
)

from .handlers import load_handlers
from .health import PATIENCE, Liveness

_log = logging.getLogger(__name__)

FLUSH_PATIENCE = 5.0
"""Seconds to wait for prefixes that somebody else still holds."""


class Daemon:
    """One kernel, one VPP, and the event loop between them.

    :meth:`start` returns once VPP is connected and the first resync is on its way;
    :meth:`wait` waits for the end, which :meth:`stop` brings about from any thread.
    """

    def __init__(
        self, config: Config, handlers: Sequence[EventHandler] = (), *, approved: bool = False
    ) -> None:
        """``handlers`` are somebody's own, called behind the reflector, and before those that the
        configuration names.

        ``approved``: the first sync may delete whatever it will. Raises
        :class:`~bgpreflector.config.ConfigError` where a handler cannot be loaded.
        """
        loaded = load_handlers(config)
        self.config = config
        self._table_map = config.table_map
        self.engine = cast("_core.Engine", source_engine(config))
        self.sink = FibProgrammer.of(self.engine, config)
        # Where nothing is mirrored nothing is deleted either.
        if config.use_external_ipam and not approved:
            self.sink.guard.arm(_mirrored(config))
        self._watcher = KernelRouteWatcher(self.engine)
        self.reflector: BGPReflector = new_plugin(use_deps(self._inject))
        self.monitor = VppMonitor(
            self.engine, self.sink, self._push_event, audit_interval=config.vpp.audit_interval
        )
        self.controller = Controller(
            [self.monitor, self.reflector, *handlers, *loaded], self.sink, config.controller
        )
        self.began = time.monotonic()
        """When it was made, in seconds of ``time.monotonic()``."""

        self.left = 0
        """Routes of ours in VPP tables that a reload has left, which wait for :meth:`resume`."""

        vpp = config.vpp
        self._comparisons = Comparisons(self.controller.push_event)
        self._liveness = Liveness(PATIENCE + 2 * (vpp.connect_timeout + vpp.request_timeout))
        self._hung = False
        self._pausing = threading.Lock()
        self._paused = False

    @property
    def kernel_tables(self) -> list[int]:
        """The kernel tables that are mirrored now: those that are named, and those found."""
        return sorted({kernel for kernel, *_ in self.engine.mirrored_tables()})

    @property
    def vpp_tables(self) -> list[tuple[int, bool]]:
        """The VPP tables (id, whether IPv6) that they go into."""
        return [(vpp, is_ip6) for _, vpp, is_ip6, *_ in self.engine.mirrored_tables()]

    def vpp_table(self, kernel_table: int) -> int:
        """The VPP table that a mirrored kernel table goes into. Raises ``KeyError``."""
        named = self._table_map.get(kernel_table)
        if named is not None:
            return named
        return {kernel: vpp for kernel, vpp, *_ in self.engine.mirrored_tables()}[kernel_table]

    def _push_event(self, event: Event) -> None:
        # The controller is made after the monitor, which is one of its handlers.
        self.controller.push_event(event)

    def _inject(self, deps: Deps) -> None:
        watcher = self._watcher
        deps.contiv_conf = self.config
        # Not by way of the daemon, which would keep itself alive.
        deps.watcher = lambda _: watcher

    def start(self, *, survives: tuple[type[VppError], ...] = ()) -> None:
        """Connect to VPP and begin.

        Raises :class:`~bgpreflector.errors.VppError` where that fails in a way that is not to be
        survived; otherwise it is tried again until it succeeds.
        """
        self.reflector.init()
        try:
            self.sink.connect()
        except survives as error:
            _log.warning("%s; it is waited for", error)
        self.monitor.start()
        self.controller.start()
        self.controller.push_event(FullResync("startup"))

    @property
    def paused(self) -> bool:
        """Whether VPP is sent no route requests, by :meth:`pause`."""
        return self._paused

    def pause(self) -> None:
        """Send VPP no more route requests; the kernel's changes go on gathering in the table.

        What VPP is being sent at the moment is cut short. The session stays open, and a VPP
        that is lost meanwhile is connected to again, and read, but nothing is put into it.
        """
        with self._pausing:
            self._paused = True
            self._watcher.hold(on=True)
            self.sink.hold(on=True)
        _log.warning("Paused: VPP gets no routes until `bgpreflector resume`")

    def resume(self) -> None:
        """Send VPP again what it needs; where nobody paused, deletions that wait, too.

        Twice is fine. Who ends a pause does not approve of what he may not have seen.
        """
        with self._pausing:
            was, self._paused = self._paused, False
            self.sink.hold(on=False)
            self._watcher.hold(on=False)
        if was:
            _log.info("Resumed: VPP gets what has changed")
        elif self.sink.guard.waiting is not None:
            self.sink.guard.approve()
            self.controller.push_event(VppGuardDue(blocking=True))

    def resync(self, reason: str) -> None:
        """Read VPP and the kernel again and wait until VPP has what differs.

        Raises what went wrong, after which another resync follows by itself.
        """
        self.controller.push_event(FullResync(reason, blocking=True))

    def look_up(self, questions: Sequence[FibQuery], timeout: float) -> list[VppEntry | None]:
        """Ask VPP by what it forwards.

        Raises ``TimeoutError`` where the event loop is busy with other things for too long, and
        :class:`~bgpreflector.errors.VppError`.
        """
        event = VppLookup(questions)
        self.controller.push_event(event)
        try:
            return event.answer.result(timeout)
        finally:
            # Nothing where it is answered; otherwise VPP is not asked for nobody.
            event.answer.cancel()

    def compare(self, timeout: float) -> _core.VppAudit | None:
        """How VPP differs from what it has acknowledged; ``None`` where it cannot be told.

        Raises as :meth:`look_up`.
        """
        return self._comparisons.ask(timeout)

    @property
    def alive(self) -> bool:
        """Whether the event loop and the kernel reader go on, or are still to begin."""
        return not self.controller.ended and self.engine.failure() is None

    @property
    def hung(self) -> str | None:
        """What does not get on with what it has to do; ``None`` where all is well.

        It takes no lock that a thread may hang with. The first look that finds it logs it.
        """
        at_work, steps = self.controller.at_work, self.engine.steps()
        hung = self._liveness.look(at_work, steps, self.engine.pulses())
        before, self._hung = self._hung, hung is not None
        if hung is not None and not before:
            _log.critical("%s; where a watchdog is set, the service manager acts", hung)
        elif before and hung is None:
            _log.warning("What hung gets on again")
        return hung

    @property
    def in_sync(self) -> bool:
        """Whether the kernel has been read and VPP has acknowledged all that it shall have."""
        return self.in_sync_by(self.engine.status())

    def in_sync_by(self, status: _core.Status) -> bool:
        """The same by figures that were looked up already."""
        return (
            status.synchronised
            and status.dirty == 0
            and not self.sink.lost
            and all(c["desired"] == c["installed"] for c in status.prefixes.values())
        )

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; raises the :class:`~bgpreflector.controller.FatalError` of it."""
        return self.controller.wait(timeout)

    def stop(self, *, keep_routes: bool = False) -> None:
        """End everything; routes stay in VPP unless ``vpp.on_exit`` says ``flush``.

        With ``keep_routes`` they stay whatever it says.
        """
        # What is being sent shall not keep the end waiting: under a rate limit it may be hours.
        with self._pausing:
            self._watcher.hold(on=False)
            self.sink.hold(on=True)
        self.controller.close()
        try:
            if self.config.vpp.on_exit == "flush" and not keep_routes:
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
        self.sink.guard.end()
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


def _mirrored(config: Config) -> str:
    protocols = protocols_text(config.kernel.protocols)
    return f"protocol {protocols} in kernel table {config.kernel.tables_text}"
