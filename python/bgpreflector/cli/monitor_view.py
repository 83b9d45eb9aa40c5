"""The state of ``bgpreflector monitor`` between samples, and how it is drawn."""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from bgpreflector.control import ControlClient
from bgpreflector.daemon.read_report import read_report
from bgpreflector.daemon.report import State, StatusReport
from bgpreflector.routes.listing import installed_count
from bgpreflector.routes.names import table_name
from bgpreflector.routes.paths import path_text

from .output import plain
from .status import headline, lines, prefixes

MAX_CHANGES = 12
"""Changes that are shown."""

MAX_SAMPLES = 40
"""Samples of which the rates are drawn."""

BARS = "▁▂▃▄▅▆▇█"

STYLES = {
    State.IN_SYNC: "green",
    State.SYNCHRONISING: "cyan",
    State.KERNEL_UNREAD: "cyan",
    State.PAUSED: "yellow",
    State.GUARDED: "yellow",
    State.HELD: "yellow",
}
"""Of the other states: red."""

OPERATIONS = {"add": "green", "replace": "yellow", "delete": "red"}


@dataclass
class Rate:
    """A counter, as a rate."""

    name: str
    count: int = 0
    now: float = 0.0
    """A second."""

    peak: float = 0.0
    past: deque[float] = field(default_factory=lambda: deque(maxlen=MAX_SAMPLES))

    def take(self, count: int, seconds: float) -> None:
        """The counter so many seconds after it was taken last."""
        self.now = max(0, count - self.count) / seconds if seconds > 0 else 0.0
        self.count = count
        self.peak = max(self.peak, self.now)
        self.past.append(self.now)

    def __str__(self) -> str:
        return f"{self.now:,.0f} {self.name}/s"


@dataclass
class View:
    """The state between samples."""

    report: StatusReport | None = None
    at: float = 0.0
    last: int = 0
    """The number of the last change."""

    error: str | None = None
    """Why the daemon did not answer the last sample."""

    new: list[dict[str, Any]] = field(default_factory=list)
    """Changes since the last sample."""

    changes: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=MAX_CHANGES))
    messages: Rate = field(default_factory=lambda: Rate("kernel messages"))
    requests: Rate = field(default_factory=lambda: Rate("requests"))

    def begin(self, daemon: ControlClient) -> None:
        """Start the rates, before the first sample of a connection."""
        report = self._ask(daemon)
        self.messages.count, self.requests.count = _messages(report), report.vpp.answered_requests
        self.report, self.at = report, time.monotonic()

    def sample(self, daemon: ControlClient) -> None:
        """Ask the daemon for its status and its changes."""
        report = self._ask(daemon)
        now = time.monotonic()
        self.new = [dict(row) for row in daemon.ask("changes", since=self.last)]
        self.changes.extend(self.new)
        self.last = max([self.last, *(int(row["number"]) for row in self.new)])
        self.messages.take(_messages(report), now - self.at)
        self.requests.take(report.vpp.answered_requests, now - self.at)
        self.report, self.at, self.error = report, now, None

    def lost(self, error: str) -> None:
        """The daemon did not answer."""
        self.error, self.new = error, []
        self.messages.take(self.messages.count, 0)
        self.requests.take(self.requests.count, 0)

    def _ask(self, daemon: ControlClient) -> StatusReport:
        report = read_report(daemon.ask("status").end)
        before = self.report
        if before is not None and (
            report.pid != before.pid or report.uptime_seconds < before.uptime_seconds
        ):
            # Restarted, or with another configuration: it counts anew.
            self.last = self.messages.count = self.requests.count = 0
            self.at = time.monotonic() - report.uptime_seconds
        return report

    def rates(self) -> str:
        """Rates in a line."""
        return f"{self.messages}, {self.requests}"

    def as_object(self) -> dict[str, object]:
        """For programs."""
        if self.report is None or self.error is not None:
            return {"unix_seconds": time.time(), "error": self.error}
        return {
            "unix_seconds": time.time(),
            "kernel_messages_per_second": self.messages.now,
            "vpp_requests_per_second": self.requests.now,
            "changes": self.new,
            "status": self.report.as_object(),
        }

    def line(self) -> str:
        """Where there is no terminal."""
        if self.report is None or self.error is not None:
            return f"no answer: {self.error}"
        installed = installed_count(self.report.prefixes)
        return f"{headline(self.report)}; {installed:,} prefixes in VPP; {self.rates()}"


def screen(view: View, socket_path: str, *, keys: bool, unicode: bool) -> RenderableType:
    """All of it. ``keys``: whether they can be pressed; ``unicode``: whether bars can be shown."""
    title = Text(
        plain(f"bgpreflector on {socket.gethostname()}, {socket_path}  {time.strftime('%H:%M:%S')}")
    )
    title.stylize("reverse")
    if keys:
        title.append("  q quits", style="dim")
    return Group(title, *_body(view, unicode=unicode))


def _body(view: View, *, unicode: bool) -> Iterable[RenderableType]:
    if view.error is not None:
        yield Text(plain(f"no answer, trying again: {view.error}"), style="bold red")
    report = view.report
    if report is None:
        return
    stale = view.error is not None
    state = "dim" if stale else f"bold {STYLES.get(State(report.state), 'red')}"
    yield Text(plain(headline(report)), style=state)
    for rate in (view.messages, view.requests):
        yield _rate(rate, unicode=unicode)
    yield Text(f"{'queue':<11}{report.queued_events} events")
    heads, *rows = prefixes(report)
    yield Text(heads, style="bold")
    for row in rows:
        yield Text(row)
    for line in lines(report):
        yield Text(plain(line), style="dim" if stale else "")
    yield Text("last changes (a sample of each batch)", style="bold")
    if not view.changes:
        yield Text("none yet", style="dim")
    for change in view.changes:
        yield Text(plain(_change(change)), style=OPERATIONS.get(change["operation"], ""))


def _rate(rate: Rate, *, unicode: bool) -> Text:
    text = Text(f"{rate!s:>28}, peak {rate.peak:,.0f}  ")
    if unicode:
        text.append(sparkline(rate.past), style="cyan")
    return text


def sparkline(past: Iterable[float]) -> str:
    """Rates as bars, as high as they are against the highest; a space for none.

    Examples:
        >>> sparkline([0, 1, 50, 100])
        ' ▁▅█'
    """
    rates = list(past)
    highest = max(rates, default=0.0)
    return "".join(
        " " if rate <= 0 else BARS[min(len(BARS) - 1, int(rate / highest * len(BARS)))]
        for rate in rates
    )


def _change(change: dict[str, Any]) -> str:
    at = time.strftime("%H:%M:%S", time.localtime(change["unix_seconds"]))
    paths = ", ".join(map(path_text, change["paths"]))
    table = table_name(change["table"])
    return f"{at} {change['operation']:<7} {change['prefix']} table {table}  {paths}"


def _messages(report: StatusReport) -> int:
    return sum(report.kernel.messages.values())
