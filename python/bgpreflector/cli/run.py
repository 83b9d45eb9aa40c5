"""``bgpreflector run``."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path

import click
from rich.console import Console

from bgpreflector.config import Config, ConfigError
from bgpreflector.control import READ_ONLY, Access, ControlServer, commands_of
from bgpreflector.daemon.daemon import Daemon
from bgpreflector.daemon.instance_lock import writing
from bgpreflector.daemon.mass_change import MassChanges, routes_by_interface
from bgpreflector.daemon.progress import Bar, LogLines, SyncProgress
from bgpreflector.daemon.status import status_of
from bgpreflector.daemon.supervisor import Supervisor
from bgpreflector.daemon.systemd import Watchdog, notify, reloading
from bgpreflector.errors import ControlError, ReflectorError
from bgpreflector.log_fields import fields
from bgpreflector.metrics import MetricsServer

from . import options
from .config_file import config_file, where_from
from .logs import configure_logging, flush_logs, set_log
from .malloc import give_memory_back
from .settings import configuration_text, read_config
from .signals import SIGNALS, End
from .status import headline

_log = logging.getLogger(__name__)

ADVICE = "end it first, or give this one a vpp.fib_source.name of its own"
"""What to do where another writes to VPP under our source."""


@click.command
@options.config_file
@options.socket
@options.netns
@options.protocols
@options.interfaces
@click.option(
    "--on-exit",
    type=click.Choice(["keep", "flush"]),
    metavar="keep|flush",
    help="Keep or remove our routes on exit.",
)
@click.option(
    "--control", metavar="PATH", help="Control socket for status and the like; '' for none."
)
@click.option(
    "--yes", is_flag=True, help="Let the first sync delete any number of routes (vpp.guard)."
)
@click.option(
    "--no-wait", is_flag=True, help="Exit with status 4 if VPP is not running (vpp.wait)."
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    metavar="LEVEL",
    help="Log level: debug, info, warning or error.",
)
def run(
    config: Path | None,
    socket: Path | None,
    netns: str | None,
    protocol: tuple[str, ...],
    interface: tuple[str, ...],
    on_exit: str | None,
    control: str | None,
    yes: bool,
    no_wait: bool,
    log_level: str | None,
) -> None:
    """Reflect the kernel's routes into VPP until SIGTERM or SIGINT.

    SIGHUP reads the configuration file again. A service manager receives the state
    (sd_notify).
    """

    # Once: a reload that no longer finds the file must not use the defaults instead.
    chosen = config_file(config)

    def read() -> Config:
        return read_config(
            chosen or config,
            socket=socket,
            netns=netns,
            protocols=protocol,
            interfaces=interface,
            vpp=({} if on_exit is None else {"on_exit": on_exit})
            | ({"wait": False} if no_wait else {}),
            control={} if control is None else {"socket": control},
            log={} if log_level is None else {"level": log_level},
        )

    end = End(signal.SIGHUP)
    give_memory_back()
    settings = read()
    configure_logging(settings.log)
    source = configuration_text(config)
    _log.info("Configuration: %s", source, extra=fields("configuration", source=source))
    if not settings.use_external_ipam:
        _log.warning("use_external_ipam is false: nothing is reflected")
    progress = _progress(lambda: service.daemon)
    service = Supervisor(settings, read, [progress.handler], approved=yes)
    service.on_config = lambda new: set_log(new.log)
    started: bool | None = None
    requested = False
    with ExitStack() as surfaces:
        surfaces.enter_context(writing(settings, "run", where_from(config), ADVICE))
        try:
            _open(service, surfaces)
            progress.start()
            surfaces.callback(progress.close)
            started = _start(service, end)
            if started:
                _serve(service, end)
            requested = True
        finally:
            notify("STOPPING=1")
            if started is False:
                # It ends with the process.
                service.abandon_start()
            else:
                service.stop(requested=requested)
            flush_logs()
    _log.info("Ended")


def _start(service: Supervisor, end: End) -> bool:
    """Start on a thread of its own: connecting to VPP may take long, and a signal must not wait.

    Whether it has started; false at a signal. Raises what the start raises.
    """
    starting: Future[None] = Future()

    def start() -> None:
        try:
            service.start()
        except BaseException as error:  # noqa: BLE001 - raised again by the main thread
            starting.set_exception(error)
        else:
            starting.set_result(None)
        end.wake()

    threading.Thread(target=start, name="start", daemon=True).start()
    heard = 0
    while not starting.done():
        number = end.wait()
        if number in SIGNALS:
            if starting.done():
                break
            _log.info("Ending on a signal, while VPP is still waited for")
            return False
        if number and not heard:
            _log.info("The configuration is read again once the daemon has started")
        heard = heard or number
    starting.result()
    if heard:
        end.hear_again(heard)
    return True


def _serve(service: Supervisor, end: End) -> None:
    """Reload at every SIGHUP, until the end."""
    ended = threading.Event()
    waiter = threading.Thread(target=_wait_for_end, args=(service, end, ended), daemon=True)
    waiter.start()
    watchdog = Watchdog(lambda: _watchdog_state(service))
    notify("READY=1", f"STATUS={_headline(service)}")
    watchdog.start()
    try:
        while (number := end.wait()) not in SIGNALS and not ended.is_set():
            if number:
                _reload(service)
    finally:
        watchdog.close()
    if number in SIGNALS:
        _log.info("Ending on a signal")
    else:
        service.wait()


def _progress(daemon: Callable[[], Daemon]) -> SyncProgress:
    """A bar on a terminal, otherwise lines in the log."""
    console = Console(stderr=True)
    display = Bar(console) if console.is_terminal else LogLines()
    changes = MassChanges(lambda: routes_by_interface(daemon()))
    return SyncProgress(
        lambda: status_of(daemon()), display, waits_for_events=True, changes=changes
    )


def _reload(service: Supervisor) -> None:
    reloading()
    try:
        service.reload()
    except ConfigError as error:
        _log.error("The reload is refused, and the configuration before stays in use: %s", error)
    except ReflectorError as error:
        _log.error("The reload failed: %s", error)
    except Exception:  # noqa: BLE001 - a signal must not end what runs
        # Where it has left nothing to run with, the wait for the end says so.
        _log.exception("The reload failed")
    notify("READY=1", f"STATUS={_headline(service)}")


def _headline(service: Supervisor) -> str:
    return headline(status_of(service.daemon))


def _watchdog_state(service: Supervisor) -> str | None:
    """The state in a line; ``None`` if the service manager must act: the log says why."""
    if not service.alive:
        return None
    hung = service.hung
    if hung is not None:
        notify(f"STATUS={hung}")
        return None
    return _headline(service)


def _wait_for_end(service: Supervisor, end: End, ended: threading.Event) -> None:
    try:
        service.wait()
    except Exception as error:  # noqa: BLE001 - raised again by the main thread's own wait
        _log.debug("The event loop ended: %s", error)
    ended.set()
    end.wake()


def _open(service: Supervisor, surfaces: ExitStack) -> None:
    """Open the control socket and the metrics before VPP is touched: a failure ends the start."""
    settings = service.daemon.config
    if settings.control.socket is not None:
        commands = commands_of(service)
        server = ControlServer(
            Path(settings.control.socket),
            commands,
            access=Access(settings.control.group, settings.control.file_mode),
            others_may=READ_ONLY if settings.control.role == "read-only" else commands,
        )
        try:
            server.start()
        except ControlError as error:
            if settings.control.is_explicit:
                raise
            _log.info("Without a control socket, as none is configured: %s", error)
        else:
            surfaces.callback(server.close)
    if settings.metrics.listen is not None:
        metrics = MetricsServer(service, settings.metrics.listen)
        metrics.start()
        surfaces.callback(metrics.close)
