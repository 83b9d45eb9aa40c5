"""Long lists are printed in blocks, and a followed one row by row."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout

from bgpreflector.cli.output import say_rows
from bgpreflector.cli.table import print_table

ROWS = 1000


class CountingOutput(io.StringIO):
    """Standard output that counts its flushes."""

    flushes = 0

    def flush(self) -> None:
        self.flushes += 1


def test_a_list_takes_no_system_call_a_line() -> None:
    with redirect_stdout(CountingOutput()) as written:
        say_rows(1, ({"row": row} for row in range(ROWS)))
        print_table(("ROW",), ([str(row)] for row in range(ROWS)), "no rows")
    assert len(written.getvalue().splitlines()) == ROWS + 1 + ROWS
    assert written.flushes == 0


def test_a_row_is_seen_before_the_next_one_is_known() -> None:
    """A program that reads ``monitor --json`` needs that."""
    printed = []

    def rows() -> Iterator[dict[str, int]]:
        for row in range(3):
            yield {"row": row}
            printed.append(
                (written.flushes, json.loads(written.getvalue().splitlines()[-1])["row"])
            )

    with redirect_stdout(CountingOutput()) as written:
        say_rows(1, rows(), flush=True)
    assert printed == [(1, 0), (2, 1), (3, 2)]
