"""The metrics, their help texts and where their values come from."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping

from bgpreflector import _core
from bgpreflector.daemon.report import FpmStatus, StatusReport

from .metric import Metric, Sample, Totals, counter, counters, gauge, gauges


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


def _fpm(value: Callable[[FpmStatus], float]) -> Callable[[StatusReport], float | None]:
    """A value that is absent unless zebra is the source."""
    return lambda report: None if report.fpm is None else value(report.fpm)


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
    gauge("in_sync", "1 if VPP has acknowledged all desired routes.", lambda r: r.in_sync),
    gauge(
        "ready",
        "1 if in sync, or in sync before and now behind by less than 10 seconds, with no more "
        "prefixes held than vpp.max_held allows and no hung thread.",
        lambda r: r.ready,
    ),
    gauge("paused", "1 while programming is paused by an operator.", lambda r: r.paused),
    gauge(
        "held_ratio",
        "Share of held prefixes, 0 to 1, except those beyond kernel.max_routes.",
        lambda r: r.held.prefixes / r.held.total if r.held.total else 0.0,
    ),
    gauge(
        "guarded_deletions",
        "Our routes that the first sync after a start or a reload would delete and that wait "
        "for `bgpreflector resume`; 0 if none wait.",
        lambda r: 0 if r.guard is None else r.guard.deletions + r.guard.unmirrored_routes,
    ),
    Metric(
        "prefixes",
        "gauge",
        "Prefixes by kernel table, family and state: kernel (routes of all protocols), "
        "mirrored (desired, held or both), desired (VPP should have it), installed (VPP has "
        "acknowledged it), held (VPP cannot have it "
        "now), substituted (desired and held: VPP has a substitute), rejected (VPP refused it), "
        "unconfirmed (of an earlier run, not yet compared with the kernel).",
        ("family", "table", "state"),
        _prefixes,
    ),
    gauge(
        "unassigned_tables",
        "Discovered kernel tables that are not mirrored, as there is no VPP table for them.",
        lambda r: len(r.unassigned_tables),
    ),
    gauges(
        "held_routes",
        "Held routes of mirrored protocols, by reason.",
        "reason",
        lambda r: r.held_routes,
    ),
    gauges(
        "substituted_prefixes",
        "Held prefixes with a substitute: drop, punt (the kernel forwards them; vpp.unmapped), "
        "or next_hops (some of them; vpp.unmapped_next_hops).",
        "by",
        lambda r: dict.fromkeys(("drop", "next_hops", "punt"), 0) | dict(r.held.substitutes),
    ),
    Metric(
        "max_routes",
        "gauge",
        "Limit of prefixes in VPP (kernel.max_routes), by action (refuse, warn); absent without "
        "a limit.",
        ("action",),
        _max_routes,
    ),
    gauge(
        "max_routes_exceeded",
        "1 if the limit is exceeded: held_routes counts those kept out of VPP under the reason "
        "over_limit.",
        lambda r: r.limit.exceeded,
    ),
    gauge("dirty_prefixes", "Prefixes that wait for a request to VPP.", lambda r: r.dirty),
    gauge(
        "oldest_queued_seconds",
        "Age of the oldest change that VPP has not answered; 0 if there is none.",
        lambda r: r.oldest_queued_seconds or 0.0,
    ),
    Metric(
        LATENCY,
        "histogram",
        "Time from a kernel change's entry into the table to VPP's answer for its batch.",
    ),
    gauge(
        "next_hop_sets", "Distinct next-hop sets of the kernel's routes.", lambda r: r.next_hop_sets
    ),
    gauge("path_sets", "Distinct path sets of VPP's routes.", lambda r: r.path_sets),
    gauge("queued_events", "Events in the queue of the event loop.", lambda r: r.queued_events),
    counters(
        "handler_errors",
        "Exceptions of event handlers, which the log has.",
        "handler",
        lambda r: r.handler_errors,
    ),
    gauge(
        "kernel_synchronised",
        "1 once all of the kernel's routes have been read.",
        lambda r: r.kernel.synchronised,
    ),
    counters("kernel_messages", "Kernel messages, by type.", "type", lambda r: r.kernel.messages),
    counters(
        "kernel_skipped_messages",
        "Kernel messages that were skipped, by reason.",
        "reason",
        lambda r: r.kernel.skipped,
    ),
    counters(
        "kernel_anomalies",
        "Kernel messages that contradict the table, by kind; each is repaired.",
        "kind",
        lambda r: r.kernel.anomalies,
    ),
    counter(
        "kernel_overruns",
        "Overruns: times that the kernel dropped notifications (ENOBUFS).",
        lambda r: r.kernel.overruns,
    ),
    counter(
        "kernel_dropped_messages",
        "Notifications that the kernel dropped, by its own count.",
        lambda r: r.kernel.drops,
    ),
    gauge(
        "kernel_dump_ended_early",
        "1 while the kernel's dumps end early, at a route with too many next hops: routes after "
        "it are kept and not compared.",
        lambda r: int(r.kernel.dump_ended_early),
    ),
    gauge(
        "kernel_unverified_prefixes",
        "Prefixes that the kernel's last dumps did not show and that stay because lookups are "
        "inconclusive.",
        lambda r: r.kernel.unverified_prefixes,
    ),
    gauge(
        "kernel_receive_buffer_bytes",
        "Receive buffer that the kernel granted for notifications.",
        lambda r: r.kernel.receive_buffer_bytes,
    ),
    Metric(
        "kernel_resync_duration_seconds",
        "summary",
        "Resyncs with the kernel, by reason: count and total duration.",
        ("reason",),
        _resyncs,
    ),
    counters(
        "kernel_drift",
        "Differences between kernel and table that audits found and repaired, by kind.",
        "kind",
        lambda r: r.kernel.drift,
    ),
    Metric(
        "source_info",
        "gauge",
        "1, with the source of the routes: kernel, or fpm (FRR's zebra).",
        ("source",),
        lambda report: [((report.source,), 1.0)],
    ),
    gauge(
        "fpm_connected",
        "1 while zebra is connected; like all fpm metrics absent if the kernel is the source.",
        _fpm(lambda fpm: fpm.peer is not None),
    ),
    gauge(
        "fpm_synchronised",
        "1 while zebra is connected and has sent all its routes.",
        _fpm(lambda fpm: fpm.synchronised),
    ),
    counters(
        "fpm_connections",
        "Connections by result: taken, refused (there was one already), protocol_error (taken, "
        "and closed because of malformed data).",
        "result",
        lambda r: {} if r.fpm is None else _connections(r.fpm),
    ),
    counter("fpm_frames", "Frames of zebra's.", _fpm(lambda fpm: fpm.frames)),
    counter(
        "fpm_swept_routes",
        "Routes of earlier connections that a later one did not send and that were removed.",
        _fpm(lambda fpm: fpm.swept),
    ),
    counters(
        "fpm_results",
        "Results sent to zebra: offload (VPP has the route), offload_failed (it refused it, or "
        "gave it up).",
        "result",
        lambda r: {} if r.fpm is None else r.fpm.results,
    ),
    gauge(
        "fpm_results_queued",
        "Prefixes whose result has not been sent to zebra yet.",
        _fpm(lambda fpm: fpm.results_queued),
    ),
    gauge("vpp_connected", "1 while there is a connection to VPP.", lambda r: r.vpp.connected),
    Metric(
        "vpp_requests",
        "counter",
        "Route requests that VPP answered, by operation (add, replace, delete) and result (done, "
        "refused).",
        ("operation", "result"),
        _requests,
    ),
    counters(
        "vpp_drift",
        "Differences that audits found between VPP and what it had acknowledged, by kind.",
        "kind",
        lambda r: r.vpp.drift,
    ),
    gauge(
        "vpp_unresolved_path_sets",
        "Sets of paths that VPP has and does not forward by, as of its last audit.",
        lambda r: r.vpp.unresolved,
    ),
    gauge(
        "vpp_overridden_prefixes",
        "Prefixes that other FIB sources override, as of the last lookup.",
        lambda r: r.vpp.overridden,
    ),
    gauge(
        "vpp_missing_interfaces",
        "Configured VPP interfaces that VPP does not have.",
        lambda r: len(r.vpp.missing_interfaces),
    ),
)
"""All of them; beside these, prometheus-client's own about the process: memory, time, files."""


def latency_buckets(engine_status: _core.Status) -> tuple[list[tuple[str, float]], float]:
    """The histogram: cumulative counts by upper bound, and the sum."""
    buckets = [
        ("+Inf" if bound == float("inf") else str(bound), float(count))
        for bound, count in engine_status.latency
    ]
    return buckets, engine_status.latency_sum
