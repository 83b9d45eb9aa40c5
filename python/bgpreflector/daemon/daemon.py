"""The daemon, assembled from its parts, for ``bgpreflector run`` and the demo."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Sequence
from typing import cast

from bgpreflector import _core
from bgpreflector.config import Config
from bgpreflector.config.protocols import protocols_text
from bgpreflector.controller import Controller, Event, EventHandler, FullResync
from bgpreflector.errors import VppError
from bgpreflector.log_fields import fields
from bgpreflector.reflector import (
    BGPReflector,
    Deps,
    KernelRouteWatcher,
    new_plugin,
    source_engine,
    use_deps,
)
from bgpreflector.routes.listing import installed_count
from bgpreflector.vpp import (
    FibProgrammer,
    FibQuery,
    SharedAudits,
    VppEntry,
    VppGuardDue,
    VppLookup,
    VppMonitor,
)

from .handlers import load_handlers
from .health import HANG_TIMEOUT, HangDetector, in_words
from .unmirrored_tables import UnmirroredTables, UnmirroredTablesDue

_log = logging.getLogger(__name__)

FLUSH_TIMEOUT = 5.0
"""Seconds to wait for prefixes that another batch still holds."""


class Daemon:
    """One kernel, one VPP, and the event loop between them.

    :meth:`start` returns once VPP is connected and the first resync is queued; :meth:`wait`
    waits for the end, which any thread can cause by :meth:`stop`.
    """

    def __init__(
        self, config: Config, handlers: Sequence[EventHandler] = (), *, approved: bool = False
    ) -> None:
        """``handlers`` are the caller's, called after the reflector and before those that the
        configuration names.

        ``approved``: the first sync may delete any number of routes. Raises
        :class:`~bgpreflector.config.ConfigError` if a handler cannot be loaded.
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
        self.unmirrored = UnmirroredTables(self.engine, self.sink, config)
        self.controller = Controller(
            [self.monitor, self.reflector, self.unmirrored, *handlers, *loaded],
            self.sink,
            config.controller,
        )
        self.began = time.monotonic()
        """Creation time in seconds of ``time.monotonic()``."""

        vpp = config.vpp
        self._audits = SharedAudits(self.controller.push_event)
        self._hang_detector = HangDetector(
            HANG_TIMEOUT + 2 * (vpp.connect_timeout + vpp.request_timeout)
        )
        self._hung: frozenset[str] = frozenset()
        self._pausing = threading.Lock()
        self._paused = False

    @property
    def kernel_tables(self) -> list[int]:
        """The kernel tables that are mirrored now, configured and discovered."""
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
        # Not through the daemon: a reference cycle.
        deps.watcher = lambda _: watcher

    def start(self, *, survives: tuple[type[VppError], ...] = ()) -> None:
        """Connect to VPP and start.

        Raises :class:`~bgpreflector.errors.VppError` for a fatal
        failure; other failures are retried until connecting succeeds.
        """
        self.reflector.init()
        try:
            self.sink.connect()
        except survives as error:
            _log.warning("%s; waiting for it", error)
        self.monitor.start()
        self.controller.start()
        self.controller.push_event(FullResync("startup"))

    @property
    def paused(self) -> bool:
        """Whether programming is paused."""
        return self._paused

    def pause(self) -> None:
        """Stop sending route requests; kernel changes stay queued in the table.

        A batch in progress is cut short. The session stays open, and a lost VPP is reconnected
        and read, but not programmed.
        """
        with self._pausing:
            self._paused = True
            self._watcher.set_paused(on=True)
            self.sink.set_paused(on=True)
        _log.warning("Paused: VPP gets no routes until `bgpreflector resume`")

    def resume(self) -> None:
        """Continue programming; if not paused, also approve the deletions that wait.

        Idempotent. To end a pause does not approve deletions that its operator may not know of.
        """
        with self._pausing:
            was, self._paused = self._paused, False
            self.sink.set_paused(on=False)
            self._watcher.set_paused(on=False)
        if was:
            _log.info("Resumed: VPP gets what has changed")
        elif self.sink.guard.waiting is not None:
            self.sink.guard.approve()
            self.controller.push_event(VppGuardDue(blocking=True))
        if not was:
            self.unmirrored.approve()
        if self.unmirrored.tables:
            self.controller.push_event(UnmirroredTablesDue())

    def resync(self, reason: str) -> None:
        """Read VPP and the kernel again and wait until VPP has what differs.

        Raises the error of a failed resync; another resync then follows by itself.
        """
        self.controller.push_event(FullResync(reason, blocking=True))

    def look_up(self, queries: Sequence[FibQuery], timeout: float) -> list[VppEntry | None]:
        """Look up FIB entries in VPP.

        Raises ``TimeoutError`` if the event loop is busy for too long, and
        :class:`~bgpreflector.errors.VppError`.
        """
        event = VppLookup(queries)
        self.controller.push_event(event)
        try:
            return event.answer.result(timeout)
        finally:
            # No effect once answered; otherwise VPP need not be asked.
            event.answer.cancel()

    def audit(self, timeout: float) -> _core.VppAuditReport | None:
        """How VPP differs from what it has acknowledged; ``None`` without a bulk connection.

        Raises as :meth:`look_up`.
        """
        return self._audits.ask(timeout)

    @property
    def alive(self) -> bool:
        """Whether the event loop and the kernel reader run, or have not started yet."""
        return not self.controller.ended and self.engine.failure() is None

    @property
    def hung(self) -> str | None:
        """Which thread hangs, and for how long; ``None`` if none does.

        It takes no lock that a hung thread may hold. The first call that finds a thread logs it,
        also where another hangs already: the one that the others wait for may be found last.
        """
        current_event, heartbeat = self.controller.current_event, self.engine.heartbeat()
        each = self._hang_detector.check(current_event, heartbeat, self.engine.liveness())
        hung = in_words(each)
        before, self._hung = self._hung, frozenset(each)
        if self._hung - before:
            _log.critical("%s; where a watchdog is set, the service manager acts", hung)
        elif before and hung is None:
            _log.warning("The thread that hung makes progress again")
        return hung

    @property
    def in_sync(self) -> bool:
        """Whether the kernel has been read and VPP has acknowledged all desired routes."""
        return self.in_sync_by(self.engine.status())

    def in_sync_by(self, status: _core.Status) -> bool:
        """The same of a status that was read already."""
        return (
            status.synchronised
            and status.dirty == 0
            # A replacement that VPP has not answered changes no count.
            and status.oldest_queued is None
            and not self.sink.lost
            and all(c["desired"] == c["installed"] for c in status.prefixes.values())
        )

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; raises the :class:`~bgpreflector.controller.FatalError` of it."""
        return self.controller.wait(timeout)

    def start_after(self, replaced: Daemon, vpp_tables: Collection[tuple[int, bool]]) -> None:
        """Start in place of a daemon that has been stopped, with all that it had not done yet.

        ``vpp_tables``: those that it mirrored into. A VPP that cannot be reached or used is tried
        again.
        """
        if replaced.paused:
            self.pause()
        self.engine.continue_quarantine(replaced.engine)
        self.sink.guard.continue_from(replaced.sink.guard)
        self.unmirrored.continue_from(replaced.unmirrored)
        self.unmirrored.give_up(vpp_tables)
        self.start(survives=(VppError,))

    def stop(self, *, keep_routes: bool = False) -> None:
        """Stop all parts; routes stay in VPP unless ``vpp.on_exit`` is ``flush``.

        With ``keep_routes`` they always stay.
        """
        self.controller.check_closable()
        # Do not wait for a batch in progress: under a rate limit it may take hours.
        with self._pausing:
            self._watcher.set_paused(on=False)
            self.sink.set_paused(on=True)
        try:
            self.controller.close()
            if self.config.vpp.on_exit == "flush" and not keep_routes:
                self.sink.set_paused(on=False)
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
        # The watcher may still hold a batch, and requeues it when the event loop refuses it.
        while self._installed and not failed and self.engine.wait_dirty(FLUSH_TIMEOUT):
            result = self.sink.flush()
            removed += result.applied
            failed = result.failed
        if self._installed:
            left = self._installed
            _log.error(
                "%d of our routes stay in VPP: they could not be removed",
                left,
                extra=fields("routes stay", routes=left),
            )
        # All of ours are to go: they wait for no approval.
        removed += self.unmirrored.clear(approved=True)
        if not self._installed:
            self.sink.remove_tables()
        extra = fields("routes removed", removed=removed)
        _log.info("Removed %s of our routes from VPP", f"{removed:,}", extra=extra)

    @property
    def _installed(self) -> int:
        return installed_count(self.engine.status().prefixes)


def _mirrored(config: Config) -> str:
    protocols = protocols_text(config.kernel.protocols)
    return f"protocol {protocols} in kernel table {config.kernel.tables_text}"
