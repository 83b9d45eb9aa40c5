//! A route as the kernel announced it.

use super::{NextHopSet, Prefix};

/// `rtm_protocol` of the route of a router advertisement (`linux/rtnetlink.h`).
pub const RTPROT_RA: u8 = 9;

/// The identity of a kernel route: table, prefix, TOS and metric.
///
/// Several routes can have one key (appended ones): see `docs/architecture.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteKey {
    /// Kernel table id (`RTA_TABLE`, or `rtm_table` without it).
    pub table: u32,
    /// Destination (`RTA_DST` and `rtm_dst_len`; a missing `RTA_DST` is the default route).
    pub prefix: Prefix,
    /// Type of service (`rtm_tos`), always 0 for IPv6.
    pub tos: u8,
    /// Metric (`RTA_PRIORITY`), 0 without it. The lowest forwards.
    pub metric: u32,
}

impl RouteKey {
    /// The key of a route without a TOS and a metric.
    #[must_use]
    pub const fn new(table: u32, prefix: Prefix) -> Self {
        Self {
            table,
            prefix,
            tos: 0,
            metric: 0,
        }
    }
}

/// A kernel route.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    /// Its key.
    pub key: RouteKey,
    /// The protocol that installed it (`rtm_protocol`; 12 is `RTPROT_BIRD`).
    pub protocol: u8,
    /// What it does with packets.
    pub set: NextHopSet,
}
