"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .config_file import DEFAULT_FILE, VARIABLE

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="Configuration file: TOML, or a Contiv contiv.conf. "
        f"Default: that of ${VARIABLE}, else {DEFAULT_FILE} where it is there.",
    ),
]
Socket = Annotated[Path | None, typer.Option("--socket", metavar="PATH", help="VPP's API socket.")]
Netns = Annotated[
    str | None,
    typer.Option("--netns", metavar="NETNS", help="Network namespace to read, by name or path."),
]
Protocols = Annotated[
    list[str] | None,
    typer.Option(
        "--protocol",
        metavar="PROTOCOL",
        help="Routing protocol to mirror, by number or name; repeatable.",
    ),
]
Interfaces = Annotated[
    list[str] | None,
    typer.Option(
        "--interface", metavar="LINUX=VPP", help="VPP interface for a Linux one; repeatable."
    ),
]
ControlSocket = Annotated[
    Path | None,
    typer.Option(
        "--control", metavar="PATH", help="The daemon's control socket; before that of --config."
    ),
]
