"""``bgpreflector demo``."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from bgpreflector.config import LogConfig
from bgpreflector.demo import enter_namespace, run_demo

from .exit_codes import ExitCode
from .logs import configure_logging

SHOWN = 10


def demo(
    routes: Annotated[
        int, typer.Option(metavar="N", min=10, max=1_000_000, help="Kernel routes.")
    ] = 100_000,
) -> None:
    """Show it all without a VPP: real kernel routes into the embedded one."""
    enter_namespace()
    configure_logging(LogConfig(level="warning"))
    console = Console()
    result = run_demo(console, routes)
    for difference in result.differences[:SHOWN]:
        console.print(f"  {difference}", highlight=False)
    if result.differences:
        raise typer.Exit(ExitCode.DIFFERENT)
    console.print("[green]Kernel and VPP agree.[/]")
