//! Whether what becomes of a link or a next-hop object can concern a mirrored route: one that leads
//! through it, or one beside a route that does, which may hide it.

use std::collections::BTreeSet;

use ahash::AHashMap;

use super::Table;
use super::entry::{KernelRoute, Routes};
use super::ids::{Handle, SetId};
use super::meaning::SetMarks;
use super::resync::Doubt;
use super::surroundings::{LOOPBACK, is_at_loopback};

/// Prefixes with several routes that are looked at for each link or object; where there are more, it
/// is taken for concerned.
const MANY: usize = 4096;
/// Links and objects that are kept in mind while a resync runs.
const MEANWHILE: usize = 1 << 16;

/// How many routes of protocols that are not mirrored each next-hop set has.
#[derive(Default)]
pub(super) struct ForeignUsers(AHashMap<SetId, u32>);

impl ForeignUsers {
    fn enter(&mut self, id: SetId) {
        *self.0.entry(id).or_default() += 1;
    }

    fn leave(&mut self, id: SetId) {
        if let Some(count) = self.0.get_mut(&id) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&id);
            }
        }
    }

    fn of(&self, id: SetId) -> u32 {
        self.0.get(&id).copied().unwrap_or(0)
    }
}

/// Links and next-hop objects that were told of while a resync ran and concerned no route that was
/// known: a dump may show routes later on that it read before.
#[derive(Default)]
pub(super) struct Meanwhile {
    links: BTreeSet<u32>,
    objects: BTreeSet<u32>,
    /// There were more.
    overfull: bool,
}

impl Meanwhile {
    fn note(&mut self, of: impl FnOnce(&mut Self) -> &mut BTreeSet<u32>, number: u32) {
        if self.links.len() + self.objects.len() < MEANWHILE {
            of(self).insert(number);
        } else {
            self.overfull = true;
        }
    }
}

impl Table {
    /// What is uncertain once the kernel may have changed routes through a link in silence.
    pub fn doubt_link(&mut self, index: u32) -> Doubt {
        if self.link_concerns(index) {
            return Doubt::OfInterface(index);
        }
        if self.resyncs.is_running() {
            self.resyncs.meanwhile.note(|m| &mut m.links, index);
        }
        Doubt::Nothing
    }

    /// What is uncertain once the kernel may have changed routes by a next-hop object in silence.
    /// To be asked before the object is entered or removed.
    pub fn doubt_next_hop(&mut self, id: u32) -> Doubt {
        if self.next_hop_concerns(id) {
            return Doubt::OfEverything;
        }
        if self.resyncs.is_running() {
            self.resyncs.meanwhile.note(|m| &mut m.objects, id);
        }
        Doubt::Nothing
    }

    /// What the notifications beside a resync that has ended leave uncertain, of what concerned no
    /// route while it ran.
    pub fn doubts_meanwhile(&mut self) -> Vec<Doubt> {
        let meanwhile = std::mem::take(&mut self.resyncs.meanwhile);
        let objects = meanwhile.objects.iter();
        if meanwhile.overfull || objects.copied().any(|id| self.next_hop_concerns(id)) {
            return vec![Doubt::OfEverything];
        }
        let links = meanwhile.links.into_iter();
        links
            .filter(|index| self.link_concerns(*index))
            .map(Doubt::OfInterface)
            .collect()
    }

    fn link_concerns(&self, index: u32) -> bool {
        let mut sets = self.meanings.by_interface(index);
        if self
            .link_of(index)
            .is_some_and(|link| link.name == LOOPBACK)
        {
            let all = self.meanings.all();
            sets.extend(self.meanings.of(&all, |_, set| is_at_loopback(set)));
        }
        self.concerns(&sets)
    }

    fn next_hop_concerns(&self, id: u32) -> bool {
        self.concerns(&self.meanings.by_objects([id]))
    }

    /// Whether a mirrored route has one of the sets, or stands beside one that has.
    fn concerns(&self, sets: &[SetId]) -> bool {
        let of_ours = |id: &SetId| {
            let users = self.meanings.sets.references(id.0);
            users > self.foreign_users.of(*id)
        };
        sets.iter().any(of_ours) || !sets.is_empty() && self.stand_beside_ours(sets)
    }

    fn stand_beside_ours(&self, sets: &[SetId]) -> bool {
        let many = |rib: &super::AnyRib| rib.many().len();
        if self.ribs.iter().map(many).sum::<usize>() > MANY {
            return true;
        }
        let mut marks = SetMarks::default();
        sets.iter().for_each(|id| marks.mark(*id));
        let beside = |routes: &Routes| {
            routes.iter().any(|route| marks.has(route.set))
                && routes.iter().any(|route| !self.is_foreign(route))
        };
        self.ribs.iter().any(|rib| rib.many().any(beside))
    }

    fn is_foreign(&self, route: &KernelRoute) -> bool {
        !self.scope.mirrors(route.protocol)
    }

    /// Has the figures follow a prefix's routes.
    pub(super) fn count_foreign(&mut self, before: &Routes, after: &Routes) {
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

    /// The same for a prefix that had no route before.
    pub(super) fn count_foreign_first(&mut self, handle: Handle) {
        let body = self.rib(handle).and_then(|rib| rib.body(handle.slot));
        let route = body.and_then(super::entry::Body::route);
        if let Some(route) = route.filter(|route| self.is_foreign(route)) {
            self.foreign_users.enter(route.set);
        }
    }
}
