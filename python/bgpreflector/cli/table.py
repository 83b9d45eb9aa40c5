"""Rows in columns, printed as they come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, islice

from .output import reader_has_gone, say

SAMPLE_ROWS = 200
"""Rows that decide how wide the columns are: later ones may stand out."""

MAX_WIDTH = 60
"""What makes a column no wider, but for its own row."""


def print_table(heads: Sequence[str], rows: Iterable[Sequence[str]], nothing: str) -> None:
    """A head and the rows below it, or ``nothing`` where there is none."""
    rows = iter(rows)
    first = list(islice(rows, SAMPLE_ROWS))
    if not first:
        say(nothing)
        return
    widths = [max(map(len, column)) for column in zip(heads, *map(_narrowed, first), strict=True)]
    for row in chain([heads], first, rows):
        if reader_has_gone():
            return
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        say("  ".join(cells).rstrip(), flush=False)


def _narrowed(row: Sequence[str]) -> list[str]:
    return [cell[:MAX_WIDTH] for cell in row]
