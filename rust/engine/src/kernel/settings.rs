//! What the kernel reader is asked for, and its answers.

use std::path::PathBuf;
use std::time::Duration;

use bgpreflector_core::table::DriftReport;
use crossbeam_channel::Sender;

use crate::error::KernelError;

use super::schedule::Reason;

/// How the kernel is read.
#[derive(Clone, Debug)]
pub struct KernelSettings {
    /// Receive buffer to request, bytes.
    pub receive_buffer: usize,
    /// File of the network namespace to read; none for this process's.
    pub namespace: Option<PathBuf>,
    /// How often to compare the table with the kernel; none disables audits.
    pub audit_interval: Option<Duration>,
    /// Whether to read only links, since the routes have another source.
    pub links_only: bool,
    /// How long after the start routes of an earlier run stay in VPP although the kernel does not
    /// have them.
    pub stale_routes_time: Duration,
}

impl Default for KernelSettings {
    /// 32 MiB, enough for about 40,000 notifications; this process's namespace, no audit, no grace
    /// time.
    fn default() -> Self {
        Self {
            receive_buffer: 32 << 20,
            namespace: None,
            audit_interval: None,
            links_only: false,
            stale_routes_time: Duration::ZERO,
        }
    }
}

/// The result of a resync.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResyncReport {
    /// Routes in the dumps, with those of repeated dumps counted again.
    pub dumped: usize,
    /// Routes removed from the table because the kernel no longer has them.
    pub removed: usize,
    /// The number of dumps.
    pub dumps: usize,
    /// Whether every family was compared; if not, another resync follows automatically.
    pub complete: bool,
    /// How long it took.
    pub duration: Duration,
    /// Unexplained differences; only audits look for them.
    pub drift: DriftReport,
}

/// A resync with a waiting caller.
pub(super) struct Command {
    pub(super) reason: Reason,
    pub(super) reply: Sender<Result<ResyncReport, KernelError>>,
}
