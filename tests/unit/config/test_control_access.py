"""Who can connect to the control socket: ``control.group`` and ``control.mode``."""

from __future__ import annotations

import pytest

from bgpreflector.config import loads
from config.config_support import problems


@pytest.mark.parametrize(
    ("written", "mode"),
    [
        ("", 0o600),
        ('group = "adm"', 0o660),
        ('mode = "0666"', 0o666),
        ('group = "adm"\nmode = "600"', 0o600),
    ],
)
def test_the_mode_follows_the_group(written: str, mode: int) -> None:
    """Unless it is given itself."""
    assert loads(f"[control]\n{written}").control.file_mode == mode


@pytest.mark.parametrize("mode", ["660", "432", '"rw-rw----"', '"06660"', '"460"', '"680"', "true"])
def test_a_mode_is_octal_and_in_quotes(mode: str) -> None:
    """Without them 660 would be another number; and the owner has to be able to connect."""
    (problem,) = problems(f"[control]\nmode = {mode}")
    assert problem.startswith("control.mode = ")
    assert "three octal digits in quotes" in problem
