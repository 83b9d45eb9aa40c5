//! Counters, which status and metrics show.

use std::sync::atomic::{AtomicU64, Ordering};

use bgpreflector_core::netlink::SkipReason;
use bgpreflector_core::table::{Drift, Request};

use crate::kernel::Reason;

/// Route requests that VPP has answered.
#[derive(Debug, Default)]
pub struct VppCounters {
    /// By operation ([`Self::OPERATIONS`]), those that it did and those that it refused.
    pub requests: [[AtomicU64; 2]; 3],
}

impl VppCounters {
    /// The operations' names.
    pub const OPERATIONS: [&'static str; 3] = ["add", "replace", "delete"];

    pub(crate) fn answered(&self, request: &Request, retval: i32) {
        let [add, replace, delete] = &self.requests;
        let [done, refused] = match (request.paths.is_none(), request.installed) {
            (true, _) => delete,
            (false, true) => replace,
            (false, false) => add,
        };
        KernelCounters::count(if retval == 0 { done } else { refused });
    }
}

/// Counters of the kernel reader; each only grows unless stated otherwise.
#[derive(Debug, Default)]
pub struct KernelCounters {
    /// `RTM_NEWROUTE` messages.
    pub route_announcements: AtomicU64,
    /// `RTM_DELROUTE` messages.
    pub route_withdrawals: AtomicU64,
    /// Link messages.
    pub links: AtomicU64,
    /// Next-hop object messages.
    pub next_hops: AtomicU64,
    /// Messages that could not be decoded.
    pub malformed: AtomicU64,
    /// Messages that were not taken, by [`SkipReason::index`].
    pub skipped: [AtomicU64; SkipReason::ALL.len()],
    /// Messages that were not taken as the kernel is not their sender (`nl_pid` is not 0).
    pub not_from_kernel: AtomicU64,
    /// Times that the kernel dropped notifications (`ENOBUFS`).
    pub overruns: AtomicU64,
    /// Notifications that it dropped.
    pub drops: AtomicU64,
    /// Resyncs done, by [`Reason::index`].
    pub resyncs: [AtomicU64; Reason::ALL.len()],
    /// Microseconds that they took, likewise.
    pub resync_micros: [AtomicU64; Reason::ALL.len()],
    /// Differences that audits found and repaired, by [`Drift::index`].
    pub drift: [AtomicU64; Drift::ALL.len()],
    /// Prefixes, of those that it was asked for, that the kernel has and its last dump did not show
    /// (not only growing).
    pub ended_early: AtomicU64,
    /// Prefixes that the last dumps did not show and that the kernel's lookups do not decide: they
    /// stay (a gauge).
    pub unverified: AtomicU64,
    /// Receive buffer that the kernel granted, bytes.
    pub receive_buffer: AtomicU64,
}

impl KernelCounters {
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a message that was not taken.
    pub(crate) fn skip(&self, reason: SkipReason) {
        if let Some(counter) = self.skipped.get(reason.index()) {
            Self::count(counter);
        }
    }
}
