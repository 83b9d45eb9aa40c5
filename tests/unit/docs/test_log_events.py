"""The compiled module's log records have names and fields, as those of Python have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[3] / "rust"
CALL = re.compile(r"log::(?:error|warn|info|debug|log)!\((.*?)\)[;,]?\n", re.DOTALL)


@pytest.mark.parametrize("crate", ["core", "engine"])
def test_each_record_has_an_event(crate: str) -> None:
    """A program finds it by a name that does not change, whatever the sentence is."""
    files = sorted((SOURCES / crate / "src").rglob("*.rs"))
    calls = [(file, text) for file in files for text in CALL.findall(file.read_text())]
    nameless = [(str(file), text) for file, text in calls if 'event = "' not in text]
    assert not nameless
    assert crate == "core" or len(calls) > 30
