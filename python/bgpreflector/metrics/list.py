"""The metrics, their help texts and where their values come from."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping

from bgpreflector import _core
from bgpreflector.daemon.report import FpmStatus, StatusReport

from .metric import Metric, Sample, Samples, Totals, by, one


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
    return one(lambda report: None if report.fpm is None else value(report.fpm))


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
        one(lambda r: r.in_sync),
    ),
    Metric(
        "ready",
        "gauge",
        "1 if in sync, or in sync before and now behind by less than 10 seconds, with no more "
        "prefixes held than vpp.max_held allows and no hung thread.",
        (),
        one(lambda r: r.ready),
    ),
    Metric(
        "paused",
        "gauge",
        "1 while programming is paused by an operator.",
        (),
        one(lambda r: r.paused),
    ),
    Metric(
        "held_share",
        "gauge",
        "Share of held prefixes, 0 to 1, except those beyond kernel.max_routes.",
        (),
        one(lambda r: r.held.prefixes / r.held.of if r.held.of else 0.0),
    ),
    Metric(
        "guarded_deletions",
        "gauge",
        "Our routes that the first sync after a start or a reload would delete and that wait "
        "for `bgpreflector resume`; 0 if none wait.",
        (),
        one(lambda r: 0 if r.guard is None else r.guard.deletions + r.guard.left),
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
    Metric(
        "held_routes",
        "gauge",
        "Held routes of mirrored protocols, by reason.",
        ("reason",),
        by(lambda r: r.held_routes),
    ),
    Metric(
        "substituted_prefixes",
        "gauge",
        "Held prefixes with a substitute: drop, punt (the kernel forwards them; vpp.unmapped), "
        "or next_hops (some of them; vpp.unmapped_next_hops).",
        ("by",),
        by(lambda r: dict.fromkeys(("drop", "next_hops", "punt"), 0) | dict(r.held.substitutes)),
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
        one(lambda r: r.limit.exceeded),
    ),
    Metric(
        "dirty_prefixes",
        "gauge",
        "Prefixes that wait for a request to VPP.",
        (),
        one(lambda r: r.dirty),
    ),
    Metric(
        "oldest_queued_seconds",
        "gauge",
        "Age of the oldest change that VPP has not answered; 0 if there is none.",
        (),
        one(lambda r: r.oldest_queued_seconds or 0.0),
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
        one(lambda r: r.next_hop_sets),
    ),
    Metric(
        "path_sets",
        "gauge",
        "Distinct path sets of VPP's routes.",
        (),
        one(lambda r: r.path_sets),
    ),
    Metric(
        "queued_events",
        "gauge",
        "Events in the queue of the event loop.",
        (),
        one(lambda r: r.queued_events),
    ),
    Metric(
        "handler_errors",
        "counter",
        "Exceptions of event handlers, which the log has.",
        ("handler",),
        by(lambda r: r.handler_errors),
    ),
    Metric(
        "kernel_synchronised",
        "gauge",
        "1 once all of the kernel's routes have been read.",
        (),
        one(lambda r: r.kernel.synchronised),
    ),
    Metric(
        "kernel_messages",
        "counter",
        "Kernel messages, by type.",
        ("type",),
        by(lambda r: r.kernel.messages),
    ),
    Metric(
        "kernel_skipped_messages",
        "counter",
        "Kernel messages that were skipped, by reason.",
        ("reason",),
        by(lambda r: r.kernel.skipped),
    ),
    Metric(
        "kernel_anomalies",
        "counter",
        "Kernel messages that contradict the table, by kind; each is repaired.",
        ("kind",),
        by(lambda r: r.kernel.anomalies),
    ),
    Metric(
        "kernel_overruns",
        "counter",
        "Overruns: times that the kernel dropped notifications (ENOBUFS).",
        (),
        one(lambda r: r.kernel.overruns),
    ),
    Metric(
        "kernel_dropped_messages",
        "counter",
        "Notifications that the kernel dropped, by its own count.",
        (),
        one(lambda r: r.kernel.drops),
    ),
    Metric(
        "kernel_dump_ended_early",
        "gauge",
        "1 while the kernel's dumps end early, at a route with too many next hops: routes after "
        "it are kept and not compared.",
        (),
        one(lambda r: int(r.kernel.dump_ended_early)),
    ),
    Metric(
        "kernel_unverified_prefixes",
        "gauge",
        "Prefixes that the kernel's last dumps did not show and that stay because lookups are "
        "inconclusive.",
        (),
        one(lambda r: r.kernel.unverified_prefixes),
    ),
    Metric(
        "kernel_receive_buffer_bytes",
        "gauge",
        "Receive buffer that the kernel granted for notifications.",
        (),
        one(lambda r: r.kernel.receive_buffer_bytes),
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
        by(lambda r: r.kernel.drift),
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
        by(lambda r: {} if r.fpm is None else _connections(r.fpm)),
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
        by(lambda r: {} if r.fpm is None else r.fpm.answers),
    ),
    Metric(
        "fpm_answers_queued",
        "gauge",
        "Prefixes whose result has not been sent to zebra yet.",
        (),
        _fpm(lambda fpm: fpm.answers_queued),
    ),
    Metric(
        "vpp_connected",
        "gauge",
        "1 while there is a connection to VPP.",
        (),
        one(lambda r: r.vpp.connected),
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
        by(lambda r: r.vpp.drift),
    ),
    Metric(
        "vpp_unresolved_path_sets",
        "gauge",
        "Sets of paths that VPP has and does not forward by, as of its last audit.",
        (),
        one(lambda r: r.vpp.unresolved),
    ),
    Metric(
        "vpp_overridden_prefixes",
        "gauge",
        "Prefixes that other FIB sources override, as of the last lookup.",
        (),
        one(lambda r: r.vpp.overridden),
    ),
    Metric(
        "vpp_missing_interfaces",
        "gauge",
        "Configured VPP interfaces that VPP does not have.",
        (),
        one(lambda r: len(r.vpp.missing_interfaces)),
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
