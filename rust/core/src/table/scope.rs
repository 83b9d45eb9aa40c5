//! The part of the kernel's routes that is mirrored.

use std::collections::BTreeMap;

use crate::route::Family;

use super::fib::limit::{Limit, LimitAction};
use super::fib::prefix_lists::PrefixLists;
use super::kernel::discovered::Discovery;
use super::protocols::Protocols;

/// Whether a better foreign route hides ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ForeignRoutes {
    /// It does: VPP follows the kernel's forwarding.
    #[default]
    Hide,
    /// It does not: VPP gets the best route of the mirrored protocols.
    Ignore,
}

crate::named_enum! {
    /// The source of the routes.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub enum RouteSource {
        /// The kernel: several routes a prefix, some of which are removed without a message together
        /// with a link or a next-hop object.
        #[default]
        Kernel = "kernel",
        /// zebra, through its forwarding plane manager: one route a prefix, every change reported.
        Fpm = "fpm",
    }
}

/// What to mirror, and into which VPP tables.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The source of the routes.
    pub source: RouteSource,
    /// Mirrored protocols (`rtm_protocol`).
    pub protocols: Protocols,
    /// Kernel table to VPP table (`table_id`).
    pub tables: BTreeMap<u32, u32>,
    /// Further kernel tables, mirrored once they have a route.
    pub discovery: Discovery,
    /// Mirrored families.
    pub families: Vec<Family>,
    /// Mirrored prefixes.
    pub prefixes: PrefixLists,
    /// How to treat foreign routes.
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

    /// The maximum number of prefixes in VPP.
    pub(super) fn most(&self) -> Option<usize> {
        let limit = self.limit?;
        (limit.action == LimitAction::Refuse).then_some(limit.prefixes)
    }
}
