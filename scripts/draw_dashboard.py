"""Draws the Grafana dashboard from a Prometheus, where there is no Grafana.

Usage: draw_dashboard.py http://127.0.0.1:9090 START END PICTURE (times in seconds since 1970)

Prometheus scrapes every two seconds. Variables and intervals are filled in as Grafana does it with
"All" chosen and that scrape interval set at its data source.
"""

from __future__ import annotations

import json
import re
import sys
import urllib.parse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
from PIL import Image

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, MultipleLocator

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend

DASHBOARD = Path("packaging/grafana/bgpreflector.json")

COLUMNS = 24
WIDTH, ROW, HEADER, DPI = 11.0, 0.3, 0.4, 110
"""Inches: of the picture, of a row of the dashboard's grid, of the line above it."""

TITLE, TICKS, LEFT, RIGHT, GAP = 0.3, 0.28, 0.75, 0.15, 0.05
"""Inches around a panel's axes, and between panels."""

SCRAPE = 2
"""Seconds between scrapes and between points: Grafana's ``$__interval`` here."""

INTERVALS = {"__rate_interval": f"{4 * SCRAPE}s", "__interval": f"{SCRAPE}s"}

UNITS = {"reqps": "req/s", "mps": "msg/s", "short": ""}
"""As Grafana shows its units' ids."""

FACTORS = (("M", 1e6), ("K", 1e3))
MEBI = 1 << 20

COLOURS = {"green": "#56a64b", "orange": "#ff9830", "red": "#e02f44"}
VERSIONS = {
    "bgpreflector_build_info": ("bgpreflector", "version"),
    "bgpreflector_vpp_info": ("VPP", "version"),
    "bgpreflector_source_info": ("Source", "source"),
}
"""Column and label of each query of the table."""

Series = dict[str, Any]


class Box(NamedTuple):
    """A panel's place: inches from the left and the bottom, width and height."""

    x: float
    y: float
    width: float
    height: float


class Prometheus:
    """Its query interface."""

    def __init__(self, base: str, start: float, end: float) -> None:
        self._base = base
        self._span = {"start": start, "end": end}
        self._variables = dict(INTERVALS)
        self.start = start
        self.minutes = (end - start) / 60

    def choose_all(self, variables: list[dict[str, Any]]) -> None:
        """Gives each variable that is a query all its values."""
        for variable in variables:
            if variable["type"] != "query":
                continue
            asked = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["definition"])
            if asked is None:
                sys.exit(f"variable {variable['name']}: not label_values(SERIES, LABEL)")
            selector = {"match[]": self._fill_in(asked[1])}
            values = self._ask(f"label/{asked[2]}/values", selector)
            # Twice: once for the string of PromQL, once for the expression in it.
            escaped = [re.sub(r"([\\^$*+?.()|{}\[\]])", r"\\\\\1", value) for value in values]
            chosen = escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"
            self._variables[variable["name"]] = chosen

    def series(self, expression: str) -> list[Series]:
        """The points of a query, in the time that is drawn."""
        asked = {"query": self._fill_in(expression), "step": SCRAPE}
        return list(self._ask("query_range", asked)["result"])

    def _fill_in(self, expression: str) -> str:
        return re.sub(r"\$(\w+)", lambda name: self._variables[name[1]], expression)

    def _ask(self, what: str, asked: dict[str, Any]) -> Any:
        query = urllib.parse.urlencode(asked | self._span)
        with urllib.request.urlopen(  # noqa: S310 - the operator's own
            f"{self._base}/api/v1/{what}?{query}", timeout=30
        ) as answer:
            return json.load(answer)["data"]


def main() -> None:
    """Draw every panel at its place."""
    base, start, end, picture = sys.argv[1:]
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    variables, panels = dashboard["templating"]["list"], dashboard["panels"]
    prometheus = Prometheus(base, float(start), float(end))
    prometheus.choose_all(variables)
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    dark_first = [*range(0, 20, 2), *range(1, 20, 2)]
    colours = [mpl.colormaps["tab20"](number) for number in dark_first]
    plt.rcParams.update({"font.size": 9, "axes.prop_cycle": mpl.rcsetup.cycler("color", colours)})
    figure = plt.figure(figsize=(WIDTH, HEADER + rows * ROW), dpi=DPI)
    chosen = [f"{one['label']}: All" for one in variables if one["type"] == "query"]
    _say(figure, 0.1, figure.get_figheight() - HEADER / 2, "     ".join(chosen))
    for panel in panels:
        _draw(figure, _box(panel, rows), panel, prometheus)
    figure.savefig(picture)
    _shrink(Path(picture))


def _box(panel: dict[str, Any], rows: int) -> Box:
    at, column = panel["gridPos"], WIDTH / COLUMNS
    bottom = (rows - at["y"] - at["h"]) * ROW
    return Box(
        at["x"] * column + GAP, bottom + GAP, at["w"] * column - 2 * GAP, at["h"] * ROW - 2 * GAP
    )


def _draw(figure: Figure, box: Box, panel: dict[str, Any], prometheus: Prometheus) -> None:
    if panel["type"] == "row":
        middle = box.y + box.height / 2
        _say(figure, box.x, middle, f"▾ {panel['title']}", fontsize=11, weight="bold")
        return
    _frame(figure, box, facecolor="none", edgecolor="#c8c8c8")
    _say(figure, box.x + 0.1, box.y + box.height - TITLE / 2, panel["title"], weight="bold")
    found = [(target, prometheus.series(target["expr"])) for target in panel["targets"]]
    if panel["type"] == "timeseries":
        _draw_lines(figure, box, panel, found, prometheus)
    elif panel["type"] == "stat":
        _write_value(figure, box, panel, found[0][1])
    else:
        _write_table(figure, box, [one for _, series in found for one in series])


def _draw_lines(
    figure: Figure,
    box: Box,
    panel: dict[str, Any],
    found: list[tuple[dict[str, Any], list[Series]]],
    prometheus: Prometheus,
) -> None:
    axes = figure.add_axes((0, 0, 1, 1))
    named = [
        (_label(target["legendFormat"], series["metric"]), series)
        for target, listed in found
        for series in listed
    ]
    for label, series in named:
        if len(named) == 1 or any(float(value) != 0 for _, value in series["values"]):
            axes.plot(*_points(series, prometheus.start), linewidth=1.2, label=label)
    always_0 = len(named) - len(axes.lines)
    highest = axes.dataLim.y1 if axes.lines else 0
    axes.set_ylim(0, 1.1 * highest if highest > 0 else 1)
    _write_axes(axes, panel["fieldConfig"]["defaults"]["unit"], prometheus.minutes)
    if not axes.lines:
        axes.set_yticks([])
        said = "0 all the time" if named else "No data"
        axes.text(0.5, 0.5, said, ha="center", va="center", transform=axes.transAxes)
    legend = _legend(axes, box, always_0 if axes.lines else 0)
    below = 0.0 if legend is None else legend.get_window_extent().height / DPI
    height = box.height - TITLE - TICKS - below
    axes.set_position(
        _share(
            figure,
            Box(box.x + LEFT, box.y + below + TICKS, box.width - LEFT - RIGHT, height),
        )
    )


def _points(series: Series, start: float) -> tuple[list[float], list[float]]:
    """Minutes and values, with a gap wherever there was no scrape."""
    times: list[float] = []
    values: list[float] = []
    for when, value in series["values"]:
        minute = (float(when) - start) / 60
        if times and minute - times[-1] > 1.5 * SCRAPE / 60:
            times.append(minute)
            values.append(float("nan"))
        times.append(minute)
        values.append(float(value))
    return times, values


def _write_axes(axes: Axes, unit: str, minutes: float) -> None:
    axes.yaxis.set_major_formatter(lambda value, _: _with_unit(value, unit))
    scale = MEBI if unit == "bytes" else 1
    ticks = MaxNLocator(5).tick_values(0, axes.get_ylim()[1] / scale)
    axes.set_yticks([tick * scale for tick in ticks if tick * scale <= axes.get_ylim()[1]])
    axes.set_xlim(0, minutes)
    axes.xaxis.set_major_locator(MultipleLocator(1))
    axes.xaxis.set_major_formatter("{x:g} min")
    axes.tick_params(labelsize=8, length=2)
    axes.grid(alpha=0.3)


def _with_unit(value: float, unit: str) -> str:
    if unit == "percentunit":
        return f"{100 * value:g}%"
    if unit == "bytes":
        return f"{value / MEBI:g} MiB"
    if unit == "s":
        return f"{value:g} s"
    sign, factor = next((pair for pair in FACTORS if abs(value) >= pair[1]), ("", 1))
    return f"{value / factor:g}{sign} {UNITS[unit]}".rstrip()


def _legend(axes: Axes, box: Box, always_0: int) -> Legend | None:
    """Below the axes, in as many columns as the panel has room for; drawn at its place."""
    handles: list[Any] = list(axes.lines)
    if always_0:
        handles.append(Line2D([], [], color="none", label=f"({always_0} more stay 0)"))
    figure = axes.get_figure()
    if not handles or not isinstance(figure, Figure):
        return None
    corner = _share(figure, Box(box.x + 0.05, box.y, 0, 0))[:2]
    for columns in range(len(handles), 0, -1):
        legend = axes.legend(
            handles=handles, loc="lower left", bbox_to_anchor=corner, ncols=columns,
            bbox_transform=figure.transFigure, frameon=False, borderaxespad=0,
            handlelength=1.2, handletextpad=0.4, columnspacing=1.2, labelspacing=0.25,
        )  # fmt: skip
        if legend.get_window_extent().width <= (box.width - 0.1) * DPI:
            break
    return legend


def _label(template: str, labels: dict[str, str]) -> str:
    return re.sub(r"{{(\w+)}}", lambda name: labels.get(name[1], ""), template)


def _write_value(figure: Figure, box: Box, panel: dict[str, Any], found: list[Series]) -> None:
    value = float(found[0]["values"][-1][1]) if found else float("nan")
    defaults = panel["fieldConfig"]["defaults"]
    text = f"{value:,.3g} s" if defaults["unit"] == "s" else f"{value:,.0f}"
    for mapping in defaults.get("mappings", []):
        text = mapping["options"][f"{value:g}"]["text"]
    steps = defaults.get("thresholds", {}).get("steps", [])
    passed = [step["color"] for step in steps if step["value"] is None or value >= step["value"]]
    colour = COLOURS[passed[-1]] if passed else "#888888"
    field = Box(box.x + 0.08, box.y + 0.08, box.width - 0.16, box.height - TITLE - 0.08)
    _frame(figure, field, facecolor=colour, edgecolor="none")
    middle = field.x + field.width / 2, field.y + field.height / 2
    _say(figure, *middle, text, ha="center", fontsize=16, color="white")


def _write_table(figure: Figure, box: Box, found: list[Series]) -> None:
    routers: dict[str, dict[str, str]] = {}
    for one in found:
        column, label = VERSIONS[one["metric"]["__name__"]]
        routers.setdefault(one["metric"]["instance"], {})[column] = one["metric"][label]
    columns = ["Router", *(column for column, _ in VERSIONS.values())]
    lines = [dict(zip(columns, columns, strict=True))]
    lines += [{"Router": router, **shown} for router, shown in routers.items()]
    for number, line in enumerate(lines):
        height = box.y + box.height - TITLE * (1.5 + number)
        for place, column in enumerate(columns):
            weight = "bold" if number == 0 else "normal"
            _say(figure, box.x + 0.1 + 2.5 * place, height, line.get(column, ""), weight=weight)


def _say(figure: Figure, x: float, y: float, text: str, **style: Any) -> None:
    share = _share(figure, Box(x, y, 0, 0))
    figure.text(share[0], share[1], text, va="center", **style)


def _frame(figure: Figure, box: Box, **style: Any) -> None:
    x, y, width, height = _share(figure, box)
    figure.add_artist(
        Rectangle((x, y), width, height, transform=figure.transFigure, zorder=0, **style)
    )


def _share(figure: Figure, box: Box) -> tuple[float, float, float, float]:
    """Matplotlib's own measure, from 0 to 1 of the figure."""
    width, height = figure.get_size_inches()
    return box.x / width, box.y / height, box.width / width, box.height / height


def _shrink(picture: Path) -> None:
    """A palette is enough for lines; the rarest colours are the ones that must not merge."""
    with Image.open(picture) as drawn:
        few = drawn.convert("RGB").quantize(
            256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        )
    few.save(picture, optimize=True)


if __name__ == "__main__":
    main()
