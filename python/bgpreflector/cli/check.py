"""``bgpreflector check``."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable
from pathlib import Path

import click

from bgpreflector.config import Config, ConfigError, Problem, load, with_environment
from bgpreflector.config.environment import given_by

from . import options
from .config_file import DEFAULT_FILE, VARIABLE, config_file
from .output import say

SCHEMA = 1
"""Version of the JSON object; it grows when a field changes its meaning or goes."""


@click.command
@click.argument(
    "file",
    type=options.PATH,
    required=False,
    help="Configuration file to check. Default: as that of `run`.",
)
@options.config_file
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON object: the mistakes, or the whole configuration.",
)
def check(file: Path | None, config: Path | None, as_json: bool) -> None:
    """Check a configuration file; every mistake is named by its key.

    The handlers that it names (handlers.load) are loaded, as by `run`.
    """
    if file and config:
        raise click.BadParameter("name the file once: as FILE, or by --config")
    found = config_file(file or config)
    if found is None:
        raise ConfigError(
            str(DEFAULT_FILE), [Problem("", f"there is no such file; name one, or set ${VARIABLE}")]
        )
    try:
        checked = with_environment(load(found), os.environ)
        _load_handlers(checked, str(found))
    except ConfigError as wrong:
        if as_json:
            say(json.dumps(_object(None, wrong.problems), default=str, allow_nan=False))
        raise
    if as_json:
        say(json.dumps(_object(checked)))
        return
    say(f"{found}: the configuration is valid")
    for key, name in given_by(os.environ).items():
        say(f"  {key}: by {name}, before the file's")
    for key in checked.ignored:
        say(f"  {key}: not ours, ignored")
    if not checked.use_external_ipam:
        say("  use_external_ipam is false: nothing will be reflected")
    tables = json.dumps({str(k): v for k, v in checked.table_map.items()})
    say(f"  kernel tables to VPP tables: {tables}")
    if checked.kernel.discover:
        say(f"  discovered kernel tables: {_discovered(checked)}")


def _load_handlers(config: Config, file: str) -> None:
    """Make them, as a run does. Raises :class:`ConfigError`."""
    if not config.handlers.load:
        return
    # Its imports take longer than all the rest of the command.
    from bgpreflector.daemon.handlers import load_handlers  # noqa: PLC0415

    try:
        load_handlers(config)
    except ConfigError as wrong:
        raise ConfigError(file, wrong.problems) from wrong


def _discovered(config: Config) -> str:
    """Which, and the VPP tables that they go into."""
    ranges = config.kernel.model_copy(update={"tables": ()}).tables_text
    free = config.free_tables
    into = "the VPP table of its number" if free is None else f"a free one of {free[0]}-{free[1]}"
    named = "".join(f", {kernel} into {vpp}" for kernel, vpp in config.further_tables.items())
    return f"{ranges}, each into {into}{named}"


def _object(config: Config | None, problems: Iterable[Problem] = ()) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "valid": config is not None,
        "problems": [
            {"key": problem.key, "message": problem.message}
            | ({"value": _as_json(problem.value)} if problem.has_value else {})
            for problem in problems
        ],
        "environment": {} if config is None else given_by(os.environ),
        "ignored": [] if config is None else list(config.ignored),
        "configuration": None if config is None else config.model_dump(mode="json"),
    }


def _as_json(value: object) -> object:
    """JSON has no nan and inf, and its keys are texts: these become text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _as_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_as_json(inner) for inner in value]
    return value
