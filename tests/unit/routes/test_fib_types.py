"""VPP's numbers in Python are those of the compiled module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bgpreflector import _core
from bgpreflector.fib_types import INDEX_INVALID, PathType, path_type_name
from bgpreflector.routes.paths import path_row, path_text


@pytest.fixture
def engine() -> Iterator[_core.Engine]:
    made = _core.Engine(
        protocols=[12],
        tables={254: 0},
        families=["ipv4"],
        foreign_routes="hide",
        receive_buffer=1 << 20,
    )
    yield made
    made.close()


@pytest.mark.parametrize("path_type", PathType)
def test_both_name_a_path_type_alike(engine: _core.Engine, path_type: PathType) -> None:
    """Of a path without an interface: a normal one is a lookup in a table."""
    path: _core._PathTuple = (path_type, 0, None, INDEX_INVALID, 7, 1, 0, [])
    texts, _ = engine.compare_route(0, "10.0.0.0/8", [path])
    assert texts == [path_text(path_row(path, {}))]
    assert texts[0].startswith(("lookup in table 7", path_type_name(path_type)))


def test_an_interface_is_named_by_both(engine: _core.Engine) -> None:
    path: _core._PathTuple = (PathType.NORMAL, 0, None, INDEX_INVALID - 1, 0, 1, 0, [])
    texts, _ = engine.compare_route(0, "10.0.0.0/8", [path])
    assert texts == [path_text(path_row(path, {}))] == [f"attached sw_if_index {INDEX_INVALID - 1}"]
