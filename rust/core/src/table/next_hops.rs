//! The kernel's next-hop objects (`linux/nexthop.h`).

use ahash::AHashMap;

use crate::route::NextHop;

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
pub(super) struct NextHopObjects {
    objects: AHashMap<u32, (NextHopObject, u8)>,
    generation: u8,
}

impl NextHopObjects {
    pub(super) fn get(&self, id: u32) -> Option<&NextHopObject> {
        self.objects.get(&id).map(|(object, _)| object)
    }

    /// Stores an object; returns whether that changes anything.
    pub(super) fn insert(&mut self, id: u32, object: NextHopObject) -> bool {
        let new = (object, self.generation);
        match self.objects.insert(id, new.clone()) {
            Some(old) => old.0 != new.0,
            None => true,
        }
    }

    /// Removes an object, also as a member of groups, as the kernel does; returns whether it was
    /// there. A group that loses its last member goes too.
    pub(super) fn remove(&mut self, id: u32) -> bool {
        let found = self.objects.remove(&id).is_some();
        self.objects.retain(|_, (object, _)| match object {
            NextHopObject::Group(members) => {
                members.retain(|(member, _)| *member != id);
                !members.is_empty()
            }
            NextHopObject::Single(_) | NextHopObject::Blackhole => true,
        });
        found
    }

    /// The objects that send through the interface.
    pub(super) fn through(&self, interface: u32) -> Vec<u32> {
        let uses = |object: &NextHopObject| matches!(object, NextHopObject::Single(hop) if hop.interface == interface);
        self.objects
            .iter()
            .filter(|(_, (object, _))| uses(object))
            .map(|(id, _)| *id)
            .collect()
    }

    /// Whether the object of this id is, or is a group of, the object of the other id.
    pub(super) fn depends_on(&self, id: u32, other: u32) -> bool {
        id == other
            || matches!(
                self.get(id),
                Some(NextHopObject::Group(members)) if members.iter().any(|(m, _)| *m == other)
            )
    }

    pub(super) fn begin_dump(&mut self) {
        self.generation = self.generation.wrapping_add(1);
    }

    /// Removes and returns the objects that the dump since `begin_dump` did not show.
    pub(super) fn sweep(&mut self) -> Vec<u32> {
        let generation = self.generation;
        let stale =
            |(id, (_, seen)): (&u32, &(NextHopObject, u8))| (*seen != generation).then_some(*id);
        let gone: Vec<u32> = self.objects.iter().filter_map(stale).collect();
        for id in &gone {
            self.objects.remove(id);
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
        assert!(objects.remove(1));
        assert_eq!(objects.get(9), Some(&NextHopObject::Group(vec![(2, 1)])));
        assert!(objects.remove(2));
        assert_eq!(objects.get(9), None);
    }

    #[test]
    fn a_dump_sweeps_what_it_did_not_show() {
        let mut objects = NextHopObjects::default();
        assert!(objects.insert(1, NextHopObject::Blackhole));
        assert!(objects.insert(2, NextHopObject::Group(vec![(1, 1)])));
        assert!(objects.depends_on(2, 1));
        objects.begin_dump();
        assert!(!objects.insert(1, NextHopObject::Blackhole));
        assert_eq!(objects.sweep(), [2]);
        assert!(objects.get(1).is_some());
    }
}
