"""Tracebacks in the log are bounded, in both formats."""

from __future__ import annotations

import logging

import pytest

from bgpreflector.cli.logs import TRACEBACK, set_log
from bgpreflector.config import LogConfig


@pytest.mark.parametrize("style", ["text", "json"])
@pytest.mark.parametrize("deep", [1, 400])
def test_a_log_entry_is_bounded(style: str, deep: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever local variables and messages hold."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        set_log(LogConfig.model_validate({"format": style}))
        try:
            fail(deep, "x" * 100_000)
        except ValueError:
            logging.getLogger("bgpreflector").exception("It failed")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    written = capsys.readouterr().err
    assert "ValueError: xxx" in written
    assert "It failed" in written
    assert len(written) < TRACEBACK + 1000


def fail(depth: int, text: str) -> None:
    """Some calls down."""
    if depth:
        fail(depth - 1, text)
    raise ValueError(text[: 10_000 * (1 - min(depth, 1))])
