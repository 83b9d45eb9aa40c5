//! Resync: a dump of the kernel's routes, the notifications that arrive during it, and the sweep.
//!
//! A dump and the notifications arrive on different sockets, so a dump can show a route as it was
//! before a change that was already notified. A notification during a dump is therefore newer than
//! what the dump shows for the same key. Where that rule could hide a route (several routes with
//! one key), the route counts as uncertain and the dump has to be repeated.

use ahash::AHashSet;

use crate::route::{Family, Prefix, RTPROT_RA, RouteKey};

use crate::table::Table;
use crate::table::kernel::drift::{Drift, PendingDrift};
use crate::table::kernel::ecmp;
use crate::table::kernel::kernel_order::InsertMode;
use crate::table::kernel::resync_state::{DumpScope, Resync, SweepReport, Touch};
use crate::table::resolve::topology::Topology;
use crate::table::store::any_rib::AnyRib;
use crate::table::store::entry::{EntryState, KernelRoute, Routes, flag};
use crate::table::store::ids::{Handle, SetId};

impl Table {
    /// Begins a resync: every route announced or dumped from here on counts as seen.
    ///
    /// A route keeps the generation of the last dump that covered it, and generations wrap after 256
    /// dumps (127 while those of a replaced kernel are told apart): at least every hundredth must be a
    /// complete one of [`DumpScope::Everything`].
    pub fn begin_resync(&mut self, dump_scope: DumpScope) {
        self.resyncs.forget_seen();
        if dump_scope == DumpScope::Everything {
            self.outdated_sets.begin_dump();
        }
        self.resyncs.begin(dump_scope);
        self.source_specific.begin_dump();
        self.pending_drift = PendingDrift::default();
    }

    /// Another kernel is read from here on, for instance because a network namespace was made anew:
    /// the next complete dump removes all that it does not show, but for what notifications tell.
    pub fn kernel_replaced(&mut self) {
        self.resyncs.forget_seen();
        self.resyncs.replaced_at = Some(self.resyncs.generation);
    }

    /// Begins a resync on a new connection of a source with one route a prefix: no existing route
    /// counts as seen, however many connections were lost since the last sweep.
    pub fn begin_connection(&mut self) {
        let before = self.resyncs.generation;
        for rib in self.ribs_of(&Family::ALL) {
            let (mut from, is) = (0, |entry: &EntryState| {
                entry.has(flag::ROUTE | flag::OVERFLOW)
            });
            let next = |table: &Self, from| table.ribs.get(usize::from(rib))?.next(from, is);
            while let Some(slot) = next(self, from) {
                self.mark_as(Handle { rib, slot }, before);
                from = slot.saturating_add(1);
            }
        }
        self.resolver.clear_cache();
        self.begin_label_dump();
        self.begin_resync(DumpScope::Everything);
    }

    fn mark_as(&mut self, handle: Handle, generation: u8) {
        let Some(rib) = self.rib_mut(handle) else {
            return;
        };
        match rib.entry_mut(handle.slot) {
            Some(entry) if !entry.has(flag::OVERFLOW) => entry.generation = generation,
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
        if self.resyncs.is_running() {
            self.resyncs.repeat();
            self.source_specific.begin_dump();
        }
    }

    /// Ends the resync and removes the routes of `families` that it covered and did not see.
    ///
    /// Do not name a family whose dump failed or lost routes: nothing of it is removed.
    pub fn end_resync(&mut self, families: &[Family]) -> SweepReport {
        self.end_resync_with_absent(families, &AHashSet::new())
    }

    /// Like [`Self::end_resync`], and also removes unseen routes of prefixes (by kernel table) for
    /// which the kernel is known to have none.
    pub fn end_resync_with_absent(
        &mut self,
        families: &[Family],
        absent: &AHashSet<(u32, Prefix)>,
    ) -> SweepReport {
        // The dump of the links may be that of another source: with zebra's routes, the kernel's.
        self.next_hop_dump = None;
        self.label_routes.dump = None;
        let Some(resync) = self.resyncs.current.take() else {
            return SweepReport::default();
        };
        let all = self.scope.families.iter().all(|f| families.contains(f));
        let complete = all && resync.dump_scope == DumpScope::Everything;
        if complete {
            self.outdated_sets.end_dump();
        }
        self.ribs.iter_mut().for_each(AnyRib::index_all);
        self.mark_injected_seen();
        let stale = self.staleness(&resync.dump_scope);
        let mut pending_drift = std::mem::take(&mut self.pending_drift);
        let mut on_removed = |key: RouteKey| pending_drift.suspect(&key, Drift::Stale);
        let hidden = self.hidden_from_dump(complete);
        let mut removed = self.remove_routes(families, &stale, hidden, &mut on_removed);
        if families.contains(&Family::V6) {
            self.sweep_source_specific(&stale);
        }
        removed += self.remove_absent(absent, &stale, &mut on_removed);
        self.pending_drift = pending_drift;
        if complete {
            self.resyncs.replaced_at = None;
        }
        SweepReport {
            removed,
            uncertain: resync.uncertain,
        }
    }

    /// Selects routes that a dump may have left out, as it showed a multipath route of their key;
    /// after a complete dump none that another kernel had.
    fn hidden_from_dump(&self, complete: bool) -> impl Fn(&Routes, &KernelRoute) -> bool + use<> {
        let seen = self.resyncs.seen();
        let hiding = self.resolver.marks(|_, set| ecmp::is_v6_multipath(set));
        let merging = self.resolver.marks(|_, set| ecmp::merges(set));
        let replaced_at = self.resyncs.replaced_at.filter(|_| complete);
        let of_this_kernel = move |route: &KernelRoute| {
            replaced_at.is_none_or(|at| route.generation.wrapping_sub(at) < u8::MAX / 2)
        };
        move |routes, route| {
            let hides = |other: &KernelRoute| {
                seen.has(other)
                    && (other.metric, other.tos) == (route.metric, route.tos)
                    && hiding.has(other.set)
            };
            // The kernel does not merge routes of router advertisements with others.
            let apart = route.protocol == RTPROT_RA && !hiding.has(route.set);
            (apart || !merging.has(route.set)) && routes.iter().any(hides) && of_this_kernel(route)
        }
    }

    /// Removes the stale routes of prefixes for which the kernel has nothing, so that nothing is
    /// hidden. A lookup skips routes that are unusable, or not for ordinary packets: they stay.
    fn remove_absent(
        &mut self,
        absent: &AHashSet<(u32, Prefix)>,
        stale: impl Fn(&KernelRoute) -> bool,
        mut on_removed: impl FnMut(RouteKey),
    ) -> usize {
        let found = self.resolver.marks(Topology::found_by_lookups);
        let gone = |route: &KernelRoute| {
            stale(route) && route.tos == 0 && !route.expired && found.has(route.set)
        };
        let goes = |routes: &Routes| routes.iter().position(gone);
        let mut removed = 0;
        for (table, prefix) in absent {
            if let Some(handle) = self.handle_of_prefix(*table, prefix) {
                removed += self.remove_routes_at(handle, goes, &mut on_removed);
            }
        }
        removed
    }

    /// Dumped routes so far that contradicted notifications.
    #[must_use]
    pub fn uncertain_dump_routes(&self) -> usize {
        let current = self.resyncs.current.as_ref();
        current.map_or(0, |resync| resync.uncertain)
    }

    /// Records that a dump showed a route whose position is uncertain.
    pub(in crate::table) fn uncertain(&mut self) {
        self.anomalies.uncertain_dump_routes += 1;
        if let Some(resync) = &mut self.resyncs.current {
            resync.uncertain += 1;
        }
    }

    pub(in crate::table) fn touch(&mut self, key: RouteKey, touch: Touch) {
        self.pending_drift.clear(&key);
        let (Touch::Announced { protocol } | Touch::Withdrawn { protocol, .. }) = &touch;
        self.forget_injection(key, *protocol);
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
        insert_mode: InsertMode,
    ) -> bool {
        if !insert_mode.from_dump() {
            self.announced(key, protocol, insert_mode);
            return true;
        }
        let untouched = |resync: &Resync| !resync.overfull && !resync.touched.contains_key(key);
        if self.resyncs.current.as_ref().is_none_or(untouched) {
            return true;
        }
        self.resync_takes_touched(key, protocol, set)
    }

    fn announced(&mut self, key: &RouteKey, protocol: u8, insert_mode: InsertMode) {
        if insert_mode == InsertMode::Only {
            // No concurrent dump can be older.
            self.forget_injection(*key, protocol);
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
mod tests;
