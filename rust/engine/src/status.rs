//! The engine's status.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bgpreflector_core::netlink::SkipReason;
use bgpreflector_core::route::Family;
use bgpreflector_core::table::{Anomalies, Counts, Drift, Substitute};

use crate::engine::Engine;
use crate::kernel::Reason;
use crate::latency::Latency;

/// The engine's counts, and what is measured.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// Prefixes by state, IPv4 and IPv6.
    pub counts: [Counts; 2],
    /// The same by kernel table.
    pub tables: Vec<(u32, Family, Counts)>,
    /// Prefixes that wait for a request.
    pub dirty: usize,
    /// How long the change has waited that waits the longest.
    pub oldest_queued: Option<Duration>,
    /// How long changes waited.
    pub latency: Latency,
    /// Route requests that VPP has answered: by operation, those that it did and refused.
    pub requests: [[u64; 2]; 3],
    /// Next-hop sets and path sets stored.
    pub sets: (usize, usize),
    /// Kernel messages that contradicted the table.
    pub anomalies: Anomalies,
    /// `RTM_NEWROUTE`, `RTM_DELROUTE`, link and next-hop messages, and malformed ones.
    pub messages: [u64; 5],
    /// Messages not taken, by reason, with those that the prefix lists left out.
    pub skipped: Vec<(&'static str, u64)>,
    /// Times that the kernel dropped notifications.
    pub overruns: u64,
    /// Notifications that it dropped.
    pub drops: u64,
    /// Whether the last dump of the kernel ended early, at a route too large for it.
    pub dump_ended_early: bool,
    /// Prefixes that the last dumps did not show and that stay, since the kernel's lookups do not
    /// decide.
    pub unverified_prefixes: u64,
    /// Whether all of the kernel has been read once.
    pub synchronised: bool,
    /// Resyncs done, by reason.
    pub resyncs: Vec<(&'static str, u64)>,
    /// Seconds that they took, by reason.
    pub resync_seconds: Vec<(&'static str, f64)>,
    /// Differences that audits found and repaired, by kind.
    pub drift: Vec<(&'static str, u64)>,
    /// Routes of mirrored protocols that VPP cannot have, by reason.
    pub held_routes: BTreeMap<&'static str, usize>,
    /// Counts of substituted prefixes.
    pub substitutes: Vec<(Substitute, usize)>,
    /// Whether there are more prefixes than the limit.
    pub limit_exceeded: bool,
    /// Receive buffer that the kernel granted, bytes.
    pub receive_buffer: u64,
}

impl Engine {
    /// The status now.
    #[must_use]
    pub fn status(&self) -> Status {
        let kernel = &self.shared().kernel;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let messages = [
            &kernel.route_announcements,
            &kernel.route_withdrawals,
            &kernel.links,
            &kernel.next_hops,
            &kernel.malformed,
        ];
        let named = |names: &[&'static str], counters: &[AtomicU64]| {
            let counts = counters.iter().map(read);
            names.iter().copied().zip(counts).collect::<Vec<_>>()
        };
        let seconds = |micros: &AtomicU64| Duration::from_micros(read(micros)).as_secs_f64();
        let resync_names = Reason::ALL.iter().map(|reason| reason.name());
        let requests = self.shared().vpp.requests.each_ref();
        let table = self.shared().table();
        let (oldest_queued, latency) = {
            let waiting = self.shared().latency_tracker();
            let oldest = waiting.oldest(table.dirty(), Instant::now());
            (oldest, waiting.latency())
        };
        let mut skipped = named(&SkipReason::ALL.map(SkipReason::name), &kernel.skipped);
        skipped.push(("sender", read(&kernel.not_from_kernel)));
        skipped.push(("prefix_lists", table.denied()));
        Status {
            counts: Family::ALL.map(|family| table.counts(family)),
            tables: table.counts_by_table(),
            dirty: table.dirty(),
            oldest_queued,
            latency,
            requests: requests.map(|results| results.each_ref().map(read)),
            sets: table.sets(),
            anomalies: table.anomalies(),
            messages: messages.map(read),
            skipped,
            overruns: read(&kernel.overruns),
            drops: read(&kernel.drops),
            dump_ended_early: read(&kernel.ended_early) > 0,
            unverified_prefixes: read(&kernel.unverified),
            synchronised: self.shared().is_synchronised(),
            resyncs: named(&Reason::ALL.map(Reason::name), &kernel.resyncs),
            resync_seconds: resync_names
                .zip(kernel.resync_micros.iter().map(seconds))
                .collect(),
            drift: named(&Drift::ALL.map(Drift::name), &kernel.drift),
            held_routes: table.held_routes(),
            substitutes: table.substitutes().to_vec(),
            limit_exceeded: table.limit_exceeded(),
            receive_buffer: read(&kernel.receive_buffer),
        }
    }
}
