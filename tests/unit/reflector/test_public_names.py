"""What a user's program imports."""

from __future__ import annotations

import inspect

import pytest

import bgpreflector


@pytest.mark.parametrize("name", bgpreflector.__all__)
def test_each_name_is_there(name: str) -> None:
    assert getattr(bgpreflector, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Reflection'"):
        _ = bgpreflector.Reflection


@pytest.mark.parametrize(
    "name",
    [
        "EventHandler",
        "Handler",
        "Observer",
        "Route",
        "RouteOperation",
        "RoutePath",
        "RouteSink",
        "Sink",
    ],
)
def test_what_others_implement_names_nothing_private(name: str) -> None:
    """In no signature, and in no field."""
    public = getattr(bgpreflector, name)
    members = inspect.getmembers(public, inspect.isfunction)
    annotations = [getattr(public, "__annotations__", {})] + [
        function.__annotations__ for key, function in members if not key.startswith("_")
    ]
    assert any(annotations)
    assert [
        text for found in annotations for text in map(str, found.values()) if "_core" in text
    ] == []
