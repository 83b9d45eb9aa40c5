"""How near each figure is to its target, as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from .rows import Row, Verdict

COLOURS = {Verdict.MET: "#2a7f62", Verdict.MISSED: "#c0392b"}
LEAST = 0.02
"""What is further away from its target is drawn here."""


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draws a bar for each row that has a target: 1 is the target, more is better."""
    targeted = [(row, fulfilment(row)) for row in rows if row.verdict]
    # The same rows give the same file.
    with rc_context({"svg.hashsalt": "bgpreflector", "font.size": 9}):
        figure = Figure(figsize=(9, 1 + 0.28 * max(1, len(targeted))), layout="constrained")
        axes = figure.subplots()
        places = range(len(targeted))
        axes.barh(
            places,
            [value - LEAST for _, value in targeted],
            left=LEAST,
            color=[COLOURS[row.verdict] for row, _ in targeted],
        )
        axes.set_yticks(places, [row.what for row, _ in targeted])
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.axvline(1, color="black", linewidth=1)
        axes.set_xlabel("times the target: right of the line it is met")
        figure.savefig(path, format="svg", metadata={"Date": None})


def fulfilment(row: Row) -> float:
    """How many times as good as the target it is, between 0.02 and 50."""
    if row.target is None:
        return LEAST
    value = row.ratio if row.target.of_ratio else row.value
    if value is None:
        return LEAST
    good, bad = (value, row.target.bound) if row.target.at_least else (row.target.bound, value)
    if bad <= 0:
        return 1 / LEAST if good > 0 else 1.0
    return min(max(good / bad, LEAST), 1 / LEAST)
