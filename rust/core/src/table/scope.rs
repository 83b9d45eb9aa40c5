//! What of the kernel is mirrored.

use std::collections::BTreeMap;

use crate::route::Family;

use super::fib::max_prefix::{Limit, LimitAction};
use super::fib::prefix_lists::PrefixLists;
use super::kernel::discovery::Discovery;
use super::protocols::Protocols;

/// Whether a route of a protocol that is not mirrored hides ours when it is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ForeignRoutes {
    /// It does: VPP gets what the kernel forwards by.
    #[default]
    Hide,
    /// It does not: VPP gets the best of the mirrored protocols.
    Ignore,
}

/// The source of the routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum RouteSource {
    /// The kernel: several routes a prefix, some of which go without a message when a link or a
    /// next-hop object does.
    #[default]
    Kernel,
    /// zebra, through its forwarding plane manager: one route a prefix, every change reported.
    Fpm,
}

impl RouteSource {
    /// The source's name in the configuration, metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            RouteSource::Kernel => "kernel",
            RouteSource::Fpm => "fpm",
        }
    }
}

/// What is mirrored, and into which VPP tables.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The source of the routes.
    pub source: RouteSource,
    /// Protocols that are mirrored (`rtm_protocol`).
    pub protocols: Protocols,
    /// Kernel table to VPP table (`table_id`).
    pub tables: BTreeMap<u32, u32>,
    /// Further kernel tables, mirrored as they appear.
    pub discovery: Discovery,
    /// Families that are mirrored.
    pub families: Vec<Family>,
    /// Prefixes that are mirrored.
    pub prefixes: PrefixLists,
    /// What foreign routes do.
    pub foreign: ForeignRoutes,
    /// The prefix limit.
    pub limit: Option<Limit>,
}

impl Default for Scope {
    /// BIRD's routes (`RTPROT_BIRD`, 12) of the main table (254) into VPP's table 0.
    fn default() -> Self {
        Self {
            source: RouteSource::default(),
            protocols: Protocols::from_iter([12]),
            tables: BTreeMap::from([(254, 0)]),
            discovery: Discovery::default(),
            families: Family::ALL.to_vec(),
            prefixes: PrefixLists::default(),
            foreign: ForeignRoutes::default(),
            limit: None,
        }
    }
}

impl Scope {
    /// Whether routes of a protocol take part in the selection.
    pub(super) fn counts_in(&self, protocol: u8) -> bool {
        self.foreign == ForeignRoutes::Hide || self.mirrors(protocol)
    }

    pub(super) fn mirrors(&self, protocol: u8) -> bool {
        self.protocols.contains(protocol)
    }

    /// The most prefixes that VPP may be given.
    pub(super) fn most(&self) -> Option<usize> {
        let limit = self.limit?;
        (limit.beyond == LimitAction::Refuse).then_some(limit.prefixes)
    }
}
