"""The sink that programs transactions into VPP."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

from bgpreflector import _core
from bgpreflector.controller import CommitResult, Transaction
from bgpreflector.controller.sink import MAX_FAILURES
from bgpreflector.errors import VppError, VppLostError
from bgpreflector.log_fields import fields
from bgpreflector.routes.batch import NO_LIMIT
from bgpreflector.routes.injected_routes import InjectedRoutes

from .adoption import adopt, adopt_by_papi
from .bulk_sender import send_bulk
from .commit_results import both
from .engine import RouteEngine, connect_bulk
from .fib_reader import FibReader
from .fib_sources import FibSources, Overridden, overridden_by_papi
from .guard import DeletionGuard
from .held import HeldWatch
from .interface_tracker import InterfaceTracker
from .mirrored_tables import MirroredTables
from .papi_fallback import PapiRoutes
from .papi_sender import PapiSender
from .session import Table, VppSession, VppSettings
from .tables import remove_own_tables
from .vpp_state import VppState

if TYPE_CHECKING:
    from bgpreflector.config import Config

_log = logging.getLogger(__name__)


class FibProgrammer:
    """Programs VPP: batches over the bulk connection, rare calls over the session.

    All calls come from the event loop, one at a time.
    """

    def __init__(  # noqa: PLR0913 - of both sides of the configuration
        self,
        engine: RouteEngine,
        settings: VppSettings,
        *,
        tables: Sequence[tuple[int, bool]],
        protocol: int,
        discovers: bool = False,
        free_tables: tuple[int, int] | None = None,
        read_only: bool = False,
        namespace: Path | None = None,
    ) -> None:
        """``tables`` are the VPP tables (id, whether IPv6) that routes go into; ``protocol``
        is that of routes that handlers put. ``discovers``: there may be further tables,
        which the engine tells, in ``free_tables`` if that is given. ``read_only`` adds no FIB
        source and no table; what is missing is then in :attr:`MirroredTables.missing`.
        ``namespace`` is the file of the network namespace that the kernel is read in, by default
        our own."""
        self._engine = engine
        self._settings = settings
        self._read_only = read_only
        self.finds_hidden = True
        """Whether to look for routes that VPP's dumps hide."""
        self.fib_sources = FibSources()
        self.vpp_state = VppState()
        self._on_interface_change: Callable[[], None] = _ignore
        self._source: int | None = None
        self._read = False
        self._injected = InjectedRoutes(engine, protocol)
        self._papi: PapiSender | None = None
        self._paused = threading.Event()
        self._pausing = threading.Lock()
        self.guard = DeletionGuard(engine, settings.guard)
        self._held_watch = HeldWatch(engine, settings.max_held, settings.unmapped)
        self.session = VppSession(settings, namespace)
        self.fib = FibReader(engine, self.session, settings.fib_source.name, self.vpp_state)
        self.interfaces = InterfaceTracker(
            engine, self.session, settings, self.vpp_state, self.guard
        )
        self.tables = MirroredTables(
            engine,
            self.session,
            tables,
            discovers=discovers,
            free=free_tables,
            read_only=read_only,
        )

    @classmethod
    def of(cls, engine: RouteEngine, config: Config, *, read_only: bool = False) -> Self:
        """Create one for the engine's routes from the whole configuration."""
        return cls(
            engine,
            config.vpp,
            tables=config.vpp_tables,
            protocol=config.kernel.protocols[0],
            discovers=bool(config.kernel.discover),
            free_tables=config.vpp.free_tables,
            read_only=read_only,
            namespace=config.kernel.namespace_path,
        )

    def on_interface_change(self, notify: Callable[[], None]) -> None:
        """Call ``notify()`` on another thread when VPP's interfaces change."""
        self._on_interface_change = notify

    def connect(self) -> None:
        """Open both connections and read what depends on this run of VPP.

        Raises :class:`VppError`; then neither connection is open.
        """
        try:
            mismatch = connect_bulk(self._engine, self._settings)
            with self._pausing:
                self._engine.set_paused(self._paused.is_set())
            self.session.connect()
            version = self.session.version()
            self._set_version(version)
            self.fib_sources.forget()
            self._read_fib_sources()
            self.tables.refresh()
            self.session.watch_interfaces(self._interfaces_changed)
            self.interfaces.refresh()
        except VppError:
            self.close()
            raise
        self._read = False
        self._papi = None if mismatch is None else self._papi_sender()
        if mismatch is not None:
            _log.warning(
                "%s; this is VPP %s: routes go through vpp_papi, a hundred times slower",
                mismatch,
                version,
                extra=fields("sent by vpp_papi", version=version, reason=str(mismatch)),
            )
        self.vpp_state.connected(version)
        self._log_connected(version)

    def _log_connected(self, version: str) -> None:
        shown = "not there yet" if self._source is None else self._source
        name = self._settings.fib_source.name
        _log.info(
            "Connected to VPP %s; FIB source %s is %s",
            version,
            name,
            shown,
            extra=fields(
                "connected to VPP",
                version=version,
                socket=self._settings.api_socket,
                fib_source=name,
                fib_source_id=self._source,
            ),
        )

    def _papi_sender(self) -> PapiSender:
        limit = self._settings.rate_limit
        return PapiSender(self._engine, self.session, rate_limit=limit, paused=self._paused)

    def _set_version(self, version: str) -> None:
        released = self._engine.set_vpp_version(version)
        if released:
            _log.warning(
                "VPP is another version, %s: routes over which the one before ended are let in "
                "again (%d)",
                version,
                released,
                extra=fields("routes released", version=version, released=released),
            )

    def _read_fib_sources(self) -> None:
        source = self._settings.fib_source
        if self._read_only:
            self._source = self.session.find_fib_source(source.name)
        else:
            self._source = self.session.fib_source(source.name, source.priority)
        self.fib_sources.update(self.session.fib_sources(), self._source)

    @property
    def has_bulk(self) -> bool:
        """Whether there is a bulk connection."""
        return self._papi is None

    @property
    def lost(self) -> bool:
        """Whether there is no connection for routes."""
        if self._papi is not None:
            return not self.session.connected
        return self._engine.vpp_lost() is not None

    @property
    def has_read(self) -> bool:
        """Whether VPP's routes were read since the last connect."""
        return self._read

    @property
    def paused(self) -> bool:
        """Whether nothing is sent (:meth:`set_paused`)."""
        return self._paused.is_set()

    @property
    def source(self) -> int | None:
        """The id of our FIB source, once it is known."""
        return self._source

    def _interfaces_changed(self) -> None:
        # Read at each call: the callback may be set later.
        self._on_interface_change()

    def refresh_interfaces(self) -> None:
        """Read VPP's interfaces again; affected routes become dirty."""
        self.interfaces.refresh()
        self.interfaces.release_indices()

    def resync(self) -> None:
        """Connect if needed, and read VPP's routes under our source.

        If both connections work, everything that a connect reads is read again.
        """
        if not self.session.usable or self.lost:
            self.connect()
        else:
            self._read_fib_sources()
            self.tables.refresh()
            self.interfaces.refresh()
        self._adopt()
        # Only after VPP's routes are known again.
        self.interfaces.release_indices()

    def _adopt(self) -> None:
        if self._source is None:
            # Only read-only: without the FIB source VPP has no routes of ours.
            self._engine.forget_installed()
            return
        # Later adoptions know which of our routes others override.
        find_hidden = self.finds_hidden and not self._read
        hiding = self.fib_sources.hiding if find_hidden else ()
        if self._papi is None:
            self.guard.adopted(adopt(self._engine, self._source, hiding))
        else:
            self._adopt_by_papi(self._papi.routes, self._source, hiding)
        if find_hidden:
            self.interfaces.find_dead_paths()
        self._read = True

    def _adopt_by_papi(self, papi: PapiRoutes, source: int, hiding: Sequence[int]) -> None:
        try:
            self.guard.adopted(adopt_by_papi(self._engine, papi, self.tables.all, source, hiding))
        except VppLostError:
            self.close()
            raise

    def audit(self, *, repair: bool, limit: int = MAX_FAILURES) -> _core.VppAuditReport | None:
        """Compare what VPP has with what it has acknowledged.

        ``None`` without the bulk connection, and while VPP does not have our FIB source.
        With ``repair`` what differs is sent again by the next commit.
        """
        if self._papi is not None or self._source is None:
            return None
        return self._engine.audit_vpp(
            self._source, better=self.fib_sources.better, repair=repair, limit=limit
        )

    def overridden(self, *, limit: int = MAX_FAILURES) -> Overridden:
        """Find our routes that a better source overrides.

        VPP walks its routes once for every source that could be better, and sends a message only
        for each overridden one. Raises :class:`VppLostError`.
        """
        better = self.fib_sources.better
        if self._papi is None:
            return self.fib_sources.found(*self._engine.overridden(better, limit=limit))
        papi = self._papi.routes
        found = overridden_by_papi(
            lambda source: ((t, p) for t, p, _ in papi.dump(self.tables.all, source)),
            self._engine.is_installed,
            better,
            limit,
        )
        return self.fib_sources.found(*found)

    def _known_source(self) -> int:
        if self._source is None:
            raise VppError("the FIB source is unknown before the first connect to VPP")
        return self._source

    def commit(self, txn: Transaction) -> CommitResult:
        """Apply a transaction, its single routes included (:class:`InjectedRoutes`)."""
        batches = cast("list[_core.RouteBatch]", list(txn.batches))
        injected = self._injected.take(txn)
        if injected is not None:
            batches.append(injected)
        elif not batches:
            batches.append(self._engine.take_batch(NO_LIMIT))
        result = self._send(batches)
        if self.guard.armed:
            result = both(result, self._send(self.take_guarded()))
        if txn.is_resync and (self.fib_sources.unknown or self.fib_sources.overridden.count):
            # Only now VPP has all our routes that others may override.
            self.overridden()
        if txn.is_resync and not self._paused.is_set():
            self.vpp_state.resynchronised = True
        self._held_watch.check(result.held, certainly=txn.is_resync)
        return result

    def take_guarded(self) -> list[_core.RouteBatch]:
        """Take what is dirty, with the deletions if the guard lets them pass."""
        batches = [self._engine.take_batch(NO_LIMIT)]
        if self.guard.armed and self.guard.passes():
            batches.append(self._engine.take_batch(NO_LIMIT))
            self.guard.passed(list(self.interfaces.gone))
        return [batch for batch in batches if len(batch)]

    def _send(self, batches: Sequence[_core.RouteBatch]) -> CommitResult:
        sender = self._papi
        self.tables.create()
        if sender is None:
            result = send_bulk(self._engine, batches, self._known_source())
        else:
            result = self._send_by_papi(sender, batches)
        self.interfaces.release_indices()
        self.tables.remove()
        return result

    def _send_by_papi(
        self, sender: PapiSender, batches: Sequence[_core.RouteBatch]
    ) -> CommitResult:
        try:
            return sender.send(batches, self._known_source())
        except VppLostError:
            # vpp_papi may have left half a frame on the stream: do not use it again.
            self.close()
            raise

    def flush(self) -> CommitResult:
        """Send everything dirty outside a transaction, after the event loop has ended."""
        return self._send([self._engine.take_batch(NO_LIMIT)])

    def remove_tables(self) -> list[Table]:
        """Delete the IP tables that we created and that are empty."""
        return remove_own_tables(self.session)

    def retry(self) -> CommitResult:
        """Send refused routes again, except those that VPP never accepts."""
        self._engine.retry_rejected()
        return self.flush()

    def set_paused(self, *, on: bool) -> None:
        """Pause or continue: a paused commit ends early, and what it has not sent stays dirty.

        The one method that may be called from outside the event loop. It lasts through
        connections that are lost and made again.
        """
        with self._pausing:
            if on:
                self._paused.set()
            else:
                self._paused.clear()
            self._engine.set_paused(on)

    def close(self) -> None:
        """Close both connections. Idempotent."""
        # No ``sockclnt_delete`` to a VPP that does not answer: it would be waited for.
        graceful = not self.lost
        self._engine.disconnect()
        self.session.close(graceful=graceful)


def _ignore() -> None:
    """Do nothing."""
