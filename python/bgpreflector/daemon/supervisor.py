"""Run, reload and stop daemons for ``bgpreflector run``."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from bgpreflector.config import Config, ConfigError, Problem
from bgpreflector.controller import EventHandler, FatalError
from bgpreflector.errors import KernelError, ReflectorError, VppConnectError, VppLostError
from bgpreflector.log_fields import fields

from .daemon import Daemon

_log = logging.getLogger(__name__)

RESTART_ONLY_KEYS = (
    "vpp.api_socket",
    "vpp.fib_source",
    "kernel.namespace",
    "control.socket",
    "control.group",
    "control.mode",
    "control.role",
    "control.lock_directory",
    "metrics.address",
)
"""Keys that a reload cannot change: our routes would stay behind under the old name or place, or
clients would lose the socket."""


class StartingError(ReflectorError):
    """The daemon has not started yet."""


class Supervisor:
    """Keeps a daemon running and replaces it when the configuration changes.

    A reload stops the daemon, leaves its routes in VPP, and starts one with the new
    configuration, which adopts them and sends what differs: VPP forwards throughout.
    """

    def __init__(
        self,
        config: Config,
        read: Callable[[], Config],
        handlers: Sequence[EventHandler] = (),
        *,
        approved: bool = False,
    ) -> None:
        """``read`` reads the configuration again. Raises :class:`ConfigError`.

        ``handlers`` are called by every daemon, after its own. ``approved``: the first daemon's
        first sync may delete any number of routes.
        """
        self._read = read
        self._config = config
        self._handlers = handlers
        self._daemon = Daemon(config, handlers, approved=approved)
        self._reloading = threading.Lock()
        self._changed = threading.Condition()
        self._replacing = False
        self._stopped = False
        self._began: float | None = None
        self._failure: BaseException | None = None
        self.on_config: Callable[[Config], None] = _ignore
        """Called with each new configuration in use."""

    @property
    def daemon(self) -> Daemon:
        """The daemon that runs now."""
        return self._daemon

    @property
    def alive(self) -> bool:
        """Whether it runs or has not started yet; also true during a reload."""
        return self._replacing or self._daemon.alive

    @property
    def hung(self) -> str | None:
        """Which thread of the daemon hangs, and for how long; ``None`` if none does."""
        return None if self._replacing else self._daemon.hung

    def start(self) -> None:
        """Start the first daemon.

        Raises what :meth:`Daemon.start` raises: with ``vpp.wait`` not for a VPP that is not
        running yet, but for one without a required message, or one that refuses our FIB source.
        """
        waits = self._config.vpp.wait
        self._daemon.start(survives=(VppConnectError, VppLostError) if waits else ())
        self._began = time.monotonic()

    def wait(self) -> None:
        """Wait for the end across reloads; raises its cause, unless that was a stop."""
        while True:
            daemon = self._daemon
            daemon.wait()
            with self._changed:
                self._changed.wait_for(lambda: not self._replacing)
                if self._failure is not None:
                    raise self._failure
                if self._stopped or self._daemon is daemon:
                    return

    def reload(self) -> list[str]:
        """Read the configuration and apply it; return the keys that changed.

        Raises :class:`ConfigError` if it is wrong, changes a key that a reload cannot, or names a
        source of routes that cannot be read, and :class:`StartingError` before the end of
        :meth:`start`: then nothing changes.
        """
        with self._reloading:
            if self._began is None:
                raise StartingError(
                    "the daemon still starts, and waits for VPP to answer at "
                    f"{self._config.vpp.api_socket}: reload it once that is over"
                )
            old, new = self._config, self._read()
            changed = differences(old, new)
            refused = [key for key in changed if key.startswith(RESTART_ONLY_KEYS)]
            if refused:
                what = "needs a restart to change, so the whole reload is refused"
                raise ConfigError("reload", [Problem(key, what) for key in refused])
            if changed and not self._stopped:
                self._put_in_place(new, changed)
            _log.info(
                "Reloaded: %s",
                ", ".join(changed) or "the configuration is as it was",
                extra=fields("reloaded", keys=changed),
            )
            return changed

    def _put_in_place(self, new: Config, changed: list[str]) -> None:
        if any(not key.startswith("log.") for key in changed):
            # Before anything is ended: a handler that cannot be loaded or a source that cannot be
            # read refuses the reload.
            made = self._made_for(new)
            _check_start(made, self._daemon)
            self._replacing = True
            try:
                self._replace(made)
            except ConfigError:
                raise
            except BaseException as error:
                self._failure = error
                raise
            finally:
                with self._changed:
                    self._replacing = False
                    self._changed.notify_all()
        self._config = new
        self.on_config(new)

    def _made_for(self, new: Config) -> Daemon:
        # Counted from the start: a reload makes the BGP daemon neither faster nor slower.
        passed = 0.0 if self._began is None else time.monotonic() - self._began
        left = max(0.0, new.kernel.stale_routes_time - passed)
        kernel = new.kernel.model_copy(update={"stale_routes_time": left})
        return Daemon(new.model_copy(update={"kernel": kernel}), self._handlers)

    def _replace(self, made: Daemon) -> None:
        before = self._daemon
        # Discovered tables go with the engine.
        tables = {*before.config.vpp_tables, *before.vpp_tables}

        def start(made: Daemon) -> None:
            self._daemon = made
            try:
                made.start_after(before, tables)
            except BaseException:
                made.stop(keep_routes=True)
                # Those of the configuration before may not be among them.
                tables.update(made.config.vpp_tables)
                raise

        before.stop(keep_routes=True)
        try:
            start(made)
        except Exception as error:
            # What handlers do at a start cannot be tried out before.
            self._go_back(start, error)
            raise ConfigError("reload", [Problem("", str(error))]) from error

    def _go_back(self, start: Callable[[Daemon], None], error: Exception) -> None:
        """Start a daemon with the configuration of the one that was ended."""
        try:
            start(self._made_for(self._config))
            _log.warning(
                "The daemon has started again with the configuration before: its counters start at "
                "0, and VPP is read again",
                extra=fields("configuration before restored"),
            )
        except Exception as again:
            raise FatalError(
                f"{error}; with the configuration before: {again}. VPP keeps our routes: correct "
                "the handler, or remove it from handlers.load, and start the daemon again"
            ) from again

    def resume(self) -> None:
        """Resume the daemon, after a reload in progress."""
        with self._reloading:
            daemon = self._daemon
        daemon.resume()

    def abandon_start(self) -> None:
        """End while :meth:`start` waits for VPP, in which there is nothing yet: without waiting for
        it, but so that all that waits for an event ends."""
        self._stopped = True
        # It may just have ended: what the event loop does then is cut short.
        self._daemon.sink.set_paused(on=True)
        self._daemon.controller.close()

    def stop(self, *, requested: bool = True) -> None:
        """Stop the daemon, after a reload in progress.

        Where the end was not ``requested``, but is that of a failure, routes stay in VPP.
        """
        self._stopped = True
        with self._reloading:
            has_started = self._began is not None
            if has_started and not requested and self._config.vpp.on_exit == "flush":
                _log.warning("Our routes stay in VPP: vpp.on_exit is for an end that is asked for")
            self._daemon.stop(keep_routes=not requested)


def _check_start(made: Daemon, replaced: Daemon) -> None:
    """Raises :class:`ConfigError` if the daemon could not read its source of routes."""
    try:
        made.engine.check_start(replaced.engine)
    except KernelError as error:
        raise ConfigError("reload", [Problem("", str(error))]) from error


def differences(old: Config, new: Config) -> list[str]:
    """The keys, dotted, that differ."""
    return sorted(_different(old.model_dump(), new.model_dump(), ""))


def _different(old: object, new: object, key: str) -> set[str]:
    if old == new:
        return set()
    sections = key.count(".") < 1
    if isinstance(old, dict) and isinstance(new, dict) and sections:
        return {
            found
            for name in old.keys() | new.keys()
            for found in _different(
                old.get(name), new.get(name), f"{key}.{name}" if key else str(name)
            )
        }
    return {key}


def _ignore(_: Config) -> None:
    """Do nothing."""
