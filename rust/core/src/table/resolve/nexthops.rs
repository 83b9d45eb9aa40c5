//! The kernel's next-hop objects (`linux/nexthop.h`).

use ahash::{AHashMap, AHashSet};

use crate::route::NextHop;

use crate::table::resolve::set_index::remove;

/// A next-hop object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextHopObject {
    /// One next hop.
    Single(NextHop),
    /// `NHA_BLACKHOLE`: packets are dropped.
    Blackhole,
    /// `NHA_GROUP`: ids of other objects and their weights, 1 to 65,536.
    Group(Vec<(u32, u32)>),
}

/// The next-hop objects by id.
#[derive(Default)]
pub(in crate::table) struct NextHopObjects {
    objects: AHashMap<u32, NextHopObject>,
    /// Groups by member, whether or not the member exists.
    groups: AHashMap<u32, AHashSet<u32>>,
    /// Single objects by interface.
    by_interface: AHashMap<u32, AHashSet<u32>>,
}

impl NextHopObjects {
    pub(in crate::table) fn get(&self, id: u32) -> Option<&NextHopObject> {
        self.objects.get(&id)
    }

    pub(in crate::table) fn ids(&self) -> impl Iterator<Item = u32> {
        let members = self.groups.keys();
        self.objects.keys().chain(members).copied()
    }

    pub(in crate::table) fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Stores an object; returns whether it changed.
    pub(in crate::table) fn insert(&mut self, id: u32, object: NextHopObject) -> bool {
        if self.get(id) == Some(&object) {
            return false;
        }
        self.take(id);
        match &object {
            NextHopObject::Single(hop) => {
                let through = self.by_interface.entry(hop.interface);
                through.or_default().insert(id);
            }
            NextHopObject::Group(members) => {
                for (member, _) in members {
                    self.groups.entry(*member).or_default().insert(id);
                }
            }
            NextHopObject::Blackhole => {}
        }
        self.objects.insert(id, object);
        true
    }

    fn take(&mut self, id: u32) -> bool {
        let Some(object) = self.objects.remove(&id) else {
            return false;
        };
        match &object {
            NextHopObject::Single(hop) => remove(&mut self.by_interface, hop.interface, id),
            NextHopObject::Group(members) => {
                for (member, _) in members {
                    remove(&mut self.groups, *member, id);
                }
            }
            NextHopObject::Blackhole => {}
        }
        true
    }

    /// Removes an object, also from groups, as the kernel does; a group that loses its last member
    /// is removed too. Returns the removed ids.
    pub(in crate::table) fn remove(&mut self, id: u32) -> Vec<u32> {
        let mut gone = Vec::new();
        if self.take(id) {
            gone.push(id);
        }
        for group in self.groups.remove(&id).unwrap_or_default() {
            let Some(NextHopObject::Group(members)) = self.objects.get_mut(&group) else {
                continue;
            };
            members.retain(|(member, _)| *member != id);
            if members.is_empty() {
                self.objects.remove(&group);
                gone.push(group);
            }
        }
        gone
    }

    /// The objects with this interface.
    pub(in crate::table) fn through(&self, interface: u32) -> Vec<u32> {
        let through = self.by_interface.get(&interface);
        through.into_iter().flatten().copied().collect()
    }

    /// The groups that contain this object.
    pub(in crate::table) fn groups_of(&self, id: u32) -> impl Iterator<Item = u32> {
        self.groups.get(&id).into_iter().flatten().copied()
    }

    /// Removes the objects for which `is_stale` holds and returns them; groups keep them as members.
    pub(in crate::table) fn sweep(&mut self, is_stale: impl Fn(u32) -> bool) -> Vec<u32> {
        let ids = self.objects.keys().copied();
        let gone: Vec<u32> = ids.filter(|id| is_stale(*id)).collect();
        for id in &gone {
            self.take(*id);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_goes_with_its_last_member() {
        let mut objects = NextHopObjects::default();
        objects.insert(1, NextHopObject::Single(NextHop::new(None, 7)));
        objects.insert(2, NextHopObject::Single(NextHop::new(None, 8)));
        objects.insert(9, NextHopObject::Group(vec![(1, 1), (2, 1)]));
        assert_eq!(objects.through(7), [1]);
        assert_eq!(objects.remove(1), [1]);
        assert_eq!(objects.get(9), Some(&NextHopObject::Group(vec![(2, 1)])));
        assert_eq!(objects.remove(2), [2, 9]);
        assert_eq!(objects.get(9), None);
        assert_eq!(objects.remove(2), []);
        let indexes = (&objects.groups, &objects.by_interface);
        assert!(indexes.0.is_empty() && indexes.1.is_empty());
    }

    #[test]
    fn a_sweep_removes_what_is_stale() {
        let mut objects = NextHopObjects::default();
        assert!(objects.insert(1, NextHopObject::Blackhole));
        assert!(objects.insert(2, NextHopObject::Group(vec![(1, 1)])));
        assert_eq!(objects.groups_of(1).collect::<Vec<_>>(), [2]);
        assert!(!objects.insert(1, NextHopObject::Blackhole));
        assert_eq!(objects.sweep(|id| id == 2), [2]);
        assert!(objects.get(1).is_some());
    }
}
