"""The way to a running daemon."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bgpreflector.control import ControlClient
from bgpreflector.control.client import CONNECT_TIMEOUT, NO_DAEMON
from bgpreflector.daemon.read_report import AnswerError
from bgpreflector.errors import ControlError

from .config_file import (
    SOCKET_VARIABLE,
    config_file,
    likely_socket,
    readable,
    socket_in,
    where_from,
)
from .output import say

READ_TIMEOUT = 120.0
"""Seconds without an answer before a request fails; a resync may take that long."""


@contextmanager
def daemon_at(
    control: Path | None, config: Path | None, *, timeout: float = READ_TIMEOUT
) -> Iterator[ControlClient]:
    """A connection to the daemon of a control socket, or of a configuration file."""
    client = _named(config, timeout) if control is None else ControlClient(control, timeout=timeout)
    with client:
        try:
            yield client
        except (KeyError, TypeError, ValueError, AttributeError, AnswerError) as error:
            # As slow to load as all else.
            from importlib.metadata import version  # noqa: PLC0415 - see above

            ours, other = version("bgpreflector"), _version(client.path)
            if other == ours:
                raise
            if other is None:
                raise ControlError(NO_DAEMON) from error
            raise ControlError(
                f"the daemon is bgpreflector {other}, whose answer this command, of {ours}, "
                "cannot read: restart the daemon"
            ) from error


def _named(config: Path | None, timeout: float) -> ControlClient:
    """A connection to the daemon of a configuration file.

    A daemon that answers is asked without a look at the rest of the file, which takes longer than
    the answer; if none does, the file's mistakes may be why.
    """
    found = config_file(config)
    path = likely_socket(found)
    if path is not None:
        try:
            return ControlClient(Path(path), timeout=timeout)
        except ControlError:
            pass
    settled = _configured_socket(found)
    if settled is None:
        raise ControlError(
            f"{found} switches the control socket off (control.socket is empty): name one there "
            "and restart the daemon"
        )
    try:
        return ControlClient(settled, timeout=timeout)
    except ControlError as error:
        raise ControlError(f"{error} (control.socket by {where_from(config)})") from error


def _configured_socket(file: Path | None) -> Path | None:
    """The control socket by a configuration file; ``None`` for none.

    A daemon that runs answers also while the file has a mistake.
    """
    from bgpreflector.config import (  # noqa: PLC0415 - see _named
        Config,
        ConfigError,
        ControlConfig,
        load,
        with_environment,
    )

    try:
        config = with_environment(Config() if file is None else load(file), os.environ)
        settings = config.control
    except ConfigError as wrong:
        text = None if file is None else readable(file)
        if text is None:
            raise
        named = os.environ.get(SOCKET_VARIABLE) or socket_in(text)
        settings = ControlConfig(socket=named or ControlConfig().socket)
        say(
            f"warning: {file} has mistakes (`bgpreflector check {file}` names all): "
            f"{wrong.problems[0].message if wrong.problems else wrong}; asking the daemon at "
            f"{settings.socket}",
            err=True,
        )
    return None if settings.socket is None else Path(settings.socket)


def _version(path: Path) -> object:
    """By a connection of its own: this one may still be within an answer."""
    try:
        with ControlClient(path, timeout=CONNECT_TIMEOUT) as client:
            return client.ask("status").end.get("version")
    except ControlError:
        return None
