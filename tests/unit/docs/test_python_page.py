"""What the pages and docstrings show of the Python API is what happens."""

from __future__ import annotations

import doctest
import re
from importlib import import_module
from pathlib import Path

import pytest
from sybil.document import Document
from sybil.parsers.markdown import PythonCodeBlockParser

PAGE = Path(__file__).parents[3] / "docs" / "python.md"
LONGEST = 30
"""Lines of an example."""

MODULES = {
    "bgpreflector.config.load": 2,
    "bgpreflector.controller.handler": 1,
    "bgpreflector.controller.observer": 1,
    "bgpreflector.controller.sink": 1,
    "bgpreflector.controller.transaction": 1,
    "bgpreflector.reflector.plugin": 2,
    "bgpreflector.reflector.route_sink": 1,
    "bgpreflector.routes.operation": 2,
    "bgpreflector.routes.route": 2,
    "bgpreflector.reflector.update": 1,
}
"""Public modules, and how many of their docstrings have examples at least."""


def test_the_page() -> None:
    examples = list(Document.parse(str(PAGE), PythonCodeBlockParser()).examples())
    assert len(examples) > 20
    for example in examples:
        example.evaluate()


def test_each_example_is_short() -> None:
    blocks = re.findall(r"```\w+\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) > 5
    assert {block.count("\n") for block in blocks if block.count("\n") > LONGEST} == set()


@pytest.mark.parametrize(("name", "count"), MODULES.items())
def test_docstrings(name: str, count: int) -> None:
    module = import_module(name)
    shown = [test for test in doctest.DocTestFinder().find(module) if test.examples]
    assert len(shown) >= count
    assert doctest.testmod(module).failed == 0
