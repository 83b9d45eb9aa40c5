"""What a user's program imports."""

from __future__ import annotations

import inspect
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


PLUGINS = (
    "EventHandler",
    "Handler",
    "Observer",
    "Route",
    "RouteOperation",
    "RoutePath",
    "RouteSink",
)


@pytest.mark.parametrize("name", [*PLUGINS, "Sink"])
def test_what_others_implement_names_nothing_private(name: str) -> None:
    """In no signature, and in no field."""
    public = getattr(bgpreflector, name)
    members = inspect.getmembers(public, inspect.isfunction)
    shown = [getattr(public, "__annotations__", {})] + [
        function.__annotations__ for key, function in members if not key.startswith("_")
    ]
    assert any(shown)
    assert [text for some in shown for text in map(str, some.values()) if "_core" in text] == []
