"""The rows as a table to read, as JSON, as Markdown, and as a chart."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .background_load import BUSY, load_name
from .chart import draw
from .rows import Row

HEAD = ("what", "ours", "peer or limit", "ratio", "target", "", "machine")
BLOCK = re.compile(r"(?<=<!-- results -->\n).*?(?=<!-- end of results -->)", re.DOTALL)
"""What `write` replaces in ``performance.md``, where there is one."""


def show(rows: Sequence[Row], machine: dict[str, str], console: Console) -> None:
    """Prints the table."""
    table = Table(*HEAD, title="bgpreflector's benchmarks", title_justify="left")
    for row in rows:
        style = {"met": "green", "missed": "red"}.get(str(row.verdict), "")
        table.add_row(*_cells(row), style=style)
    console.print(table)
    console.print(
        f"busy: other processes had more than {BUSY:.0%} of the processors meanwhile",
        style="dim",
    )
    console.print("; ".join(f"{name} {value}" for name, value in machine.items()), style="dim")


def write(rows: Sequence[Row], machine: dict[str, str], directory: Path) -> None:
    """Writes ``performance.json`` and ``performance.svg`` and renews ``performance.md``."""
    directory.mkdir(parents=True, exist_ok=True)
    results = {"machine": machine, "rows": [row.as_json() for row in rows]}
    text = json.dumps(results, indent=1, ensure_ascii=False)
    (directory / "performance.json").write_text(f"{text}\n")
    draw(rows, directory / "performance.svg")
    page = directory / "performance.md"
    if page.exists():
        page.write_text(BLOCK.sub(lambda _: markdown(rows, machine), page.read_text()))


def markdown(rows: Sequence[Row], machine: dict[str, str]) -> str:
    """The table in Markdown, and under it the machine."""
    lines = [HEAD, ["---"] * len(HEAD), *map(_cells, rows)]
    table = "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
    versions = "".join(f"| {name} | {value} |\n" for name, value in machine.items())
    return f"\n{table}\n| | |\n| --- | --- |\n{versions}\n"


def quantity(value: float, unit: str) -> str:
    """A value with as many digits as mean something."""
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}".strip()


def _cells(row: Row) -> list[str]:
    peer = "" if row.peer is None else quantity(row.peer, row.unit)
    target = "" if row.target is None else str(row.target)
    return [
        row.what + (f" ({row.note})" if row.note else ""),
        quantity(row.value, row.unit),
        f"{row.peer_name}: {peer}" if peer else row.peer_name,
        "" if row.ratio is None else f"{row.ratio:,.2f}",
        target,
        str(row.verdict),
        load_name(row.background_load),
    ]
