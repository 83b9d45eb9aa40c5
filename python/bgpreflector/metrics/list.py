"""The metrics, each with what it means and where its values come from."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from bgpreflector import _core
from bgpreflector.daemon.report import FpmStatus, StatusReport

Kind = Literal["gauge", "counter", "summary", "histogram"]


class Totals(NamedTuple):
    """The value of a summary."""

    number: int
    total: float


Sample: TypeAlias = tuple[tuple[str, ...], float | Totals]
"""The labels' values, and the value."""

Samples: TypeAlias = Callable[[StatusReport], Iterable[Sample]]

PREFIX = "bgpreflector"


@dataclass(frozen=True)
class Metric:
    """One metric. No label is ever a prefix, so that there are few series."""

    name: str
    """Without :data:`PREFIX`, and of a counter without ``_total``."""

    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    samples: Samples | None = None
    """``None`` for the one histogram, whose buckets come from the engine itself."""

    @property
    def full_name(self) -> str:
        """As Prometheus shows it."""
        return f"{PREFIX}_{self.name}" + ("_total" if self.kind == "counter" else "")


def _one(value: Callable[[StatusReport], float | None]) -> Samples:
    """A metric without labels; without a value where there is none."""

    def samples(report: StatusReport) -> Iterator[Sample]:
        found = value(report)
        if found is not None:
            yield (), float(found)

    return samples


def _by(figures: Callable[[StatusReport], Mapping[str, float]]) -> Samples:
    """A metric with one label."""
    return lambda report: (((name,), float(n)) for name, n in figures(report).items())


def _prefixes(report: StatusReport) -> Iterator[Sample]:
    for table in report.tables:
        for state, count in table.prefixes.items():
            yield (table.family, str(table.table), state), float(count)


def _requests(report: StatusReport) -> Iterator[Sample]:
    for operation, results in report.vpp.requests.items():
        yield (operation, "done"), float(results.done)
        yield (operation, "refused"), float(results.refused)


def _resyncs(report: StatusReport) -> Iterator[Sample]:
    for reason, resyncs in report.kernel.resyncs.items():
        yield (reason,), Totals(resyncs.count, resyncs.seconds)


def _build(report: StatusReport) -> Iterator[Sample]:
    yield (report.version, platform.python_version()), 1.0


def _vpp(report: StatusReport) -> Iterator[Sample]:
    if report.vpp.version is not None:
        yield (report.vpp.version,), 1.0


def _fpm(value: Callable[[FpmStatus], float]) -> Samples:
    """A metric without labels, absent where zebra does not tell of the routes."""
    return _one(lambda report: None if report.fpm is None else value(report.fpm))


def _connections(fpm: FpmStatus) -> Mapping[str, float]:
    return {
        "taken": fpm.connections,
        "refused": fpm.refused,
        "protocol_error": fpm.protocol_errors,
    }


def _max_routes(report: StatusReport) -> Iterator[Sample]:
    if report.limit.max_routes is not None:
        yield (report.limit.action,), float(report.limit.max_routes)


LATENCY = "change_latency_seconds"

METRICS = (
    Metric(
        "build_info",
        "gauge",
        "1, with the program's version.",
        ("version", "python"),
        _build,
    ),
    Metric(
        "vpp_info", "gauge", "1, with the version of the VPP connected to last.", ("version",), _vpp
    ),
    Metric(
        "in_sync",
        "gauge",
        "1 if VPP has acknowledged all that it shall have.",
        (),
        _one(lambda r: r.in_sync),
    ),
    Metric(
        "ready",
        "gauge",
        "1 if in sync, or in sync before and now behind by less than 10 seconds, and no more held "
        "than vpp.max_held allows for, and nothing hangs.",
        (),
        _one(lambda r: r.ready),
    ),
    Metric(
        "paused",
        "gauge",
        "1 while VPP is sent nothing by an operator's order.",
        (),
        _one(lambda r: r.paused),
    ),
    Metric(
        "held_share",
        "gauge",
        "Share of the prefixes that VPP should have and cannot have, 0 to 1, but for those beyond "
        "kernel.max_routes.",
        (),
        _one(lambda r: r.held.prefixes / r.held.of if r.held.of else 0.0),
    ),
    Metric(
        "guarded_deletions",
        "gauge",
        "Routes of ours that the first sync after a start or a reload would delete, and that wait "
        "for `bgpreflector resume` as they are so many; 0 if none wait.",
        (),
        _one(lambda r: 0 if r.guard is None else r.guard.deletions + r.guard.left),
    ),
    Metric(
        "prefixes",
        "gauge",
        "By kernel table, family and state: kernel (routes of the kernel, of all protocols), "
        "mirrored (desired, held or both), desired (that VPP shall have), "
        "installed (that VPP has acknowledged), held (that VPP "
        "cannot have now), substituted (desired and held: VPP has something else), "
        "failed (that VPP refused), unconfirmed (of an earlier run, not "
        "yet compared with the kernel).",
        ("family", "table", "state"),
        _prefixes,
    ),
    Metric(
        "held_routes",
        "gauge",
        "Routes of mirrored protocols that VPP cannot have now, by reason.",
        ("reason",),
        _by(lambda r: r.held_routes),
    ),
    Metric(
        "substituted_prefixes",
        "gauge",
        "Prefixes that VPP cannot have and shall have something else for: drop, punt (the kernel "
        "forwards them; vpp.unmapped), or legs (some of the next hops; vpp.unmapped_legs).",
        ("by",),
        _by(lambda r: dict.fromkeys(("drop", "legs", "punt"), 0) | dict(r.held.substitutes)),
    ),
    Metric(
        "max_routes",
        "gauge",
        "The most prefixes that VPP is given, by what becomes of more (refuse, warn); absent "
        "without a limit.",
        ("action",),
        _max_routes,
    ),
    Metric(
        "max_routes_exceeded",
        "gauge",
        "1 if there are more prefixes than that: those kept out of VPP are held_routes with "
        "the reason over_limit.",
        (),
        _one(lambda r: r.limit.exceeded),
    ),
    Metric(
        "dirty_prefixes",
        "gauge",
        "Prefixes that wait for a request to VPP.",
        (),
        _one(lambda r: r.dirty),
    ),
    Metric(
        "oldest_waiting_seconds",
        "gauge",
        "How long the oldest change has waited that VPP has not answered; 0 if none waits.",
        (),
        _one(lambda r: r.oldest_waiting_seconds or 0.0),
    ),
    Metric(
        LATENCY,
        "histogram",
        "Time from a kernel change's entry into the table until VPP has answered the batch that "
        "it was sent in.",
    ),
    Metric(
        "next_hop_sets",
        "gauge",
        "Different sets of next hops of the kernel's routes.",
        (),
        _one(lambda r: r.next_hop_sets),
    ),
    Metric(
        "path_sets",
        "gauge",
        "Different sets of paths of VPP's routes.",
        (),
        _one(lambda r: r.path_sets),
    ),
    Metric(
        "queued_events",
        "gauge",
        "Events that wait for the event loop.",
        (),
        _one(lambda r: r.queued_events),
    ),
    Metric(
        "handler_errors",
        "counter",
        "Exceptions of event handlers, which the log has.",
        ("handler",),
        _by(lambda r: r.handler_errors),
    ),
    Metric(
        "kernel_synchronised",
        "gauge",
        "1 once all of the kernel has been read.",
        (),
        _one(lambda r: r.kernel.synchronised),
    ),
    Metric(
        "kernel_messages",
        "counter",
        "Messages of the kernel, by type.",
        ("type",),
        _by(lambda r: r.kernel.messages),
    ),
    Metric(
        "kernel_skipped_messages",
        "counter",
        "Messages of the kernel that were not taken, by reason.",
        ("reason",),
        _by(lambda r: r.kernel.skipped),
    ),
    Metric(
        "kernel_anomalies",
        "counter",
        "What the kernel said that did not fit what was known, by kind; each is repaired.",
        ("kind",),
        _by(lambda r: r.kernel.anomalies),
    ),
    Metric(
        "kernel_overruns",
        "counter",
        "Times that the kernel dropped notifications (ENOBUFS).",
        (),
        _one(lambda r: r.kernel.overruns),
    ),
    Metric(
        "kernel_dropped_messages",
        "counter",
        "Notifications that the kernel dropped, as it counts them.",
        (),
        _one(lambda r: r.kernel.drops),
    ),
    Metric(
        "kernel_dump_ended_early",
        "gauge",
        "1 while the kernel's dumps end early, at a route of too many next hops: what is behind is "
        "kept and not compared.",
        (),
        _one(lambda r: int(r.kernel.dump_ended_early)),
    ),
    Metric(
        "kernel_unverified_prefixes",
        "gauge",
        "Prefixes that the kernel's last dumps did not show and that stay, as its answers do not "
        "tell whether it has them.",
        (),
        _one(lambda r: r.kernel.unverified_prefixes),
    ),
    Metric(
        "kernel_receive_buffer_bytes",
        "gauge",
        "Receive buffer that the kernel granted for notifications.",
        (),
        _one(lambda r: r.kernel.receive_buffer_bytes),
    ),
    Metric(
        "kernel_resync_duration_seconds",
        "summary",
        "Resyncs with the kernel, by reason: how many, and how long all of them took.",
        ("reason",),
        _resyncs,
    ),
    Metric(
        "kernel_drift",
        "counter",
        "Differences between kernel and table that audits found and repaired, by kind.",
        ("kind",),
        _by(lambda r: r.kernel.drift),
    ),
    Metric(
        "source_info",
        "gauge",
        "1, with who tells of the routes: kernel, or fpm (FRR's zebra).",
        ("source",),
        lambda report: [((report.source,), 1.0)],
    ),
    Metric(
        "fpm_connected",
        "gauge",
        "1 while zebra is connected; absent, as all of fpm, where the kernel tells of the routes.",
        (),
        _fpm(lambda fpm: fpm.peer is not None),
    ),
    Metric(
        "fpm_settled",
        "gauge",
        "1 while zebra is connected and has shown all its routes.",
        (),
        _fpm(lambda fpm: fpm.settled),
    ),
    Metric(
        "fpm_connections",
        "counter",
        "Connections, by what became of them: taken, refused (as there was one already), "
        "protocol_error (taken, and closed as what came was no FPM).",
        ("result",),
        _by(lambda r: {} if r.fpm is None else _connections(r.fpm)),
    ),
    Metric("fpm_frames", "counter", "Frames of zebra's.", (), _fpm(lambda fpm: fpm.frames)),
    Metric(
        "fpm_swept_routes",
        "counter",
        "Routes of earlier connections that a later one did not show, and that were removed.",
        (),
        _fpm(lambda fpm: fpm.swept),
    ),
    Metric(
        "fpm_answers",
        "counter",
        "Answers to zebra: offload (VPP has the route), offload_failed (it refused it, or gave it "
        "up).",
        ("answer",),
        _by(lambda r: {} if r.fpm is None else r.fpm.answers),
    ),
    Metric(
        "fpm_answers_waiting",
        "gauge",
        "Prefixes of which zebra is still to be told.",
        (),
        _fpm(lambda fpm: fpm.answers_waiting),
    ),
    Metric(
        "vpp_connected",
        "gauge",
        "1 while there is a connection to VPP.",
        (),
        _one(lambda r: r.vpp.connected),
    ),
    Metric(
        "vpp_requests",
        "counter",
        "Route requests that VPP answered, by operation (add, replace, delete) and result (done, "
        "refused).",
        ("operation", "result"),
        _requests,
    ),
    Metric(
        "vpp_drift",
        "counter",
        "Differences between VPP and what it had acknowledged that audits found, by kind.",
        ("kind",),
        _by(lambda r: r.vpp.drift),
    ),
    Metric(
        "vpp_overridden_prefixes",
        "gauge",
        "Prefixes that VPP forwards by other FIB sources' routes, when that was looked up last.",
        (),
        _one(lambda r: r.vpp.overridden),
    ),
    Metric(
        "vpp_missing_interfaces",
        "gauge",
        "Configured VPP interfaces that VPP does not have.",
        (),
        _one(lambda r: len(r.vpp.missing_interfaces)),
    ),
)
"""All of them; beside these, prometheus-client's own about the process: memory, time, files."""


def latency_buckets(figures: _core.Status) -> tuple[list[tuple[str, float]], float]:
    """The histogram: cumulative counts by upper bound, and the sum."""
    buckets = [
        ("+Inf" if bound == float("inf") else str(bound), float(count))
        for bound, count in figures.latency
    ]
    return buckets, figures.latency_sum
