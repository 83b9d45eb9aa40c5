"""The command line, as a process that ends by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The project's."""

PROGRAM = (sys.executable, "-m", "bgpreflector")
TIMEOUT = 120.0
"""Seconds."""


def run_command(
    *arguments: str, exit_code: int | None = 0, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end; fails where it ends with another exit code (None: with any).

    ``environment`` is added to this process's own.
    """
    done = subprocess.run(
        [*PROGRAM, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        env={**os.environ, **(environment or {})},
    )
    if exit_code is not None:
        assert done.returncode == exit_code, done.stdout + done.stderr
    return done


def run_tool(*argv: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    """Runs another program and returns its output; fails with all that it wrote."""
    done = subprocess.run(
        argv, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{argv}\n{done.stdout}{done.stderr}"
    return done.stdout
