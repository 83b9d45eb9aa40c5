"""The path of a control socket."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The socket's path, in a directory that is created with it."""
    return tmp_path / "run" / "c.sock"
