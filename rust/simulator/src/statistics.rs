//! Counters of the simulator's requests.

use std::collections::BTreeMap;

use serde::Serialize;

/// Counters since the simulator's start; a simulated restart does not reset them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Statistics {
    /// Requests by message.
    pub requests: BTreeMap<&'static str, u64>,
    /// `ip_route_add_del` and its v2.
    pub route_requests: u64,
    /// Of those, prefixes that were new to their source.
    pub adds: u64,
    /// Of those, prefixes that their source had.
    pub replaces: u64,
    /// Of those, deletions of prefixes that their source had.
    pub deletes: u64,
    /// Of those, deletions of prefixes that their source did not have.
    pub deletes_of_absent: u64,
    /// Of those, refused.
    pub refused: u64,
    /// Routes that clients have added and not deleted, of all sources.
    pub routes: u64,
    /// Requests that crashed VPP.
    pub crashes: u64,
    /// Clients connected now.
    pub clients: u64,
    /// When answers to route requests were last sent, nanoseconds of `CLOCK_MONOTONIC`; 0 before.
    pub answered_at: u64,
}
