//! The table: what every stage keeps of the routes.

use ahash::{AHashMap, AHashSet};

use crate::route::{Family, Prefix, RouteKey};

use super::fib::deletion_guard::DeletionGuard;
use super::fib::dirty_queue::DirtyQueue;
use super::fib::limit::LimitState;
use super::fib::quarantine_state::Quarantine;
use super::fib::result_queue::ResultQueue;
use super::kernel::deferred_sets::DeferredSets;
use super::kernel::discovered::Discovered;
use super::kernel::drift::PendingDrift;
use super::kernel::dump_tracker::DumpTracker;
use super::kernel::foreign_users::ForeignUsers;
use super::kernel::label_routes::LabelRoutes;
use super::kernel::outdated_sets::OutdatedSets;
use super::kernel::resync_state::Resyncs;
use super::kernel::source_specific_routes::SourceSpecificRoutes;
use super::query::counts::{Anomalies, Counts};
use super::resolve::resolver::Resolver;
use super::scope::Scope;
use super::store::any_rib::AnyRib;
use super::store::entry::EntryState;
use super::store::ids::Handle;

/// The routes of every mirrored kernel table, and what VPP has of them.
pub struct Table {
    pub(super) scope: Scope,
    pub(super) ribs: Vec<AnyRib>,
    pub(super) discovered: Discovered,
    pub(super) resolver: Resolver,
    pub(super) dirty: DirtyQueue,
    pub(super) refusals: AHashMap<Handle, i32>,
    pub(super) counts: [Counts; 2],
    pub(super) anomalies: Anomalies,
    pub(super) denied: u64,
    pub(super) resyncs: Resyncs,
    pub(super) pending_drift: PendingDrift,
    /// Prefixes of VPP tables for which a better source has a route, which may hide one of ours.
    pub(super) shadowed: Vec<(u32, Prefix)>,
    pub(super) deferred_changes: DeferredSets,
    /// Routes of mirrored protocols with a TOS.
    pub(super) with_tos: usize,
    pub(super) foreign_users: ForeignUsers,
    pub(super) outdated_sets: OutdatedSets,
    pub(super) deletion_guard: DeletionGuard,
    pub(super) limit_state: LimitState,
    /// Key and protocol of the routes that handlers have injected.
    pub(super) injected: AHashSet<(RouteKey, u8)>,
    pub(super) source_specific: SourceSpecificRoutes,
    pub(super) label_routes: LabelRoutes,
    pub(super) quarantine: Quarantine,
    pub(super) link_dump: Option<DumpTracker>,
    pub(super) next_hop_dump: Option<DumpTracker>,
    /// VPP's results for the peer; none unless enabled.
    pub(super) results: Option<ResultQueue>,
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
        let mut resolver = Resolver::default();
        let number = |rib: &AnyRib| ((rib.family(), rib.kernel_table), rib.vpp_table);
        resolver.topology.vpp_tables = ribs.iter().map(number).collect();
        Self {
            scope,
            discovered: Discovered::new(&ribs),
            ribs,
            resolver,
            dirty: DirtyQueue::default(),
            refusals: AHashMap::new(),
            counts: [Counts::default(); 2],
            anomalies: Anomalies::default(),
            denied: 0,
            resyncs: Resyncs::default(),
            pending_drift: PendingDrift::default(),
            shadowed: Vec::new(),
            deferred_changes: DeferredSets::default(),
            with_tos: 0,
            foreign_users: ForeignUsers::default(),
            outdated_sets: OutdatedSets::default(),
            deletion_guard: DeletionGuard::default(),
            limit_state: LimitState::default(),
            injected: AHashSet::new(),
            source_specific: SourceSpecificRoutes::default(),
            label_routes: LabelRoutes::default(),
            quarantine: Quarantine::default(),
            link_dump: None,
            next_hop_dump: None,
            results: None,
        }
    }

    /// The scope.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether routes of a protocol are mirrored.
    #[must_use]
    pub fn mirrors(&self, protocol: u8) -> bool {
        self.scope.mirrors(protocol)
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

    pub(super) fn counts_mut(&mut self, family: Family) -> &mut Counts {
        let [v4, v6] = &mut self.counts;
        match family {
            Family::V4 => v4,
            Family::V6 => v6,
        }
    }

    pub(super) fn rib(&self, handle: Handle) -> Option<&AnyRib> {
        self.ribs.get(usize::from(handle.rib))
    }

    pub(super) fn rib_mut(&mut self, handle: Handle) -> Option<&mut AnyRib> {
        self.ribs.get_mut(usize::from(handle.rib))
    }

    #[inline]
    pub(super) fn entry(&self, handle: Handle) -> Option<&EntryState> {
        self.rib(handle)?.entry(handle.slot)
    }

    #[inline]
    pub(super) fn entry_mut(&mut self, handle: Handle) -> Option<&mut EntryState> {
        self.rib_mut(handle)?.entry_mut(handle.slot)
    }

    /// Every slot ever used, in use now or not.
    pub(super) fn slots(&self) -> impl Iterator<Item = Handle> + use<> {
        let ribs = (0_u16..).zip(&self.ribs);
        let slots: Vec<(u16, u32)> = ribs.map(|(i, rib)| (i, rib.slots())).collect();
        let handles = |(rib, slots)| (0..slots).map(move |slot| Handle { rib, slot });
        slots.into_iter().flat_map(handles)
    }

    pub(super) fn ribs_of(&self, families: &[Family]) -> Vec<u16> {
        let ribs = (0_u16..).zip(&self.ribs);
        let of_families = ribs.filter(|(_, rib)| families.contains(&rib.family()));
        of_families.map(|(index, _)| index).collect()
    }
}
