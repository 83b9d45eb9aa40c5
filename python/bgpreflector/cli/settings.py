"""The configuration that a command works with."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from bgpreflector.config import Config, ConfigError, Problem, load, with_environment
from bgpreflector.config.environment import given_by
from bgpreflector.config.override import override

from .config_file import config_file, where_from
from .output import say

COMMAND_LINE = "command line"
"""Where a mistake is that is in no file."""


def read_config(
    file: Path | None,
    *,
    socket: Path | None = None,
    netns: str | None = None,
    protocols: Sequence[str] = (),
    interfaces: Sequence[str] = (),
    **others: dict[str, object],
) -> Config:
    """The configuration of :func:`config_file`, overridden by the environment, and that by the
    command line.

    Raises :class:`ConfigError`.
    """
    found = config_file(file)
    config = with_environment(Config() if found is None else load(found), os.environ)
    kernel: dict[str, object] = {}
    vpp: dict[str, object] = {}
    if netns is not None:
        kernel["namespace"] = netns
    if protocols:
        kernel["protocols"] = [int(p) if p.isdecimal() else p for p in protocols]
    if socket is not None:
        vpp["api_socket"] = str(socket)
    if interfaces:
        vpp["interfaces"] = {"map": dict(_pair(text) for text in interfaces)}
    values = {"kernel": kernel, "vpp": vpp}
    for section, more in others.items():
        values.setdefault(section, {}).update(more)
    return override(config, values, source=COMMAND_LINE)


def configuration_text(file: Path | None) -> str:
    """The file, and the keys that the environment gives."""
    given = sorted(given_by(os.environ))
    return where_from(file) + (f"; by the environment: {', '.join(given)}" if given else "")


def say_configuration(file: Path | None) -> None:
    """Print where the configuration comes from, unless the command line names it alone."""
    text = configuration_text(file)
    if file is None or text != where_from(file):
        say(f"Configuration: {text}", err=True)


def _pair(text: str) -> tuple[str, str | int]:
    linux, separator, vpp = text.partition("=")
    if not (linux and separator and vpp):
        raise ConfigError(
            COMMAND_LINE,
            [Problem("--interface", "must be LINUX=VPP, for instance eth0=GigabitEthernet0/8/0")],
        )
    return linux, int(vpp) if vpp.isdecimal() else vpp
