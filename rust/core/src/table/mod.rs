//! The route table: the kernel's routes, the installed paths, and the difference.
//!
//! Kernel changes enter through [`Table::announce`], [`Table::withdraw`] and similar methods and
//! take effect at once. A prefix whose desired paths differ from the installed ones becomes *dirty*
//! and is queued, once, however often it changes, until [`Table::take_dirty`] hands it out. The
//! outcome of a request comes back through [`Table::acknowledge`]: only what VPP has acknowledged
//! counts as installed.

mod fib;
mod kernel;
mod protocols;
mod query;
mod resolve;
mod scope;
mod store;

use ahash::AHashMap;

use crate::route::Family;

use fib::answers::Answers;
use fib::dirty_queue::DirtyQueue;
use fib::max_prefix::LimitState;
use fib::quarantine::Quarantine;
use fib::shadowed::Shadowed;
use fib::withheld::Withheld;
use kernel::concern::ForeignUsers;
use kernel::deferred::Deferred;
use kernel::discovery::Discovered;
use kernel::drift::PendingDrift;
use kernel::dump_tracker::DumpTracker;
use kernel::injected_routes::InjectedRoutes;
use kernel::resync::Resyncs;
use kernel::source_routes::SourceRoutes;
use resolve::resolver::Resolver;
use store::any_rib::AnyRib;

pub use fib::acknowledge::{DirtyBatch, Refusal, Request};
pub use fib::answers::Answer;
pub use fib::fib_audit::{Shown, VppDrift};
pub use fib::max_prefix::{Limit, LimitAction, LimitChange};
pub use fib::prefix_lists::{PrefixLists, PrefixRule, Verdict};
pub use fib::withheld::WithheldDeletions;
pub use kernel::discovery::{Discovery, MirroredTable};
pub use kernel::drift::{Drift, DriftReport};
pub use kernel::kernel_order::InsertMode;
pub use kernel::resync::{DumpScope, SweepReport, Verify};
pub use kernel::unseen::UnseenPrefixes;
pub use kernel::update::Announcement;
pub use protocols::Protocols;
pub use query::counts::{Anomalies, Counts};
pub use query::filter::RouteFilter;
pub use query::in_order::RoutesInOrder;
pub use query::sets::SetView;
pub use query::tally::Alike;
pub use query::view::{Cursor, RouteState, RouteView};
pub use resolve::fallback::{Fallback, Resolved, Substitute};
pub use resolve::hold_reason::HoldReason;
pub use resolve::interfaces::{Interfaces, Link, Unmapped};
pub use resolve::nexthops::NextHopObject;
pub use scope::{ForeignRoutes, RouteSource, Scope};
pub use store::ids::{Handle, PathSetId};

/// The routes of every mirrored kernel table, and what VPP has of them.
pub struct Table {
    scope: Scope,
    ribs: Vec<AnyRib>,
    discovered: Discovered,
    resolver: Resolver,
    dirty: DirtyQueue,
    refusals: AHashMap<Handle, Refusal>,
    counts: [Counts; 2],
    anomalies: Anomalies,
    denied: u64,
    resyncs: Resyncs,
    pending_drift: PendingDrift,
    shadowed: Shadowed,
    deferred_changes: Deferred,
    /// Routes of mirrored protocols with a TOS.
    with_tos: usize,
    foreign_users: ForeignUsers,
    withheld: Withheld,
    limit_state: LimitState,
    injected: InjectedRoutes,
    source_routes: SourceRoutes,
    quarantine: Quarantine,
    link_dump: Option<DumpTracker>,
    next_hop_dump: Option<DumpTracker>,
    /// VPP's answers for the peer; none unless enabled.
    answers: Option<Answers>,
}

impl Table {
    /// An empty table for the given scope.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        let ribs: Vec<AnyRib> = scope
            .families
            .iter()
            .flat_map(|family| {
                scope
                    .tables
                    .iter()
                    .map(|(k, v)| AnyRib::new(*family, *k, *v))
            })
            .collect();
        Self {
            scope,
            discovered: Discovered::new(&ribs),
            ribs,
            resolver: Resolver::default(),
            dirty: DirtyQueue::default(),
            refusals: AHashMap::new(),
            counts: [Counts::default(); 2],
            anomalies: Anomalies::default(),
            denied: 0,
            resyncs: Resyncs::default(),
            pending_drift: PendingDrift::default(),
            shadowed: Shadowed::default(),
            deferred_changes: Deferred::default(),
            with_tos: 0,
            foreign_users: ForeignUsers::default(),
            withheld: Withheld::default(),
            limit_state: LimitState::default(),
            injected: InjectedRoutes::default(),
            source_routes: SourceRoutes::default(),
            quarantine: Quarantine::default(),
            link_dump: None,
            next_hop_dump: None,
            answers: None,
        }
    }

    /// The scope.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The counts of a family.
    #[must_use]
    pub fn counts(&self, family: Family) -> Counts {
        let [v4, v6] = self.counts;
        match family {
            Family::V4 => v4,
            Family::V6 => v6,
        }
    }

    /// Kernel messages that contradict the table.
    #[must_use]
    pub fn anomalies(&self) -> Anomalies {
        self.anomalies
    }

    /// Announcements so far that [`Scope::prefixes`] excluded.
    #[must_use]
    pub fn denied(&self) -> u64 {
        self.denied
    }

    /// Prefixes that wait for a request to VPP.
    #[must_use]
    pub fn dirty(&self) -> usize {
        self.dirty.len()
    }

    fn counts_mut(&mut self, family: Family) -> &mut Counts {
        let [v4, v6] = &mut self.counts;
        match family {
            Family::V4 => v4,
            Family::V6 => v6,
        }
    }

    fn rib(&self, handle: Handle) -> Option<&AnyRib> {
        self.ribs.get(usize::from(handle.rib))
    }

    fn rib_mut(&mut self, handle: Handle) -> Option<&mut AnyRib> {
        self.ribs.get_mut(usize::from(handle.rib))
    }

    /// Every slot ever used, in use now or not.
    fn places(&self) -> impl Iterator<Item = Handle> + use<> {
        let ribs = (0_u16..).zip(&self.ribs);
        let slots: Vec<(u16, u32)> = ribs.map(|(i, rib)| (i, rib.slots())).collect();
        let places = |(rib, slots)| (0..slots).map(move |slot| Handle { rib, slot });
        slots.into_iter().flat_map(places)
    }

    fn ribs_of(&self, families: &[Family]) -> Vec<u16> {
        let ribs = (0_u16..).zip(&self.ribs);
        let of_families = ribs.filter(|(_, rib)| families.contains(&rib.family()));
        of_families.map(|(index, _)| index).collect()
    }
}
