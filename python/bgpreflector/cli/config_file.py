"""Which configuration file a command reads."""

from __future__ import annotations

import os
from pathlib import Path

DEFAULT_FILE = Path("/etc/bgpreflector/bgpreflector.toml")
"""The package's own; where it is not there, every key has its default."""

VARIABLE = "BGPREFLECTOR_CONFIG"
"""The environment variable that names another; empty is as unset."""


def config_file(given: Path | None) -> Path | None:
    """The file to read: the given one, else that of the environment, else the default if it is
    there; ``None`` for none."""
    if given is not None:
        return given
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    return DEFAULT_FILE if DEFAULT_FILE.exists() else None


def where_from(given: Path | None) -> str:
    """The file, and by what it was chosen, in a phrase."""
    file = config_file(given)
    if file is None:
        return f"defaults ({DEFAULT_FILE} is not there)"
    if given is None and os.environ.get(VARIABLE):
        return f"{file} (${VARIABLE})"
    return str(file)
