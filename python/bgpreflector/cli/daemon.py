"""The way to a running daemon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from pydantic import ValidationError

from bgpreflector.config import ConfigError, ControlConfig, load
from bgpreflector.control import ControlClient
from bgpreflector.errors import ControlError

from .config_file import config_file, readable, socket_in, where_from
from .output import say

READ_TIMEOUT = 120.0
"""Seconds without a word from the daemon before it is given up; a resync may take that long."""


@contextmanager
def daemon_at(
    control: Path | None, config: Path | None, *, timeout: float = READ_TIMEOUT
) -> Iterator[ControlClient]:
    """A connection to the daemon of a control socket, or of a configuration file."""
    found = config_file(config)
    place = control or _place(found)
    if place is None:
        raise ControlError(
            f"{found} switches the control socket off (control.socket is empty): name one there "
            "and restart the daemon"
        )
    try:
        client = ControlClient(place, timeout=timeout)
    except ControlError as error:
        if control is not None:
            raise
        raise ControlError(f"{error} (control.socket by {where_from(config)})") from error
    with client:
        try:
            yield client
        except (KeyError, ValidationError) as error:
            other = _version(client)
            if other in (None, version("bgpreflector")):
                raise
            raise ControlError(
                f"the daemon is bgpreflector {other}, which does not say all that this command, "
                f"of {version('bgpreflector')}, wants to know: restart the daemon"
            ) from error


def _place(file: Path | None) -> Path | None:
    """The control socket by a configuration file; ``None`` for none.

    A daemon that runs answers also while the file has a mistake.
    """
    try:
        settings = ControlConfig() if file is None else load(file).control
    except ConfigError as wrong:
        text = None if file is None else readable(file)
        if text is None:
            raise
        settings = ControlConfig(socket=socket_in(text) or ControlConfig().socket)
        say(
            f"warning: {file} has mistakes (`bgpreflector check {file}` names all): "
            f"{wrong.problems[0].message if wrong.problems else wrong}; asking the daemon at "
            f"{settings.socket}",
            err=True,
        )
    return None if settings.socket is None else Path(settings.socket)


def _version(client: ControlClient) -> object:
    try:
        return client.ask("status").end.get("version")
    except ControlError:
        return None


def figure(value: object) -> str:
    """A number for people."""
    return f"{value:,}" if isinstance(value, int) else str(value)


def by_name(figures: Mapping[str, int]) -> str:
    """Figures that are not zero, with their names; empty if all are."""
    return ", ".join(
        f"{figure(count)} {name.replace('_', ' ')}" for name, count in figures.items() if count
    )
