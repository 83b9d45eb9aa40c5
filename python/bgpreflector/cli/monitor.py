"""``bgpreflector monitor``: a live view of a running daemon."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from bgpreflector.control import ControlClient
from bgpreflector.daemon.read_report import read_report
from bgpreflector.daemon.report import StatusReport
from bgpreflector.routes.paths import path_text
from bgpreflector.routes.route import table_name

from .daemon import daemon_at, figure
from .options import ConfigFile, ControlSocket
from .output import plain, reader_has_gone, say_rows
from .status import headline, lines, prefixes

SCHEMA = 1
"""Version of the JSON lines; it grows when a field changes its meaning or goes."""

CHANGES = 12
"""Changes that are shown."""


@dataclass
class View:
    """What is known from one look to the next."""

    before: StatusReport | None = None
    at: float = 0.0
    last: int = 0
    """The number of the last change."""

    new: list[dict[str, Any]] = field(default_factory=list)
    """Changes since the last look."""

    changes: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=CHANGES))
    messages: float = 0.0
    """A second."""

    requests: float = 0.0

    def look(self, daemon: ControlClient) -> StatusReport:
        """Ask once more."""
        report = read_report(daemon.ask("status").end)
        now = time.monotonic()
        self.new = [dict(row) for row in daemon.ask("changes", since=self.last)]
        self.changes.extend(self.new)
        self.last = max([self.last, *(int(row["number"]) for row in self.new)])
        if self.before is not None and now > self.at:
            passed = now - self.at
            self.messages = max(0, _messages(report) - _messages(self.before)) / passed
            self.requests = max(0, _requests(report) - _requests(self.before)) / passed
        self.before, self.at = report, now
        return report

    def rates(self) -> str:
        """Rates in a line."""
        return f"{self.messages:,.0f} kernel messages/s, {self.requests:,.0f} requests/s"


def monitor(
    config: ConfigFile = None,
    control: ControlSocket = None,
    interval: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0.05, max=3600, help="Seconds between two looks."),
    ] = 1.0,
    count: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Looks; without end where it is not said."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a look, without end.")
    ] = False,
) -> None:
    """A live view: state, rates, what waits, and the last changes.

    Where the output is no terminal, a line is printed for each look.
    """
    console = Console(highlight=False, soft_wrap=True)
    with daemon_at(control, config) as daemon:
        reports = _looks(daemon, interval, count)
        if as_json:
            say_rows(SCHEMA, (_object(view, report) for view, report in reports))
            return
        if not console.is_terminal:
            for view, report in reports:
                console.print(Text(plain(_line(view, report))))
            return
        with Live(console=console, screen=False, auto_refresh=False) as live:
            for view, report in reports:
                live.update(_screen(view, report), refresh=True)


def _looks(
    daemon: ControlClient, interval: float, count: int | None
) -> Iterator[tuple[View, StatusReport]]:
    view, looks = View(), 0
    while True:
        yield view, view.look(daemon)
        looks += 1
        if looks == count or reader_has_gone():
            return
        time.sleep(interval)


def _object(view: View, report: StatusReport) -> dict[str, object]:
    return {
        "unix_seconds": time.time(),
        "kernel_messages_per_second": view.messages,
        "vpp_requests_per_second": view.requests,
        "changes": view.new,
        "status": report.as_object(),
    }


def _line(view: View, report: StatusReport) -> str:
    installed = sum(counts["installed"] for counts in report.prefixes.values())
    return f"{headline(report)}; {figure(installed)} prefixes in VPP; {view.rates()}"


def _screen(view: View, report: StatusReport) -> RenderableType:
    changes = [Text(plain(_change(change))) for change in view.changes] or [
        Text("none yet", style="dim")
    ]
    return Group(
        Text(plain(headline(report)), style="bold"),
        Text(f"{view.rates()}, {report.queued_events} events in the queue"),
        prefixes(report),
        *(Text(plain(line)) for line in lines(report)),
        Text("last changes (a sample of each batch)", style="bold"),
        *changes,
    )


def _change(change: dict[str, Any]) -> str:
    at = time.strftime("%H:%M:%S", time.localtime(change["unix_seconds"]))
    paths = ", ".join(map(path_text, change["paths"]))
    table = table_name(change["table"])
    return f"{at} {change['operation']:<7} {change['prefix']} table {table}  {paths}"


def _messages(report: StatusReport) -> int:
    return sum(report.kernel.messages.values())


def _requests(report: StatusReport) -> int:
    return sum(r.done + r.refused for r in report.vpp.requests.values())
