//! Routes that change, or go, with a next-hop set and without a message of their own.
//!
//! An index from sets to prefixes would cost memory for every route, so the table is walked when
//! sets change. Between [`Table::defer`] and [`Table::apply_deferred`] one walk serves all messages. The
//! outcome is that of one walk per message:
//!
//! - Routes of a removed set are gone: a route announced later gets a new number for an equal set
//!   ([`Resolver::retire`](crate::table::resolve::resolver::Resolver::retire)), and a prefix drops
//!   its removed routes before any other change.
//! - Sets are resolved at once. Only the counts and the dirty queue wait for the walk, and nothing
//!   reads these before.

use crate::route::{Family, RouteKey};

use crate::table::Table;
use crate::table::kernel::deferred_sets::DeferredSets;
use crate::table::resolve::resolver::SetMarks;
use crate::table::store::entry::{EntryState, KernelRoute, Routes, flag};
use crate::table::store::ids::{Handle, SetId};

impl Table {
    /// Defers the walk for changed links and next-hop objects until [`Self::apply_deferred`], which does
    /// one walk for all of them. Until then the caller may only apply changes; counts and routes
    /// are not valid.
    pub fn defer(&mut self) {
        self.deferred_changes.deferred = true;
    }

    /// Whether [`Self::apply_deferred`] has to walk over the table.
    #[must_use]
    pub fn has_deferred(&self) -> bool {
        let DeferredSets { gone, changed, .. } = &self.deferred_changes;
        !gone.is_empty() || !changed.is_empty()
    }

    /// Ends what [`Self::defer`] began; returns how many routes were removed with links and
    /// next-hop objects since.
    pub fn apply_deferred(&mut self) -> usize {
        self.deferred_changes.deferred = false;
        self.walk()
    }

    /// Returns how many routes were removed.
    pub(in crate::table) fn apply_unless_deferred(&mut self) -> usize {
        if self.deferred_changes.deferred {
            return 0;
        }
        self.walk()
    }

    /// Resolves these sets again.
    pub(in crate::table) fn sets_changed(&mut self, sets: Vec<SetId>) {
        let changed = self.resolver.update_these(sets);
        self.deferred_changes.changed.extend(changed);
    }

    /// Removes the routes of these sets.
    pub(in crate::table) fn sets_gone(&mut self, sets: Vec<SetId>) {
        for &id in &sets {
            if !self.deferred_changes.marks.has(id) {
                self.resolver.retire(id);
                self.deferred_changes.marks.mark(id);
                self.deferred_changes.gone.push(id);
            }
        }
        // Last: a number that these routes alone used would be free while it counts as gone.
        self.sweep_source_specific(|route| sets.contains(&route.set));
    }

    /// Drops removed routes of the key's prefix before any other change to it.
    #[inline]
    pub(in crate::table) fn apply_deferred_to(&mut self, key: &RouteKey) {
        if !self.deferred_changes.gone.is_empty() {
            self.remove_gone_of(key);
        }
    }

    #[cold]
    fn remove_gone_of(&mut self, key: &RouteKey) {
        if let Some(handle) = self.handle_of(key) {
            let marks = std::mem::take(&mut self.deferred_changes.marks);
            let removed = self.remove_gone(handle, &marks);
            self.deferred_changes.marks = marks;
            self.deferred_changes.removed += removed;
        }
    }

    fn remove_gone(&mut self, handle: Handle, gone: &SetMarks) -> usize {
        let is_gone = |route: &KernelRoute| gone.has(route.set);
        let first = |routes: &Routes| routes.iter().position(is_gone);
        self.remove_routes_at(handle, first, |_| {})
    }

    fn walk(&mut self) -> usize {
        let DeferredSets {
            gone,
            marks,
            changed,
            mut removed,
            ..
        } = std::mem::take(&mut self.deferred_changes);
        let mut concerned = SetMarks::default();
        for id in gone.iter().chain(&changed) {
            concerned.mark(*id);
        }
        // The list above holds a reference to each removed set.
        let used = |id: &SetId, by_us| self.resolver.sets.references(id.0) > by_us;
        let in_use = gone.iter().any(|id| used(id, 1)) || changed.iter().any(|id| used(id, 0));
        if in_use {
            for rib in self.ribs_of(&Family::ALL) {
                removed += self.walk_rib(rib, &concerned, &marks);
            }
        }
        for id in gone {
            self.resolver.release(id);
        }
        removed
    }

    fn walk_rib(&mut self, rib: u16, concerned: &SetMarks, gone: &SetMarks) -> usize {
        let suspect = |entry: &EntryState| {
            entry.has(flag::OVERFLOW) || entry.route().is_some_and(|route| concerned.has(route.set))
        };
        let next = |table: &Self, from| table.ribs.get(usize::from(rib))?.next(from, suspect);
        let (mut from, mut removed) = (0, 0);
        while let Some(slot) = next(self, from) {
            removed += self.apply_deferred_at(Handle { rib, slot }, concerned, gone);
            from = slot.saturating_add(1);
        }
        removed
    }

    fn apply_deferred_at(
        &mut self,
        handle: Handle,
        concerned: &SetMarks,
        gone: &SetMarks,
    ) -> usize {
        let Some(rib) = self.rib(handle) else {
            return 0;
        };
        let many = rib
            .entry(handle.slot)
            .is_some_and(|b| b.has(flag::OVERFLOW));
        let routes = rib.routes(handle.slot);
        if !routes.iter().any(|route| concerned.has(route.set)) {
            return 0;
        }
        let removed = self.remove_gone(handle, gone);
        if removed == 0 && many {
            self.store_routes(handle, routes);
        } else if removed == 0 {
            self.refresh(handle);
        }
        removed
    }
}
