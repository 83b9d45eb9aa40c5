"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from .config_file import DEFAULT_FILE, VARIABLE

C = TypeVar("C", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)
"""A path, whether or not there is something."""

config_file = click.option(
    "--config",
    "-c",
    type=PATH,
    metavar="FILE",
    help="Configuration file: TOML, or a Contiv contiv.conf. "
    f"Default: ${VARIABLE}, else {DEFAULT_FILE} if it exists.",
)
socket = click.option("--socket", type=PATH, metavar="PATH", help="VPP's API socket.")
netns = click.option("--netns", metavar="NETNS", help="Network namespace to read, by name or path.")
protocols = click.option(
    "--protocol",
    multiple=True,
    metavar="PROTOCOL",
    help="Routing protocol to mirror, by number or name; repeatable.",
)
interfaces = click.option(
    "--interface",
    multiple=True,
    metavar="LINUX=VPP",
    help="VPP interface for a Linux one; repeatable.",
)
control_socket = click.option(
    "--control",
    type=PATH,
    metavar="PATH",
    help="The daemon's control socket; overrides that of --config.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
as_json_lines = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object a line."
)


def configuration(command: C) -> C:
    """The configuration file, and the options that go before its keys."""
    for option in (interfaces, protocols, netns, socket, config_file):
        command = option(command)
    return command
