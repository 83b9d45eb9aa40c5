"""``bgpreflector simulate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bgpreflector import _core

from .end import End


def simulate(
    socket: Annotated[Path, typer.Option(help="Where to listen, as VPP's API socket.")],
    control: Annotated[
        Path | None,
        typer.Option(help="Where to take orders for faults and figures: JSON, one a line."),
    ] = None,
    interface: Annotated[
        list[str] | None, typer.Option(help="An interface that it shall have; repeatable.")
    ] = None,
) -> None:
    """Be a VPP, as far as its API tells, until SIGTERM or SIGINT."""
    stop = End()
    simulator = _core.Simulator(
        socket=socket, control_socket=control, interfaces=interface or ["loop0", "loop1"]
    )
    typer.echo(f"Listening on {socket}", err=True)
    try:
        stop.wait()
    finally:
        simulator.stop()
