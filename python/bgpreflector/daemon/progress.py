"""Progress of a sync: a bar on a terminal, or a log line every few seconds."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from bgpreflector.controller import Event, Handler
from bgpreflector.log_fields import fields
from bgpreflector.units import duration_text

from .mass_change import MIN_CHANGES, MassChanges, left_of
from .report import State, StatusReport

_log = logging.getLogger(__name__)

POLL = 0.5
INTERVAL = 5.0
"""Seconds between two samples, and between two lines."""

SYNC_STATES = (State.KERNEL_UNREAD.value, State.SYNCHRONISING.value, State.REJECTED.value)
"""States in which a sync makes progress."""


@dataclass(frozen=True)
class ProgressSample:
    """A sample of the progress."""

    reading: bool
    """Whether the kernel is still being read."""

    done: int
    """Requests that VPP has answered, or routes read from the kernel."""

    total: int | None
    """Total, if known."""

    rate: float
    """Recent rate a second."""

    seconds: float
    """Seconds since the start."""

    awaited_socket: str | None = None
    """VPP's API socket while the kernel is not read because VPP's dump is awaited."""

    @property
    def left(self) -> float | None:
        """Remaining seconds at this rate; ``None`` if unknown."""
        if self.total is None or self.rate <= 0:
            return None
        return (self.total - self.done) / self.rate

    def __str__(self) -> str:
        if self.awaited_socket is not None:
            return f"waiting for VPP at {self.awaited_socket} to dump its routes"
        if self.reading:
            return f"reading the kernel: {self.done:,} routes so far, {self.rate:,.0f} a second"
        left = "" if self.left is None else f", {duration_text(self.left)} left"
        return (
            f"synchronising: {self.done:,} of {self.total or 0:,} prefixes, "
            f"{self.rate:,.0f} a second{left}"
        )

    @property
    def fields(self) -> dict[str, object]:
        """For a log record."""
        if self.awaited_socket is not None:
            return fields("waiting for VPP", socket=self.awaited_socket)
        rate = round(self.rate)
        if self.reading:
            return fields("reading the kernel", routes=self.done, routes_per_second=rate)
        return fields(
            "synchronising",
            prefixes=self.done,
            total=self.total,
            prefixes_per_second=rate,
            seconds_left=None if self.left is None else round(self.left),
        )


class Display(Protocol):
    """Shows progress."""

    def update(self, sample: ProgressSample) -> None:
        """Show a sample."""

    def close(self) -> None:
        """Show it no longer: it is done."""

    def interrupted(self, sample: ProgressSample) -> None:
        """Show it no longer: it was interrupted."""


class LogLines:
    """Logs a line every :data:`INTERVAL` seconds, and one of an interruption."""

    def __init__(self, interval: float = INTERVAL) -> None:
        self._interval = interval
        self._next = interval

    def update(self, sample: ProgressSample) -> None:
        """Log a sample, at most one an interval."""
        if sample.seconds >= self._next:
            self._next = sample.seconds + self._interval
            text = str(sample)
            _log.info("%s", text[0].upper() + text[1:], extra=sample.fields)

    def close(self) -> None:
        """Begin anew with the next one."""
        self._next = self._interval

    def interrupted(self, sample: ProgressSample) -> None:
        """Log how far it came."""
        self.close()
        _log.info(
            "The sync is interrupted: %s prefixes in %s",
            f"{sample.done:,}",
            duration_text(sample.seconds),
            extra=fields(
                "sync interrupted", prefixes=sample.done, seconds=round(sample.seconds, 3)
            ),
        )


class Bar:
    """A bar on a terminal, removed when the sync is done."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def update(self, sample: ProgressSample) -> None:
        """Draw it."""
        if self._bar is None:
            self._bar = Progress(
                BarColumn(), TextColumn("{task.description}", markup=False),
                console=self._console, transient=True,
            )  # fmt: skip
            self._task = self._bar.add_task("", total=None)
            self._bar.start()
        self._bar.update(
            self._task, completed=sample.done, total=sample.total, description=str(sample)
        )

    def close(self) -> None:
        """Remove it."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def interrupted(self, sample: ProgressSample) -> None:
        """Remove it and log how far it came."""
        self.close()
        LogLines().interrupted(sample)


class _Waker(Handler):
    """Wakes a thread at each event and handles none.

    The thread is not its own: it outlives the daemons of a reload, which start and close handlers.
    """

    name = "SyncProgress"

    def __init__(self, awake: threading.Event) -> None:
        self._awake = awake

    def handles_event(self, event: Event) -> bool:  # noqa: ARG002
        """Never."""
        # Hot path: setting an event takes locks each time.
        if not self._awake.is_set():
            self._awake.set()
        return False


class SyncProgress:
    """Samples a daemon's status on its own thread and shows long syncs."""

    def __init__(
        self,
        status: Callable[[], StatusReport | None],
        display: Display,
        *,
        poll: float = POLL,
        waits_for_events: bool = False,
        changes: MassChanges | None = None,
    ) -> None:
        """``status`` returns the daemon's status, ``None`` if unknown.

        ``waits_for_events``: once VPP is in sync, wait for an event before the next sample.
        ``changes``: logs those of many routes.
        """
        self._status = status
        self._display = display
        self._poll = poll
        self._waits_for_events = waits_for_events
        self._changes = changes
        self._meter: _Meter | None = None
        self._idle: int | None = None
        self._stop = threading.Event()
        self._awake = threading.Event()
        self.handler = _Waker(self._awake)
        """For the daemon whose events wake the thread."""
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def start(self) -> None:
        """Start, once. Earlier answers of VPP are not counted."""
        report = self._status()
        if report is not None:
            self.sample(report, time.monotonic())
        self._awake.set()
        self._thread.start()

    def close(self) -> None:
        """Stop it. Idempotent."""
        self._stop.set()
        self._awake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._awake.wait()
            self._awake.clear()
            self._sample_until_idle()
        self._end_sync(complete=False)

    def _sample_until_idle(self) -> None:
        while not self._stop.wait(self._poll):
            try:
                report = self._status()
                at_rest = report is not None and self.sample(report, time.monotonic())
            except Exception:  # noqa: BLE001 - a sample that fails must not be the last
                # The next event is a reason for another sample.
                _log.exception("Progress cannot be shown")
                return
            if self._waits_for_events and at_rest:
                return

    def sample(self, report: StatusReport, now: float) -> bool:
        """Add a status sampled at a time in seconds; whether nothing is under way."""
        self._show(report, now)
        logged = self._changes is None or self._changes.sample(report, now)
        return logged and report.in_sync

    def _show(self, report: StatusReport, now: float) -> None:
        answered, left = report.vpp.answered_requests, left_of(report)
        if self._meter is not None and answered < self._meter.answered:
            # Another daemon after a reload: its counters start at 0.
            self._end_sync(complete=False)
        working = report.state in SYNC_STATES
        if self._meter is None:
            before, self._idle = self._idle, answered
            if not working or (report.kernel.synchronised and left < MIN_CHANGES):
                return
            # Some were answered since the last sample, unless that was another daemon's.
            base = answered if before is None or before > answered else before
            self._meter = _Meter(now, base)
        if not working or (report.kernel.synchronised and not left):
            self._meter.sample(report, now)
            self._end_sync(complete=working or report.in_sync)
            return
        self._display.update(self._meter.sample(report, now))

    def _end_sync(self, *, complete: bool) -> None:
        meter, self._meter = self._meter, None
        self._idle = self._idle if meter is None else meter.answered
        if meter is not None and meter.last is not None and meter.is_long:
            if complete:
                self._display.close()
            else:
                self._display.interrupted(meter.last)


class _Meter:
    """The progress of one sync."""

    def __init__(self, began: float, answered: int) -> None:
        self._began = began
        self._before = answered
        self.answered = answered
        self.last: ProgressSample | None = None

    @property
    def is_long(self) -> bool:
        """Whether it has enough changes to be shown."""
        return self.last is not None and self.last.done >= MIN_CHANGES

    def sample(self, report: StatusReport, now: float) -> ProgressSample:
        self.answered = report.vpp.answered_requests
        reading = not report.kernel.synchronised
        done = _kernel(report) if reading else self.answered - self._before
        last = self.last
        rate = 0.0
        if last is not None and last.reading == reading:
            passed = now - self._began - last.seconds
            rate = last.rate
            if passed > 0:
                latest = max(0, done - last.done) / passed
                # VPP answers in bursts.
                rate = latest if not last.rate else 0.7 * last.rate + 0.3 * latest
        total = None if reading else done + left_of(report)
        # A resync dumps VPP first: until the kernel is read, VPP is awaited.
        awaited = (
            report.vpp.socket if reading and not any(report.kernel.messages.values()) else None
        )
        self.last = ProgressSample(reading, done, total, rate, now - self._began, awaited)
        return self.last


def _kernel(report: StatusReport) -> int:
    return sum(counts["kernel"] for counts in report.prefixes.values())
