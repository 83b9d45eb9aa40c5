//! Whether a change of a link or a next-hop object can affect a mirrored route: one that goes
//! through it, or one whose prefix also has a route through it, which may hide it.

use crate::table::Table;
use crate::table::kernel::ecmp::is_v6_multipath;
use crate::table::kernel::resync_state::Verify;
use crate::table::resolve::resolver::SetMarks;
use crate::table::resolve::topology::{LOOPBACK, is_at_loopback};
use crate::table::store::any_rib::AnyRib;
use crate::table::store::entry::{KernelRoute, Routes, flag};
use crate::table::store::ids::{Handle, SetId};

/// Maximum number of multi-route prefixes to examine per link or object; beyond it the change
/// counts as one that affects a mirrored route.
const MAX_EXAMINED: usize = 4096;

impl Table {
    /// What is uncertain if the kernel may have changed routes through a link without a message.
    pub fn verify_link(&mut self, index: u32) -> Verify {
        let verify = self.uncertain_by_link(index);
        if verify == Verify::Nothing && self.resyncs.is_running() {
            self.resyncs.during_resync.record(|m| &mut m.links, index);
        }
        verify
    }

    /// What is uncertain if the kernel may have changed routes by a next-hop object without a
    /// message. Call it before the object is changed or removed.
    pub fn verify_next_hop(&mut self, id: u32) -> Verify {
        if self.next_hop_concerns(id) {
            return Verify::OfEverything;
        }
        let sets = self.resolver.by_objects([id]);
        self.outdated_sets.add(sets);
        if self.resyncs.is_running() {
            self.resyncs.during_resync.record(|m| &mut m.objects, id);
        }
        Verify::Nothing
    }

    /// What the changes during the resync that just ended leave uncertain, if they affected no
    /// route known at the time.
    pub fn take_unverified_changes(&mut self) -> Vec<Verify> {
        let changes = std::mem::take(&mut self.resyncs.during_resync);
        let objects = changes.objects.iter();
        if changes.overfull || objects.copied().any(|id| self.next_hop_concerns(id)) {
            return vec![Verify::OfEverything];
        }
        let links = changes.links.into_iter();
        links
            .map(|index| self.uncertain_by_link(index))
            .filter(|verify| *verify != Verify::Nothing)
            .collect()
    }

    fn uncertain_by_link(&mut self, index: u32) -> Verify {
        let mut sets = self.resolver.by_interface(index);
        if self
            .link_of(index)
            .is_some_and(|link| link.name == LOOPBACK)
        {
            let all = self.resolver.all();
            sets.extend(self.resolver.of(&all, |_, set| is_at_loopback(set)));
        }
        if !self.concerns(&sets) {
            self.outdated_sets.add(sets);
            return Verify::Nothing;
        }
        // If the first of several merged routes is removed, the others keep the positions where they
        // were inserted, perhaps behind a route that the first one preceded. A dump of one
        // interface does not show that.
        let merged = |id: &SetId| self.resolver.sets.get(id.0).is_some_and(is_v6_multipath);
        sets.retain(merged);
        if self.any_among_several(&sets, |routes| routes.len() > 1) {
            return Verify::OfEverything;
        }
        Verify::OfInterface(index)
    }

    fn next_hop_concerns(&self, id: u32) -> bool {
        self.concerns(&self.resolver.by_objects([id]))
    }

    /// Whether a mirrored route uses one of the sets, or shares its prefix with a route that does.
    fn concerns(&self, sets: &[SetId]) -> bool {
        let of_ours = |id: &SetId| {
            let users = self.resolver.sets.references(id.0);
            users > self.foreign_users.of(*id)
        };
        let ours = |routes: &Routes| routes.iter().any(|route| !self.is_foreign(route));
        sets.iter().any(of_ours) || self.any_among_several(sets, ours)
    }

    /// Whether a route with one of the sets shares its prefix with others and `is` holds for the
    /// routes.
    fn any_among_several(&self, sets: &[SetId], is: impl Fn(&Routes) -> bool) -> bool {
        if sets.is_empty() {
            return false;
        }
        let many = |rib: &AnyRib| rib.many().len();
        if self.ribs.iter().map(many).sum::<usize>() > MAX_EXAMINED {
            return true;
        }
        let mut marks = SetMarks::default();
        sets.iter().for_each(|id| marks.mark(*id));
        let beside =
            |routes: &Routes| routes.iter().any(|route| marks.has(route.set)) && is(routes);
        self.ribs.iter().any(|rib| rib.many().any(beside))
    }

    /// Whether a mirrored route has joined one of which a change without a message may be unknown.
    pub(in crate::table) fn joins_outdated(&self, handle: Handle, protocol: u8) -> bool {
        let Some(rib) = self.rib(handle) else {
            return false;
        };
        let has_others = rib
            .entry(handle.slot)
            .is_some_and(|entry| entry.has(flag::OVERFLOW));
        let is_outdated =
            |route: &KernelRoute| self.is_foreign(route) && self.outdated_sets.has(route.set);
        has_others
            && self.scope.mirrors(protocol)
            && rib.routes(handle.slot).iter().any(is_outdated)
    }

    fn is_foreign(&self, route: &KernelRoute) -> bool {
        !self.scope.mirrors(route.protocol)
    }

    /// Updates the counts for changed routes of a prefix.
    pub(in crate::table) fn count_foreign(&mut self, before: &Routes, after: &Routes) {
        for route in before {
            if self.is_foreign(route) {
                self.foreign_users.leave(route.set);
            }
        }
        for route in after {
            if self.is_foreign(route) {
                self.foreign_users.enter(route.set);
            }
        }
    }

    /// The same for a prefix without earlier routes.
    pub(in crate::table) fn count_foreign_first(&mut self, handle: Handle) {
        let entry = self.entry(handle);
        let route = entry.and_then(crate::table::store::entry::EntryState::route);
        if let Some(route) = route.filter(|route| self.is_foreign(route)) {
            self.foreign_users.enter(route.set);
        }
    }
}
