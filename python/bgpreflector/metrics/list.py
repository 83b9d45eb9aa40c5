"""The metrics, their help texts and where their values come from."""

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
    """One metric. No label is a prefix, which bounds the number of series."""

    name: str
    """Without :data:`PREFIX`, and of a counter without ``_total``."""

    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    samples: Samples | None = None
    """``None`` for the one histogram, whose buckets come from the engine."""

    @property
    def full_name(self) -> str:
        """The name in Prometheus."""
        return f"{PREFIX}_{self.name}" + ("_total" if self.kind == "counter" else "")


def _one(value: Callable[[StatusReport], float | None]) -> Samples:
    """A metric without labels; absent if it has no value."""

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
    """A metric without labels, absent unless zebra is the source."""
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
        "1 if VPP has acknowledged all desired routes.",
        (),
        _one(lambda r: r.in_sync),
    ),
    Metric(
        "ready",
        "gauge",
        "1 if in sync, or in sync before and now behind by less than 10 seconds, with no more "
        "prefixes held than vpp.max_held allows and no hung thread.",
        (),
        _one(lambda r: r.ready),
    ),
    Metric(
        "paused",
        "gauge",
        "1 while programming is paused by an operator.",
        (),
        _one(lambda r: r.paused),
    ),
    Metric(
        "held_share",
        "gauge",
        "Share of held prefixes, 0 to 1, except those beyond kernel.max_routes.",
        (),
        _one(lambda r: r.held.prefixes / r.held.of if r.held.of else 0.0),
    ),
    Metric(
        "guarded_deletions",
        "gauge",
        "Our routes that the first sync after a start or a reload would delete and that wait "
        "for `bgpreflector resume`; 0 if none wait.",
        (),
        _one(lambda r: 0 if r.guard is None else r.guard.deletions + r.guard.left),
    ),
    Metric(
        "prefixes",
        "gauge",
        "Prefixes by kernel table, family and state: kernel (routes of all protocols), "
        "mirrored (desired, held or both), desired (VPP should have it), installed (VPP has "
        "acknowledged it), held (VPP cannot have it "
        "now), substituted (desired and held: VPP has a substitute), failed (VPP refused it), "
        "unconfirmed (of an earlier run, not yet compared with the kernel).",
        ("family", "table", "state"),
        _prefixes,
    ),
    Metric(
        "held_routes",
        "gauge",
        "Held routes of mirrored protocols, by reason.",
        ("reason",),
        _by(lambda r: r.held_routes),
    ),
    Metric(
        "substituted_prefixes",
        "gauge",
        "Held prefixes with a substitute: drop, punt (the kernel forwards them; vpp.unmapped), "
        "or legs (some of the next hops; vpp.unmapped_legs).",
        ("by",),
        _by(lambda r: dict.fromkeys(("drop", "legs", "punt"), 0) | dict(r.held.substitutes)),
    ),
    Metric(
        "max_routes",
        "gauge",
        "Limit of prefixes in VPP (kernel.max_routes), by action (refuse, warn); absent without "
        "a limit.",
        ("action",),
        _max_routes,
    ),
    Metric(
        "max_routes_exceeded",
        "gauge",
        "1 if the limit is exceeded: held_routes counts those kept out of VPP under the reason "
        "over_limit.",
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
        "Age of the oldest change that VPP has not answered; 0 if there is none.",
        (),
        _one(lambda r: r.oldest_waiting_seconds or 0.0),
    ),
    Metric(
        LATENCY,
        "histogram",
        "Time from a kernel change's entry into the table to VPP's answer for its batch.",
    ),
    Metric(
        "next_hop_sets",
        "gauge",
        "Distinct next-hop sets of the kernel's routes.",
        (),
        _one(lambda r: r.next_hop_sets),
    ),
    Metric(
        "path_sets",
        "gauge",
        "Distinct path sets of VPP's routes.",
        (),
        _one(lambda r: r.path_sets),
    ),
    Metric(
        "queued_events",
        "gauge",
        "Events in the queue of the event loop.",
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
        "1 once all of the kernel's routes have been read.",
        (),
        _one(lambda r: r.kernel.synchronised),
    ),
    Metric(
        "kernel_messages",
        "counter",
        "Kernel messages, by type.",
        ("type",),
        _by(lambda r: r.kernel.messages),
    ),
    Metric(
        "kernel_skipped_messages",
        "counter",
        "Kernel messages that were skipped, by reason.",
        ("reason",),
        _by(lambda r: r.kernel.skipped),
    ),
    Metric(
        "kernel_anomalies",
        "counter",
        "Kernel messages that contradict the table, by kind; each is repaired.",
        ("kind",),
        _by(lambda r: r.kernel.anomalies),
    ),
    Metric(
        "kernel_overruns",
        "counter",
        "Overruns: times that the kernel dropped notifications (ENOBUFS).",
        (),
        _one(lambda r: r.kernel.overruns),
    ),
    Metric(
        "kernel_dropped_messages",
        "counter",
        "Notifications that the kernel dropped, by its own count.",
        (),
        _one(lambda r: r.kernel.drops),
    ),
    Metric(
        "kernel_dump_ended_early",
        "gauge",
        "1 while the kernel's dumps end early, at a route with too many next hops: routes after "
        "it are kept and not compared.",
        (),
        _one(lambda r: int(r.kernel.dump_ended_early)),
    ),
    Metric(
        "kernel_unverified_prefixes",
        "gauge",
        "Prefixes that the kernel's last dumps did not show and that stay because lookups are "
        "inconclusive.",
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
        "Resyncs with the kernel, by reason: count and total duration.",
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
        "1, with the source of the routes: kernel, or fpm (FRR's zebra).",
        ("source",),
        lambda report: [((report.source,), 1.0)],
    ),
    Metric(
        "fpm_connected",
        "gauge",
        "1 while zebra is connected; like all fpm metrics absent if the kernel is the source.",
        (),
        _fpm(lambda fpm: fpm.peer is not None),
    ),
    Metric(
        "fpm_settled",
        "gauge",
        "1 while zebra is connected and has sent all its routes.",
        (),
        _fpm(lambda fpm: fpm.settled),
    ),
    Metric(
        "fpm_connections",
        "counter",
        "Connections by result: taken, refused (there was one already), protocol_error (taken, "
        "and closed because of malformed data).",
        ("result",),
        _by(lambda r: {} if r.fpm is None else _connections(r.fpm)),
    ),
    Metric("fpm_frames", "counter", "Frames of zebra's.", (), _fpm(lambda fpm: fpm.frames)),
    Metric(
        "fpm_swept_routes",
        "counter",
        "Routes of earlier connections that a later one did not send and that were removed.",
        (),
        _fpm(lambda fpm: fpm.swept),
    ),
    Metric(
        "fpm_answers",
        "counter",
        "Results sent to zebra: offload (VPP has the route), offload_failed (it refused it, or "
        "gave it up).",
        ("answer",),
        _by(lambda r: {} if r.fpm is None else r.fpm.answers),
    ),
    Metric(
        "fpm_answers_waiting",
        "gauge",
        "Prefixes whose result has not been sent to zebra yet.",
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
        "Differences that audits found between VPP and what it had acknowledged, by kind.",
        ("kind",),
        _by(lambda r: r.vpp.drift),
    ),
    Metric(
        "vpp_unresolved_path_sets",
        "gauge",
        "Sets of paths that VPP has and does not forward by, as of its last audit.",
        (),
        _one(lambda r: r.vpp.unresolved),
    ),
    Metric(
        "vpp_overridden_prefixes",
        "gauge",
        "Prefixes that other FIB sources override, as of the last lookup.",
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
