"""``bgpreflector simulate``."""

from __future__ import annotations

from pathlib import Path

import click

from bgpreflector import _core
from bgpreflector.errors import SimulatorError

from . import options
from .output import say
from .signals import End


@click.command
@click.option(
    "--socket",
    type=options.PATH,
    required=True,
    metavar="PATH",
    help="API socket to create.",
)
@click.option(
    "--control",
    type=options.PATH,
    metavar="PATH",
    help="Control socket for faults and statistics: one JSON object a line.",
)
@click.option(
    "--interface", multiple=True, metavar="NAME", help="A VPP interface to create; repeatable."
)
@click.option(
    "--release",
    metavar="RELEASE",
    help="VPP release to simulate, such as 24.02: its messages, and the requests that crash "
    "it. Default: all messages, and no request crashes it.",
)
@click.option(
    "--api-directory",
    type=options.PATH,
    metavar="PATH",
    help="Directory to write its .api.json file to, as VPP's packages do.",
)
def simulate(
    socket: Path,
    control: Path | None,
    interface: tuple[str, ...],
    release: str | None,
    api_directory: Path | None,
) -> None:
    """Run a simulator of VPP's API until SIGTERM or SIGINT."""
    stop = End()
    try:
        simulator = _core.Simulator(
            socket=socket,
            control_socket=control,
            interfaces=interface or ["loop0", "loop1"],
            release=release,
        )
    except (OSError, ValueError) as error:
        raise SimulatorError(str(error)) from error
    try:
        if api_directory is not None:
            _write(api_directory, simulator.api_description())
        say(f"Listening on {socket}", err=True)
        stop.wait()
    finally:
        simulator.stop()


def _write(directory: Path, description: str) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "simulator.api.json").write_text(description)
    except OSError as error:
        raise SimulatorError(f"cannot write the description of the API: {error}") from error
