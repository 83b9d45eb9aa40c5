"""What a program of one's own imports."""

from __future__ import annotations

import subprocess
import sys

import pytest

import bgpreflector


@pytest.mark.parametrize("name", bgpreflector.__all__)
def test_each_name_is_there(name: str) -> None:
    assert getattr(bgpreflector, name).__name__ == name


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Reflection'"):
        _ = bgpreflector.Reflection


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    program = "import sys, bgpreflector; print('bgpreflector._core' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
