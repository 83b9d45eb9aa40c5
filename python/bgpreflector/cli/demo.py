"""``bgpreflector demo``."""

from __future__ import annotations

import click
from click.exceptions import Exit
from rich.console import Console

from bgpreflector.config import LogConfig
from bgpreflector.demo import enter_namespace, run_demo

from .exit_codes import ExitCode
from .logs import configure_logging

MAX_SHOWN = 10


@click.command(short_help="Run a demonstration without VPP.")
@click.option(
    "--routes",
    type=click.IntRange(10, 1_000_000),
    default=100_000,
    show_default=True,
    metavar="N",
    help="Number of kernel routes.",
)
def demo(routes: int) -> None:
    """Run a demonstration without VPP: reflect real kernel routes into the embedded simulator."""
    enter_namespace()
    configure_logging(LogConfig(level="warning"))
    console = Console()
    result = run_demo(console, routes)
    for difference in result.differences[:MAX_SHOWN]:
        console.print(f"  {difference}", highlight=False)
    if result.differences:
        raise Exit(ExitCode.DIFFERENT)
    console.print("[green]Kernel and VPP agree.[/]")
