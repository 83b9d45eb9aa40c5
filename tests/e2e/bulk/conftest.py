"""Shows the figures of the tests of many routes."""

from __future__ import annotations

import pytest

from .size import Figures

LINES = pytest.StashKey[list[str]]()


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """What a test has seen, to be shown after all tests."""
    name = request.node.name
    lines = request.config.stash.setdefault(LINES, [])
    return lambda line: lines.append(f"{name}: {line}")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Shows the figures."""
    lines = config.stash.get(LINES, [])
    if lines:
        terminalreporter.section("many routes")
    for line in lines:
        terminalreporter.write_line(line)
