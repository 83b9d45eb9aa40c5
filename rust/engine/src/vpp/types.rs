//! What the bulk connection is asked for, and its answers.

use std::path::PathBuf;
use std::time::Duration;

use bgpreflector_core::route::Prefix;

/// Maximum number of refusals in a report.
pub(super) const MAX_FAILURES: usize = 100;

/// Settings of the bulk connection.
#[derive(Clone, Debug)]
pub struct BulkSettings {
    /// VPP's API socket.
    pub socket: PathBuf,
    /// The client name shown by VPP.
    pub name: String,
    /// The maximum number of unanswered requests.
    pub max_in_flight: usize,
    /// How long the handshake may take.
    pub connect_timeout: Duration,
    /// How long requests may be unanswered before VPP counts as unresponsive.
    pub request_timeout: Duration,
    /// How long VPP may be silent before it is pinged; zero disables the ping.
    pub keepalive_interval: Duration,
    /// Maximum route requests a second; none for no limit.
    pub rate_limit: Option<u32>,
}

/// The result of a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitReport {
    /// Routes added.
    pub added: usize,
    /// Routes whose paths were replaced.
    pub replaced: usize,
    /// Routes deleted.
    pub deleted: usize,
    /// Prefixes that no longer needed a request.
    pub unchanged: usize,
    /// Prefixes that VPP refused.
    pub failed: usize,
    /// Prefixes not sent, because the batch ended early.
    pub unsent: usize,
    /// Some of the refusals.
    pub failures: Vec<Failure>,
}

/// A prefix that VPP refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// VPP table.
    pub vpp_table: u32,
    /// The prefix.
    pub prefix: Prefix,
    /// VPP's `retval`.
    pub retval: i32,
}

/// The result of an adoption.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdoptReport {
    /// Routes under our source that are now recorded as installed.
    pub routes: usize,
    /// Routes under our source in VPP tables that are not ours.
    pub other_tables: usize,
}
