"""The report itself."""

from __future__ import annotations

import io
import json
from pathlib import Path

from rich.console import Console

from . import machine, report
from .rows import Row, at_least, at_most

ROWS = [
    Row("cold start", 1.5, "s", "bare dump", 1.0, 1.5, at_most(1.25, ratio=True)),
    Row("sync", 2e6, "routes/s", target=at_least(1e6), background_load=0.5),
    Row("overruns", 0, "", target=at_most(0), note="of none"),
    Row("encode", 12345.6, "routes/s"),
]


def test_verdicts() -> None:
    """A bound is on the ratio or on the value."""
    assert [str(row.verdict) for row in ROWS] == ["missed", "met", "met", ""]


def test_everything_is_written(tmp_path: Path) -> None:
    """JSON, a chart, and the block of the page; what stands around it stays."""
    page = tmp_path / "performance.md"
    page.write_text("before\n<!-- results -->\nearlier figures\n<!-- end of results -->\nbehind\n")
    report.write(ROWS, machine.describe(), tmp_path)
    report.write(ROWS, machine.describe(), tmp_path)
    text = page.read_text()
    assert text.startswith("before\n<!-- results -->\n")
    assert text.endswith("<!-- end of results -->\nbehind\n")
    assert "earlier" not in text
    assert "| cold start | 1.50 s | bare dump: 1 s | 1.50 | ratio ≤ 1.25 | missed | quiet |" in text
    assert "| sync | 2,000,000 routes/s |  |  | ≥ 1,000,000 | met | busy |" in text
    results = json.loads((tmp_path / "performance.json").read_text())
    assert [row["verdict"] for row in results["rows"]] == ["missed", "met", "met", ""]
    assert "<svg" in (tmp_path / "performance.svg").read_text()


def test_the_table_is_shown() -> None:
    """Every row."""
    shown = io.StringIO()
    report.show(ROWS, {"kernel": "6"}, Console(file=shown, width=160))
    assert all(row.what in shown.getvalue() for row in ROWS)
