//! The prefixes of one family in one kernel table: a dense array and an index into it.
//!
//! The array keeps a prefix's place fixed while it lives, so a place serves as its short name in
//! queues and batches; the index costs five bytes a prefix where a map of entries would cost
//! twenty more.

use ahash::RandomState;
use hashbrown::{HashMap, HashTable};

use super::entry::{Address, Body, Entry, KernelRoute, Routes, flag};

/// Prefixes of one family and kernel table.
pub(super) struct Rib<A> {
    entries: Vec<Entry<A>>,
    free: Vec<u32>,
    index: HashTable<u32>,
    hasher: RandomState,
    /// The place found last.
    last: u32,
    /// The kernel's routes of the few prefixes that have more than one, or one with a TOS.
    more: HashMap<u32, Routes, RandomState>,
}

impl<A: Address> Rib<A> {
    pub(super) fn new() -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            hasher: RandomState::new(),
            last: u32::MAX,
            more: HashMap::default(),
        }
    }

    /// Number of slots ever used: the bound of a walk by slot.
    pub(super) fn slots(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn find(&self, address: A, length: u8) -> Option<u32> {
        let entries = &self.entries;
        let hash = address.hash_with(length, &self.hasher);
        self.index
            .find(hash, |slot| is_at(entries, *slot, address, length))
            .copied()
    }

    /// The prefix's slot, a new one where it has none.
    ///
    /// A dump shows prefixes in the order in which the dump before it made their slots, so the next
    /// one is tried before the index, which the processor would have to fetch from memory.
    pub(super) fn find_or_insert(&mut self, address: A, length: u8) -> u32 {
        let next = self.last.wrapping_add(1);
        self.last = if is_at(&self.entries, next, address, length) {
            next
        } else {
            self.find_or_insert_by_index(address, length)
        };
        self.last
    }

    fn find_or_insert_by_index(&mut self, address: A, length: u8) -> u32 {
        if let Some(slot) = self.find(address, length) {
            return slot;
        }
        let entry = Entry {
            address,
            body: Body::new(length),
        };
        if self.index.len() == self.index.capacity() {
            self.grow_index();
        }
        let slot = self.store(entry);
        let (entries, hasher) = (&self.entries, &self.hasher);
        let rehash = |slot: &u32| entries.get(*slot as usize).map_or(0, |e| hash(hasher, e));
        self.index.insert_unique(hash(hasher, &entry), slot, rehash);
        slot
    }

    /// Makes the index anew in the order of the entries: left to itself it would look them up one
    /// by one, all over the memory.
    fn grow_index(&mut self) {
        let wanted = self.index.len().saturating_mul(2);
        self.index = HashTable::with_capacity(wanted);
        let in_use = (0_u32..)
            .zip(&self.entries)
            .filter(|(_, e)| e.body.in_use());
        for (slot, entry) in in_use {
            self.index
                .insert_unique(hash(&self.hasher, entry), slot, |_| 0);
        }
    }

    fn store(&mut self, entry: Entry<A>) -> u32 {
        if let Some(slot) = self.free.pop() {
            if let Some(place) = self.entries.get_mut(slot as usize) {
                *place = entry;
            }
            return slot;
        }
        let slot = self.slots();
        self.entries.push(entry);
        slot
    }

    /// Forgets a prefix that nothing refers to any more.
    pub(super) fn remove(&mut self, slot: u32) {
        let Some(entry) = self.entries.get_mut(slot as usize) else {
            return;
        };
        let hash = hash(&self.hasher, entry);
        entry.body.free();
        if let Ok(found) = self.index.find_entry(hash, |other| *other == slot) {
            found.remove();
        }
        self.more.remove(&slot);
        self.free.push(slot);
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Entry<A>> {
        self.entries
            .get(slot as usize)
            .filter(|entry| entry.body.in_use())
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Entry<A>> {
        self.entries
            .get_mut(slot as usize)
            .filter(|entry| entry.body.in_use())
    }

    /// All kernel routes of a prefix, in the kernel's order.
    pub(super) fn routes(&self, slot: u32) -> Routes {
        match self.get(slot).map(|entry| &entry.body) {
            Some(body) if body.has(flag::MANY) => self.more.get(&slot).cloned().unwrap_or_default(),
            Some(body) => body.route().into_iter().collect(),
            None => Routes::new(),
        }
    }

    /// The kernel routes of the prefixes that have more than one, or one with a TOS.
    pub(super) fn lists(&self) -> impl Iterator<Item = &Routes> {
        self.more.values()
    }

    /// Stores the kernel routes of a prefix and which of them is the best.
    pub(super) fn set_routes(&mut self, slot: u32, routes: Routes, best: Option<KernelRoute>) {
        let many = match routes.as_slice() {
            [] => false,
            [only] => best != Some(*only),
            _ => true,
        };
        let Some(entry) = self.get_mut(slot) else {
            return;
        };
        let had_many = entry.body.has(flag::MANY);
        entry.body.set_route(best);
        entry.body.set_flag(flag::MANY, many);
        if many {
            self.more.insert(slot, routes);
        } else if had_many {
            self.more.remove(&slot);
        }
    }
}

fn hash<A: Address>(hasher: &RandomState, entry: &Entry<A>) -> u64 {
    entry.address.hash_with(entry.body.length, hasher)
}

fn is_at<A: Address>(entries: &[Entry<A>], slot: u32, address: A, length: u8) -> bool {
    entries
        .get(slot as usize)
        .is_some_and(|e| e.address == address && e.body.length == length)
}

#[cfg(test)]
mod tests {
    use super::super::ids::SetId;
    use super::*;

    fn route(metric: u32) -> KernelRoute {
        KernelRoute {
            metric,
            set: SetId(metric),
            tos: 0,
            protocol: 12,
            generation: 0,
        }
    }

    #[test]
    fn places_are_reused_but_never_shared() {
        let mut rib = Rib::<u32>::new();
        let a = rib.find_or_insert(1, 32);
        let b = rib.find_or_insert(1, 31);
        assert_ne!(a, b);
        assert_eq!(rib.find_or_insert(1, 32), a);
        rib.remove(a);
        assert_eq!(rib.find(1, 32), None);
        assert!(rib.get(a).is_none());
        assert_eq!(rib.find_or_insert(2, 32), a);
        assert_eq!(rib.slots(), 2);
    }

    #[test]
    fn a_single_best_route_needs_no_overflow() {
        let mut rib = Rib::<u32>::new();
        let slot = rib.find_or_insert(1, 32);
        rib.set_routes(
            slot,
            [route(1), route(2)].into_iter().collect(),
            Some(route(1)),
        );
        assert_eq!(rib.routes(slot).len(), 2);
        assert_eq!(rib.more.len(), 1);
        rib.set_routes(slot, [route(2)].into_iter().collect(), Some(route(2)));
        assert_eq!(rib.routes(slot).as_slice(), [route(2)]);
        assert!(rib.more.is_empty());
    }

    #[test]
    fn a_route_that_is_never_best_is_kept() {
        let mut rib = Rib::<u32>::new();
        let slot = rib.find_or_insert(1, 32);
        rib.set_routes(slot, [route(1)].into_iter().collect(), None);
        assert_eq!(rib.routes(slot).as_slice(), [route(1)]);
    }
}
