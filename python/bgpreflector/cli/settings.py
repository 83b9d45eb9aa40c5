"""The configuration that a command works with."""

from __future__ import annotations

from pathlib import Path

from bgpreflector.config import Config, ConfigError, Problem, load
from bgpreflector.config.override import override

from .config_file import config_file, where_from
from .output import say


def read_config(
    file: Path | None,
    *,
    socket: Path | None = None,
    netns: str | None = None,
    protocols: list[str] | None = None,
    interfaces: list[str] | None = None,
    **others: dict[str, object],
) -> Config:
    """The configuration of :func:`config_file`, with the command line's values before it.

    Raises :class:`ConfigError`.
    """
    found = config_file(file)
    config = Config() if found is None else load(found)
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
    return override(config, values, source="command line")


def say_configuration(file: Path | None) -> None:
    """Tell which file is judged by, where the command line does not."""
    if file is None:
        say(f"Configuration: {where_from(file)}", err=True)


def _pair(text: str) -> tuple[str, str | int]:
    linux, separator, vpp = text.partition("=")
    if not (linux and separator and vpp):
        raise ConfigError(
            "command line",
            [Problem("--interface", "must be LINUX=VPP, for instance eth0=GigabitEthernet0/8/0")],
        )
    return linux, int(vpp) if vpp.isdecimal() else vpp
