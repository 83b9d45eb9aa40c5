"""``bgpreflector check``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bgpreflector.config import load


def check(
    file: Annotated[Path, typer.Argument(help="Configuration file to check.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the whole configuration as JSON.")
    ] = False,
) -> None:
    """Check a configuration file; every mistake is named by its key."""
    config = load(file)
    if as_json:
        typer.echo(config.model_dump_json(indent=2))
        return
    typer.echo(f"{file}: the configuration is valid")
    for key in config.ignored:
        typer.echo(f"  {key}: not ours, ignored")
    if not config.use_external_ipam:
        typer.echo("  use_external_ipam is false: nothing will be reflected")
    tables = json.dumps({str(k): v for k, v in config.table_map.items()})
    typer.echo(f"  kernel tables to VPP tables: {tables}")
