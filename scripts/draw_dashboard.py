"""Draws the Grafana dashboard from a Prometheus, where there is no Grafana.

Usage: draw_dashboard.py http://127.0.0.1:9090 START END PICTURE (times in seconds since 1970)
"""

from __future__ import annotations

import json
import re
import sys
import urllib.parse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import matplotlib.ticker

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.gridspec import GridSpec

DASHBOARD = Path("packaging/grafana/bgpreflector.json")
COLUMNS = 24
STEP = 2
"""Seconds between points."""

WINDOW = "20s"
"""What Grafana would choose for rates."""

UNITS = {"bytes": "B", "reqps": "/s"}
COLOURS = {"green": "#56a64b", "orange": "#ff9830", "red": "#e02f44"}
NAMES = {"bgpreflector_build_info": "bgpreflector", "bgpreflector_vpp_info": "VPP"}
STATES = {"0": "no", "1": "yes"}


class Prometheus:
    """Its query interface."""

    def __init__(self, base: str, start: float, end: float) -> None:
        self._base = base
        self._start = start
        self._end = end

    @property
    def minutes(self) -> tuple[float, float]:
        """The time that is drawn, from its own beginning."""
        return 0, (self._end - self._start) / 60

    def series(self, expression: str) -> list[dict[str, Any]]:
        """The points of a query, in the time that is drawn."""
        query = re.sub(r"\$__(rate_)?interval", WINDOW, expression)
        query = re.sub(r"\$(instance|job)", ".*", query)
        asked = {"query": query, "start": self._start, "end": self._end, "step": STEP}
        url = f"{self._base}/api/v1/query_range?{urllib.parse.urlencode(asked)}"
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - the operator's own
            return list(json.load(answer)["data"]["result"])


def main() -> None:
    """Draw every panel at its place."""
    base, start, end, picture = sys.argv[1:]
    prometheus = Prometheus(base, float(start), float(end))
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    plt.rcParams.update({"font.size": 7, "axes.titlesize": 8})
    colours = [mpl.colormaps["tab20"](number) for number in range(20)]
    plt.rcParams["axes.prop_cycle"] = mpl.rcsetup.cycler("color", colours)
    figure = plt.figure(figsize=(14, rows * 0.28))
    grid = figure.add_gridspec(rows, COLUMNS, left=0.04, right=0.99, top=0.99, bottom=0.01)
    for panel in panels:
        axes = figure.add_subplot(_place(panel, grid))
        if panel["type"] == "timeseries":
            _draw_lines(axes, panel, prometheus, float(start))
        else:
            _write(axes, panel, prometheus)
    figure.savefig(picture, dpi=90)


def _place(panel: dict[str, Any], grid: GridSpec) -> Any:
    at = panel["gridPos"]
    # The last lines of a panel are left to the next one's title and its own legend.
    spare = 2 if panel["type"] == "timeseries" else 0
    inset = 1 if panel["type"] == "timeseries" else 0
    return grid[
        at["y"] + inset : at["y"] + at["h"] - spare + inset,
        at["x"] + inset * (at["x"] > 0) : at["x"] + at["w"],
    ]


def _draw_lines(axes: Axes, panel: dict[str, Any], prometheus: Prometheus, start: float) -> None:
    for target in panel["targets"]:
        for series in prometheus.series(target["expr"]):
            times = [(float(when) - start) / 60 for when, _ in series["values"]]
            values = [float(value) for _, value in series["values"]]
            label = _legend(target["legendFormat"], series["metric"])
            if any(values) or len(panel["targets"]) == 1:
                axes.plot(times, values, linewidth=0.9, label=label)
    unit = panel["fieldConfig"]["defaults"]["unit"]
    if unit == "s":
        axes.yaxis.set_major_formatter("{x:g} s")
    else:
        named = UNITS.get(unit, "")
        axes.yaxis.set_major_formatter(
            matplotlib.ticker.EngFormatter(sep=" " if named else "", unit=named)
        )
    axes.set_ylim(0, 1.1 * max(axes.dataLim.y1, 1e-9) if axes.lines else 1)
    axes.set_xlim(*prometheus.minutes)
    axes.xaxis.set_major_formatter("{x:g} min")
    axes.grid(alpha=0.3)
    if not axes.lines:
        axes.text(0.5, 0.5, "0 all the time", ha="center", va="center", transform=axes.transAxes)
        axes.set_yticks([0])
    axes.set_title(panel["title"], loc="left", fontweight="bold")
    handles, _ = axes.get_legend_handles_labels()
    if handles:
        axes.legend(
            loc="upper left", bbox_to_anchor=(0, -0.1), ncols=7, frameon=False, fontsize=5.5
        )


def _legend(template: str, labels: dict[str, str]) -> str:
    return re.sub(r"{{(\w+)}}", lambda name: labels.get(name[1], ""), template)


def _write(axes: Axes, panel: dict[str, Any], prometheus: Prometheus) -> None:
    axes.set_axis_off()
    if panel["type"] == "row":
        axes.text(0, 0.5, f"▾ {panel['title']}", va="center", fontsize=10, fontweight="bold")
        return
    found = [one for target in panel["targets"] for one in prometheus.series(target["expr"])]
    if panel["type"] == "table":
        versions = [
            f"{NAMES[one['metric']['__name__']]} {one['metric']['version']}" for one in found
        ]
        axes.text(0, 0.6, f"{panel['title']}: {', '.join(versions)}", fontsize=8)
        return
    value = float(found[0]["values"][-1][1]) if found else float("nan")
    defaults = panel["fieldConfig"]["defaults"]
    text = STATES[f"{value:g}"] if "mappings" in defaults else f"{value:,.3g}"
    if defaults["unit"] == "short" and "mappings" not in defaults:
        text = f"{value:,.0f}"
    steps = defaults.get("thresholds", {}).get("steps", [])
    passed = [step["color"] for step in steps if step["value"] is None or value >= step["value"]]
    colour = COLOURS[passed[-1]] if passed else "#888888"
    axes.add_patch(Rectangle((0.02, 0.05), 0.96, 0.7, color=colour))
    axes.text(0.5, 0.4, text, ha="center", va="center", fontsize=15, color="white")
    axes.text(0.5, 0.85, panel["title"], ha="center", fontsize=8, fontweight="bold")


if __name__ == "__main__":
    main()
