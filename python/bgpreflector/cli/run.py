"""``bgpreflector run``."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import typer

from bgpreflector.control import ControlServer, commands_of
from bgpreflector.daemon import Daemon
from bgpreflector.errors import ControlError
from bgpreflector.metrics import MetricsServer

from .end import End
from .logs import configure_logging, flush_logs
from .options import ConfigFile, Interfaces, Netns, Protocols, Socket, read_config

_log = logging.getLogger(__name__)


def run(
    config: ConfigFile = None,
    socket: Socket = None,
    netns: Netns = None,
    protocol: Protocols = None,
    interface: Interfaces = None,
    on_exit: Annotated[
        Literal["keep", "flush"] | None, typer.Option(help="What becomes of our routes at the end.")
    ] = None,
    control: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Control socket for status and the like; '' for none."),
    ] = None,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"] | None, typer.Option(help="What is logged.")
    ] = None,
) -> None:
    """Reflect the kernel's routes into VPP until SIGTERM or SIGINT."""
    settings = read_config(
        config,
        socket=socket,
        netns=netns,
        protocols=protocol,
        interfaces=interface,
        vpp={} if on_exit is None else {"on_exit": on_exit},
        log={} if log_level is None else {"level": log_level},
        control={} if control is None else {"socket": control},
    )
    configure_logging(settings.log)
    if not settings.use_external_ipam:
        _log.warning("use_external_ipam is false: nothing is reflected")
    stop = End()
    daemon = Daemon(settings)
    waiter = threading.Thread(target=_wait_for_end, args=(daemon, stop), daemon=True)
    with ExitStack() as surfaces:
        try:
            _open_control(daemon, surfaces)
            _open_metrics(daemon, surfaces)
            daemon.start()
            waiter.start()
            stop.wait()
            if not daemon.wait(0):
                _log.info("Ending on a signal")
        finally:
            daemon.stop()
            flush_logs()
    _log.info("Ended")


def _open_metrics(daemon: Daemon, surfaces: ExitStack) -> None:
    address = daemon.config.metrics.listen
    if address is not None:
        server = MetricsServer(daemon, address)
        server.start()
        surfaces.callback(server.close)


def _open_control(daemon: Daemon, surfaces: ExitStack) -> None:
    settings = daemon.config.control
    if settings.socket is None:
        return
    server = ControlServer(Path(settings.socket), commands_of(daemon))
    try:
        server.start()
    except ControlError as error:
        if settings.insists:
            raise
        _log.info("Without a control socket, as none is configured: %s", error)
    else:
        surfaces.callback(server.close)


def _wait_for_end(daemon: Daemon, stop: End) -> None:
    try:
        daemon.wait()
    except Exception as error:  # noqa: BLE001 - raised again by the main thread's own wait
        _log.debug("The event loop ended: %s", error)
    stop.set()
