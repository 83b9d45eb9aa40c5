//! Resync: a dump of the kernel's routes, the notifications that arrive during it, and the sweep.
//!
//! A dump and the notifications arrive on different sockets, so a dump can show a route as it was
//! before a change that was already notified. A notification during a dump is therefore newer than
//! what the dump shows for the same key. Where that rule could hide a route (several routes with
//! one key), the route counts as uncertain and the dump has to be repeated.

use std::collections::BTreeSet;

use ahash::{AHashMap, AHashSet};

use crate::route::{Family, NextHopSet, Prefix, RTPROT_RA, RouteKey};

use crate::table::Table;
use crate::table::kernel::concern::ChangesDuringResync;
use crate::table::kernel::drift::{Drift, PendingDrift};
use crate::table::kernel::kernel_order::{self, InsertMode};
use crate::table::resolve::topology::Topology;
use crate::table::store::any_rib::AnyRib;
use crate::table::store::entry::{KernelRoute, Routes, Slot, flag};
use crate::table::store::ids::{Handle, SetId};

/// The part of the scope that a resync compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DumpScope {
    /// All routes.
    Everything,
    /// Routes with a next hop through one of these interfaces: the kernel's indices.
    Interfaces(BTreeSet<u32>),
}

impl DumpScope {
    /// Routes with a next hop through this interface.
    #[must_use]
    pub fn interface(index: u32) -> Self {
        Self::Interfaces(BTreeSet::from([index]))
    }

    /// The scope that covers both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        match (self, other) {
            (Self::Interfaces(mut some), Self::Interfaces(others)) => {
                some.extend(others);
                Self::Interfaces(some)
            }
            _ => Self::Everything,
        }
    }
}

/// What a notification leaves uncertain and only a dump can resolve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// Nothing.
    #[default]
    Nothing,
    /// Which of several routes was replaced, if one of them may have been removed without a message
    /// before.
    IfInconsistent,
    /// The current routes through this interface.
    OfInterface(u32),
    /// All current routes.
    OfEverything,
}

/// The last notification about a key since the resync began.
pub(in crate::table) enum Touch {
    Announced { protocol: u8 },
    Withdrawn { protocol: u8, set: NextHopSet },
}

/// Maximum number of notified keys kept during a resync: prefixes that come and go during a long
/// dump must not exhaust memory.
const TOUCHED: usize = if cfg!(test) { 8 } else { 1 << 18 };

struct Resync {
    extent: DumpScope,
    touched: AHashMap<RouteKey, Touch>,
    /// The limit was exceeded: any key may have been notified.
    overfull: bool,
    uncertain: usize,
}

impl Resync {
    /// Returns whether this makes the dump uncertain.
    fn touch(&mut self, key: RouteKey, touch: Touch) -> bool {
        if self.touched.len() < TOUCHED || self.touched.contains_key(&key) {
            self.touched.insert(key, touch);
            return false;
        }
        !std::mem::replace(&mut self.overfull, true)
    }
}

/// The resync in progress, if any, and what it has found so far.
#[derive(Default)]
pub(in crate::table) struct Resyncs {
    generation: u8,
    current: Option<Resync>,
    /// Changes during the resync that affected no route known at the time.
    pub(in crate::table) during_resync: ChangesDuringResync,
}

impl Resyncs {
    /// The generation of routes seen by the last resync.
    pub(in crate::table) fn generation(&self) -> u8 {
        self.generation
    }

    pub(in crate::table) fn is_running(&self) -> bool {
        self.current.is_some()
    }

    /// What the resync in progress compares.
    pub(super) fn extent(&self) -> Option<&DumpScope> {
        self.current.as_ref().map(|resync| &resync.extent)
    }

    fn begin(&mut self, extent: DumpScope) {
        self.current = Some(Resync {
            extent,
            touched: AHashMap::new(),
            overfull: false,
            uncertain: 0,
        });
    }
}

/// The result of a resync.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Kernel routes that the resync did not see and removed.
    pub removed: usize,
    /// Dumped routes that contradicted notifications: if there are any, dump again.
    pub uncertain: usize,
}

impl Table {
    /// Begins a resync: every route announced or dumped from here on counts as seen.
    ///
    /// A route keeps the generation of the last resync that covered it, and generations wrap after
    /// 256 resyncs: at least every hundredth must be one of [`DumpScope::Everything`].
    pub fn begin_resync(&mut self, extent: DumpScope) {
        self.resyncs.generation = self.resyncs.generation.wrapping_add(1);
        self.resyncs.begin(extent);
        self.source_routes.begin_dump();
        self.pending_drift = PendingDrift::default();
    }

    /// Begins a resync on a new connection of a source with one route a prefix: no existing route
    /// counts as seen, however many connections were lost since the last sweep.
    pub fn begin_connection(&mut self) {
        let before = self.resyncs.generation;
        for rib in self.ribs_of(&Family::ALL) {
            let (mut from, is) = (0, |body: &Slot| body.has(flag::ROUTE | flag::OVERFLOW));
            let next = |table: &Self, from| table.ribs.get(usize::from(rib))?.next(from, is);
            while let Some(slot) = next(self, from) {
                self.mark_as(Handle { rib, slot }, before);
                from = slot.saturating_add(1);
            }
        }
        self.resolver.forget_bytes();
        self.begin_resync(DumpScope::Everything);
    }

    fn mark_as(&mut self, handle: Handle, generation: u8) {
        let Some(rib) = self.rib_mut(handle) else {
            return;
        };
        match rib.body_mut(handle.slot) {
            Some(body) if !body.has(flag::OVERFLOW) => body.generation = generation,
            _ => {
                let mut routes = rib.routes(handle.slot);
                for route in &mut routes {
                    route.generation = generation;
                }
                self.put_routes(handle, routes);
            }
        }
    }

    /// Starts another dump within the resync; what the earlier dumps saw still counts.
    pub fn repeat_dump(&mut self) {
        if let Some(resync) = &self.resyncs.current {
            let extent = resync.extent.clone();
            self.resyncs.begin(extent);
            self.source_routes.begin_dump();
        }
    }

    /// Ends the resync and removes the routes of `families` that it covered and did not see.
    ///
    /// Do not name a family whose dump failed or lost routes: nothing of it is removed.
    pub fn end_resync(&mut self, families: &[Family]) -> SweepReport {
        self.end_resync_knowing(families, &AHashSet::new())
    }

    /// Like [`Self::end_resync`], and also removes unseen routes of prefixes (by kernel table) for
    /// which the kernel is known to have none.
    pub fn end_resync_knowing(
        &mut self,
        families: &[Family],
        absent: &AHashSet<(u32, Prefix)>,
    ) -> SweepReport {
        (self.link_dump, self.next_hop_dump) = (None, None);
        let Some(resync) = self.resyncs.current.take() else {
            return SweepReport::default();
        };
        self.ribs.iter_mut().for_each(AnyRib::index_all);
        self.mark_injected_seen();
        let generation = self.resyncs.generation;
        let stale = self.staleness(&resync.extent);
        let mut pending_drift = std::mem::take(&mut self.pending_drift);
        let hiding = self
            .resolver
            .marks(|_, set| kernel_order::is_v6_multipath(set));
        let merging = self.resolver.marks(|_, set| kernel_order::merges(set));
        let spared = |routes: &Routes, route: &KernelRoute| {
            let hides = |other: &KernelRoute| {
                other.generation == generation
                    && (other.metric, other.tos) == (route.metric, route.tos)
                    && hiding.has(other.set)
            };
            // The kernel does not merge routes of router advertisements with others.
            let apart = route.protocol == RTPROT_RA && !hiding.has(route.set);
            (apart || !merging.has(route.set)) && routes.iter().any(hides)
        };
        let mut removed = self.remove_routes(families, &stale, spared, |key| {
            pending_drift.suspect(&key, Drift::Stale);
        });
        if families.contains(&Family::V6) {
            self.sweep_from(&stale);
        }
        // A lookup skips routes that are unusable, or not for ordinary packets.
        let found = self.resolver.marks(Topology::found_by_lookups);
        for (table, prefix) in absent {
            let Some(handle) = self.handle_of_prefix(*table, prefix) else {
                continue;
            };
            // The kernel has nothing for the prefix, so nothing is hidden.
            let gone = |route: &KernelRoute| {
                stale(route) && route.tos == 0 && !route.expired && found.has(route.set)
            };
            let goes = |routes: &Routes| routes.iter().position(gone);
            removed += self.remove_routes_at(handle, goes, |key| {
                pending_drift.suspect(&key, Drift::Stale);
            });
        }
        self.pending_drift = pending_drift;
        SweepReport {
            removed,
            uncertain: resync.uncertain,
        }
    }

    /// Dumped routes so far that contradicted notifications.
    #[must_use]
    pub fn uncertain_dump_routes(&self) -> usize {
        let current = self.resyncs.current.as_ref();
        current.map_or(0, |resync| resync.uncertain)
    }

    /// Records that a dump showed a route whose place is uncertain.
    pub(in crate::table) fn uncertain(&mut self) {
        self.anomalies.uncertain_dump_routes += 1;
        if let Some(resync) = &mut self.resyncs.current {
            resync.uncertain += 1;
        }
    }

    pub(in crate::table) fn touch(&mut self, key: RouteKey, touch: Touch) {
        self.pending_drift.clear(&key);
        let (Touch::Announced { protocol } | Touch::Withdrawn { protocol, .. }) = &touch;
        self.withdraw_injected(key, *protocol);
        let resync = self.resyncs.current.as_mut();
        if resync.is_some_and(|resync| resync.touch(key, touch)) {
            self.uncertain();
        }
    }

    /// Whether an announcement is newer than what is known, considering the resync in progress.
    #[inline]
    pub(in crate::table) fn resync_takes(
        &mut self,
        key: &RouteKey,
        protocol: u8,
        set: SetId,
        placement: InsertMode,
    ) -> bool {
        if !placement.from_dump() {
            self.announced(key, protocol, placement);
            return true;
        }
        let untouched = |resync: &Resync| !resync.overfull && !resync.touched.contains_key(key);
        if self.resyncs.current.as_ref().is_none_or(untouched) {
            return true;
        }
        self.resync_takes_touched(key, protocol, set)
    }

    fn announced(&mut self, key: &RouteKey, protocol: u8, placement: InsertMode) {
        if placement == InsertMode::Sole {
            // No concurrent dump can be older.
            self.withdraw_injected(*key, protocol);
        } else {
            self.touch(*key, Touch::Announced { protocol });
        }
    }

    #[cold]
    fn resync_takes_touched(&mut self, key: &RouteKey, protocol: u8, set: SetId) -> bool {
        let touched = self.resyncs.current.as_ref();
        let outdated = match touched.and_then(|resync| resync.touched.get(key)) {
            // The dump is uncertain and will be repeated: do not add what may be gone by now.
            None => true,
            Some(Touch::Announced { protocol: notified }) => *notified == protocol,
            Some(Touch::Withdrawn {
                protocol: notified,
                set: gone,
            }) => *notified == protocol && self.is_set(set, gone),
        };
        if !self.sees_known(key, protocol, set) && !outdated {
            self.uncertain();
        }
        false
    }

    /// Marks a known route as seen, whatever was notified about others with its key; returns
    /// whether there is one.
    fn sees_known(&mut self, key: &RouteKey, protocol: u8, set: SetId) -> bool {
        let Some(handle) = self.handle_of(key) else {
            return false;
        };
        let Some(mut routes) = self.rib(handle).map(|rib| rib.routes(handle.slot)) else {
            return false;
        };
        let generation = self.resyncs.generation();
        let shown = (key.metric, key.tos, protocol, set);
        let is = |r: &KernelRoute| (r.metric, r.tos, r.protocol, r.set) == shown;
        let Some(route) = routes.iter_mut().find(|route| is(route)) else {
            return false;
        };
        route.generation = generation;
        self.put_routes(handle, routes);
        true
    }
}

#[cfg(test)]
mod tests {
    use smallvec::smallvec;

    use super::*;
    use crate::route::{NextHop, NextHopSource, Prefix, Route, RouteType};
    use crate::table::Scope;

    fn route(number: u32) -> Route {
        Route {
            key: RouteKey::new(254, Prefix::v4(number << 8, 24)),
            protocol: 12,
            set: NextHopSet::new(
                Family::V4,
                RouteType::Unicast,
                NextHopSource::Inline(smallvec![NextHop::new(None, 2)]),
            ),
        }
    }

    #[test]
    fn prefixes_that_come_and_go_during_a_dump_are_kept_up_to_a_bound() {
        let mut table = Table::new(Scope::default());
        table.announce(route(0), InsertMode::Replace);
        table.begin_resync(DumpScope::Everything);
        for number in 1..1000 {
            table.announce(route(number), InsertMode::Replace);
            table.withdraw(route(number));
        }
        let kept = |table: &Table| table.resyncs.current.as_ref().map(|r| r.touched.len());
        assert_eq!(kept(&table), Some(TOUCHED));
        assert_eq!(table.uncertain_dump_routes(), 1, "the dump is done again");
        // A dump does not bring back a route that was withdrawn since.
        table.announce(route(999), InsertMode::Dump);
        table.announce(route(0), InsertMode::Dump);
        assert_eq!(table.counts(Family::V4).kernel, 1);
        // The next dump starts with an empty list.
        table.repeat_dump();
        table.announce(route(0), InsertMode::Dump);
        let swept = table.end_resync(&Family::ALL);
        assert_eq!((swept.removed, swept.uncertain), (0, 0));
        assert_eq!(table.counts(Family::V4).kernel, 1);
    }
}
