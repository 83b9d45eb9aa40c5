//! Reports and counters.

use std::collections::HashMap;

use bgpreflector_core::route::Family;
use bgpreflector_core::route::Prefix;
use bgpreflector_core::table::{Counts, Drift, DriftReport, VppDrift};
use bgpreflector_core::vpp::Retval;
use bgpreflector_engine::{BOUNDS, VppCounters};
use pyo3::prelude::*;

/// The result of a resync with the kernel.
#[pyclass(frozen, get_all, module = "bgpreflector._core")]
pub struct ResyncReport {
    /// Routes in the dumps.
    dumped: usize,
    /// Routes removed from the table because the kernel no longer has them.
    removed: usize,
    /// The number of dumps.
    dumps: usize,
    /// Whether every family could be compared.
    complete: bool,
    /// Seconds.
    duration: f64,
    /// What an audit repaired, by kind.
    drift: HashMap<&'static str, usize>,
    /// Some of that: kernel table, prefix, kind.
    drifted: Vec<DriftTuple>,
}

/// Kernel table, prefix, kind of a difference.
pub(crate) type DriftTuple = (u32, String, &'static str);

pub(crate) fn drift(report: &DriftReport) -> Vec<DriftTuple> {
    let tuple =
        |(table, prefix, kind): &(u32, Prefix, Drift)| (*table, prefix.to_string(), kind.name());
    report.examples.iter().map(tuple).collect()
}

impl From<bgpreflector_engine::kernel::ResyncReport> for ResyncReport {
    fn from(report: bgpreflector_engine::kernel::ResyncReport) -> Self {
        Self {
            dumped: report.dumped,
            removed: report.removed,
            dumps: report.dumps,
            complete: report.complete,
            duration: report.duration.as_secs_f64(),
            drift: Drift::ALL
                .iter()
                .map(|kind| kind.name())
                .zip(report.drift.counts)
                .collect(),
            drifted: drift(&report.drift),
        }
    }
}

/// A refusal: VPP table, prefix, `retval`, its text, whether to retry.
type FailureTuple = (u32, String, i32, String, bool);

/// The text of VPP's return code, and whether the request is worth a retry.
#[pyfunction]
pub fn retval_meaning(retval: i32) -> (String, bool) {
    let retval = Retval(retval);
    let retry = !retval.is_ok() && !retval.is_permanent();
    (retval.to_string(), retry)
}

fn failure(failure: bgpreflector_engine::vpp::Failure) -> FailureTuple {
    let (meaning, retry) = retval_meaning(failure.retval);
    let prefix = failure.prefix.to_string();
    (failure.vpp_table, prefix, failure.retval, meaning, retry)
}

/// The result of a flush.
#[pyclass(frozen, get_all, module = "bgpreflector._core")]
pub struct FlushReport {
    /// By VPP table: id, whether IPv6, routes dumped, deleted, refused.
    tables: Vec<(u32, bool, usize, usize, usize)>,
    /// Some of the refusals.
    failures: Vec<FailureTuple>,
}

impl From<bgpreflector_engine::vpp::FlushReport> for FlushReport {
    fn from(flushed: bgpreflector_engine::vpp::FlushReport) -> Self {
        let table = |table: bgpreflector_engine::vpp::FlushedTable| {
            let is_ip6 = table.family == Family::V6;
            (
                table.table,
                is_ip6,
                table.dumped,
                table.deleted,
                table.failed,
            )
        };
        Self {
            tables: flushed.tables.into_iter().map(table).collect(),
            failures: flushed.failures.into_iter().map(failure).collect(),
        }
    }
}

/// The result of a commit.
#[pyclass(frozen, get_all, module = "bgpreflector._core")]
pub struct CommitReport {
    added: usize,
    replaced: usize,
    deleted: usize,
    unchanged: usize,
    failed: usize,
    /// Some of the refusals: VPP table, prefix, `retval`, its text, whether to retry.
    failures: Vec<FailureTuple>,
}

impl From<bgpreflector_engine::vpp::CommitReport> for CommitReport {
    fn from(report: bgpreflector_engine::vpp::CommitReport) -> Self {
        Self {
            added: report.added,
            replaced: report.replaced,
            deleted: report.deleted,
            unchanged: report.unchanged,
            failed: report.failed,
            failures: report.failures.into_iter().map(failure).collect(),
        }
    }
}

/// The result of an adoption.
#[pyclass(frozen, get_all, module = "bgpreflector._core")]
pub struct AdoptReport {
    routes: usize,
    other_tables: usize,
}

impl From<bgpreflector_engine::vpp::AdoptReport> for AdoptReport {
    fn from(adopted: bgpreflector_engine::vpp::AdoptReport) -> Self {
        Self {
            routes: adopted.routes,
            other_tables: adopted.other_tables,
        }
    }
}

/// The result of an audit of VPP.
#[pyclass(frozen, get_all, module = "bgpreflector._core")]
pub struct VppAuditReport {
    /// Routes under our source that VPP showed.
    dumped: usize,
    /// Differences by kind.
    drift: HashMap<&'static str, usize>,
    /// Some of them: VPP table, prefix, kind.
    drifted: Vec<DriftTuple>,
}

impl From<bgpreflector_engine::vpp::VppAuditReport> for VppAuditReport {
    fn from(audit: bgpreflector_engine::vpp::VppAuditReport) -> Self {
        let kinds = VppDrift::ALL.iter().map(|kind| kind.name());
        let tuple = |(table, prefix, kind): (u32, Prefix, VppDrift)| {
            (table, prefix.to_string(), kind.name())
        };
        Self {
            dumped: audit.dumped,
            drift: kinds.zip(audit.counts).collect(),
            drifted: audit.examples.into_iter().map(tuple).collect(),
        }
    }
}

/// The engine's counters.
#[pyclass(frozen, get_all, module = "bgpreflector._core")]
pub struct Status {
    /// By family: kernel, desired, installed, held, substituted, rejected, unconfirmed.
    prefixes: HashMap<&'static str, HashMap<&'static str, usize>>,
    /// By kernel table and family, likewise.
    tables: Vec<(u32, &'static str, HashMap<&'static str, usize>)>,
    dirty: usize,
    /// Seconds.
    oldest_queued: Option<f64>,
    /// Upper bound in seconds, and changes that waited no longer.
    latency: Vec<(f64, u64)>,
    /// The sum over all changes, in seconds.
    latency_sum: f64,
    /// By operation: done, refused.
    requests: HashMap<&'static str, (u64, u64)>,
    next_hop_sets: usize,
    path_sets: usize,
    /// By type.
    messages: HashMap<&'static str, u64>,
    /// By reason.
    skipped: HashMap<&'static str, u64>,
    anomalies: HashMap<&'static str, u64>,
    overruns: u64,
    drops: u64,
    dump_ended_early: bool,
    unverified_prefixes: u64,
    synchronised: bool,
    /// By reason.
    resyncs: HashMap<&'static str, u64>,
    /// The time that they took in seconds, by reason.
    resync_seconds: HashMap<&'static str, f64>,
    /// By kind.
    drift: HashMap<&'static str, u64>,
    /// By reason.
    held_routes: HashMap<&'static str, usize>,
    /// By kind of substitute.
    substitutes: HashMap<&'static str, usize>,
    limit_exceeded: bool,
    receive_buffer: u64,
}

fn counts_by_state(counts: Counts) -> HashMap<&'static str, usize> {
    HashMap::from([
        ("kernel", counts.kernel),
        ("desired", counts.desired),
        ("installed", counts.installed),
        ("held", counts.held),
        ("substituted", counts.substituted),
        ("rejected", counts.rejected),
        ("unconfirmed", counts.unconfirmed),
    ])
}

impl From<bgpreflector_engine::Status> for Status {
    fn from(status: bgpreflector_engine::Status) -> Self {
        let names = Family::ALL.map(Family::name);
        let by_table = |(table, family, counts): (u32, Family, Counts)| {
            (table, family.name(), counts_by_state(counts))
        };
        let requests = status.requests.map(|[done, refused]| (done, refused));
        let mut waited = 0;
        let cumulative = |(bound, count): (f64, u64)| {
            waited += count;
            (bound, waited)
        };
        let bounds = BOUNDS.into_iter().chain([f64::INFINITY]);
        let types = ["new_route", "del_route", "link", "next_hop", "malformed"];
        Self {
            prefixes: names
                .into_iter()
                .zip(status.counts.map(counts_by_state))
                .collect(),
            tables: status.tables.into_iter().map(by_table).collect(),
            dirty: status.dirty,
            oldest_queued: status.oldest_queued.map(|waited| waited.as_secs_f64()),
            latency: bounds.zip(status.latency.buckets).map(cumulative).collect(),
            latency_sum: status.latency.sum,
            requests: VppCounters::OPERATIONS.into_iter().zip(requests).collect(),
            next_hop_sets: status.sets.0,
            path_sets: status.sets.1,
            messages: types.into_iter().zip(status.messages).collect(),
            skipped: status.skipped.into_iter().collect(),
            anomalies: HashMap::from([
                ("unknown_withdrawals", status.anomalies.unknown_withdrawals),
                (
                    "uncertain_dump_routes",
                    status.anomalies.uncertain_dump_routes,
                ),
            ]),
            overruns: status.overruns,
            drops: status.drops,
            dump_ended_early: status.dump_ended_early,
            unverified_prefixes: status.unverified_prefixes,
            synchronised: status.synchronised,
            resyncs: status.resyncs.into_iter().collect(),
            resync_seconds: status.resync_seconds.into_iter().collect(),
            drift: status.drift.into_iter().collect(),
            held_routes: status.held_routes.into_iter().collect(),
            substitutes: status
                .substitutes
                .into_iter()
                .map(|(substitute, count)| (substitute.name(), count))
                .collect(),
            limit_exceeded: status.limit_exceeded,
            receive_buffer: status.receive_buffer,
        }
    }
}
