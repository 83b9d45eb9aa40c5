//! Which next-hop sets use which next-hop objects and interfaces.

use ahash::{AHashMap, AHashSet};

use crate::route::{NextHopSet, NextHopSource};

use crate::table::store::ids::SetId;

/// Sets by what they refer to: an object, or the interfaces of their own next hops.
#[derive(Default)]
pub(in crate::table) struct SetIndex {
    by_object: AHashMap<u32, AHashSet<SetId>>,
    by_interface: AHashMap<u32, AHashSet<SetId>>,
}

impl SetIndex {
    pub(in crate::table) fn enter(&mut self, id: SetId, set: &NextHopSet) {
        match &set.next_hops {
            NextHopSource::Object(object) => {
                self.by_object.entry(*object).or_default().insert(id);
            }
            NextHopSource::Inline(hops) => {
                for hop in hops {
                    let users = self.by_interface.entry(hop.interface);
                    users.or_default().insert(id);
                }
            }
        }
    }

    pub(in crate::table) fn remove(&mut self, id: SetId, set: &NextHopSet) {
        match &set.next_hops {
            NextHopSource::Object(object) => remove(&mut self.by_object, *object, id),
            NextHopSource::Inline(hops) => {
                for hop in hops {
                    remove(&mut self.by_interface, hop.interface, id);
                }
            }
        }
    }

    pub(in crate::table) fn of_object(&self, object: u32) -> impl Iterator<Item = SetId> {
        self.by_object.get(&object).into_iter().flatten().copied()
    }

    /// The objects that sets refer to, existing or not.
    pub(in crate::table) fn objects(&self) -> impl Iterator<Item = u32> {
        self.by_object.keys().copied()
    }

    pub(in crate::table) fn of_interface(&self, interface: u32) -> impl Iterator<Item = SetId> {
        let users = self.by_interface.get(&interface);
        users.into_iter().flatten().copied()
    }
}

/// Removes `value` from the values of `key`, and the key with its last value.
pub(in crate::table) fn remove<T: Eq + std::hash::Hash>(
    index: &mut AHashMap<u32, AHashSet<T>>,
    key: u32,
    value: T,
) {
    if let Some(values) = index.get_mut(&key) {
        values.remove(&value);
        if values.is_empty() {
            index.remove(&key);
        }
    }
}
