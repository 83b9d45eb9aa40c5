//! The prefixes of one family in one kernel table: a dense array and an index into it.
//!
//! A prefix keeps its slot in the array while it lives, so the slot identifies it in queues and
//! batches; the index costs five bytes a prefix, where a map of entries would cost twenty more.
//!
//! A dump shows prefixes in the order of their addresses. While each new one is beyond all before
//! it, it cannot be known yet and the array itself is sorted: the index, whose accesses are random,
//! is then built for many entries at once.

use std::ops::Range;

use ahash::RandomState;
use hashbrown::{HashMap, HashTable};

use crate::table::store::entry::{Address, Entry, EntryState, KernelRoute, Routes, flag};
use crate::table::store::partitions::Partitions;

/// Prefixes of one family and kernel table.
pub(in crate::table) struct Rib<A> {
    entries: Vec<Entry<A>>,
    free: Vec<u32>,
    index: HashTable<u32>,
    /// Entries from this slot on are not indexed: they are sorted by address, none is below the
    /// address of an earlier entry, and all are in use.
    indexed: usize,
    /// The highest address of any entry.
    highest: Option<A>,
    hasher: RandomState,
    /// The slot found last.
    last: u32,
    /// The kernel's routes of the few prefixes that have several, or one with a TOS.
    more: HashMap<u32, Routes, RandomState>,
}

impl<A: Address> Rib<A> {
    pub(in crate::table) fn new() -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            indexed: 0,
            highest: None,
            hasher: RandomState::new(),
            last: u32::MAX,
            more: HashMap::default(),
        }
    }

    /// Number of slots ever used: the bound of a walk by slot.
    pub(in crate::table) fn slots(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    /// Whether any slot is in use.
    pub(in crate::table) fn in_use(&self) -> bool {
        self.free.len() < self.entries.len()
    }

    pub(in crate::table) fn find(&self, address: A, length: u8) -> Option<u32> {
        let entries = &self.entries;
        let hash = spread(address.hash_with(length, &self.hasher));
        let indexed = self
            .index
            .find(hash, |slot| is_at(entries, *slot, address, length));
        indexed.copied().or_else(|| self.find_new(address, length))
    }

    /// Searches the entries that are not indexed yet.
    fn find_new(&self, address: A, length: u8) -> Option<u32> {
        let new = self.entries.get(self.indexed..).unwrap_or_default();
        let first = new.partition_point(|entry| entry.address < address);
        let same = new.get(first..).unwrap_or_default().iter();
        let at = same
            .take_while(|entry| entry.address == address)
            .position(|entry| entry.state.length == length)?;
        u32::try_from(self.indexed + first + at).ok()
    }

    /// The prefix's slot, created if missing.
    ///
    /// A dump shows prefixes in the order in which the previous dump created their slots, so the
    /// next slot is tried before the index, which would cost a cache miss.
    pub(in crate::table) fn find_or_insert(&mut self, address: A, length: u8) -> u32 {
        let next = self.last.wrapping_add(1);
        self.last = if is_at(&self.entries, next, address, length) {
            next
        } else {
            self.find_or_insert_by_index(address, length)
        };
        self.last
    }

    fn find_or_insert_by_index(&mut self, address: A, length: u8) -> u32 {
        let entry = Entry {
            address,
            state: EntryState::new(length),
        };
        if self.free.is_empty() && self.is_beyond_all(address, length) {
            return self.store(entry);
        }
        self.index_all();
        if let Some(slot) = self.find(address, length) {
            return slot;
        }
        self.reserve(1);
        let slot = self.store(entry);
        self.enter(slot);
        self.indexed = self.entries.len();
        slot
    }

    fn is_beyond_all(&self, address: A, length: u8) -> bool {
        match self.highest {
            Some(highest) if address == highest => !self.is_among_highest(address, length),
            highest => Some(address) > highest,
        }
    }

    /// Whether there is a prefix with the highest address and this length.
    fn is_among_highest(&self, highest: A, length: u8) -> bool {
        let new = self.entries.get(self.indexed..).unwrap_or_default();
        if new.first().is_none_or(|entry| entry.address == highest) {
            return self.find(highest, length).is_some();
        }
        new.iter()
            .rev()
            .take_while(|entry| entry.address == highest)
            .any(|entry| entry.state.length == length)
    }

    /// Completes the index: unindexed entries need a search.
    pub(in crate::table) fn index_all(&mut self) {
        let all = self.entries.len();
        if self.indexed == all {
            return;
        }
        self.reserve(all - self.indexed);
        self.enter_all(self.indexed..all);
        self.indexed = all;
    }

    /// Reserves room for further entries in the index. When it is full it is rebuilt in the order
    /// of the entries: its own growth would look the entries up one by one, at random in memory.
    fn reserve(&mut self, more: usize) {
        let len = self.index.len();
        if len + more <= self.index.capacity() {
            return;
        }
        let wanted = len.saturating_mul(2).max(len + more);
        self.index = HashTable::with_capacity(wanted);
        self.enter_all(0..self.indexed);
    }

    /// Adds slots to the index, which has room for them; skips free ones.
    fn enter_all(&mut self, slots: Range<usize>) {
        let mut parts = Partitions::new(self.index.num_buckets(), slots.len());
        let first = u32::try_from(slots.start).unwrap_or(u32::MAX);
        let entries = self.entries.get(slots).unwrap_or_default();
        for (slot, entry) in (first..).zip(entries) {
            if !entry.state.in_use() {
                continue;
            }
            let hash = hash(&self.hasher, entry);
            if !parts.as_mut().is_some_and(|parts| parts.put(hash, slot)) {
                enter(&mut self.index, hash, slot);
            }
        }
        for part in parts.iter().flat_map(Partitions::iter) {
            for (hash, slot) in part {
                enter(&mut self.index, *hash, *slot);
            }
        }
    }

    /// Adds a slot to the index, which has room for it; skips a free one.
    fn enter(&mut self, slot: u32) {
        if let Some(entry) = self.get(slot) {
            let hash = hash(&self.hasher, entry);
            enter(&mut self.index, hash, slot);
        }
    }

    fn store(&mut self, entry: Entry<A>) -> u32 {
        self.highest = self.highest.max(Some(entry.address));
        if let Some(slot) = self.free.pop() {
            if let Some(free) = self.entries.get_mut(slot as usize) {
                *free = entry;
            }
            return slot;
        }
        let slot = self.slots();
        self.entries.push(entry);
        slot
    }

    /// Removes a prefix that nothing refers to any more.
    pub(in crate::table) fn remove(&mut self, slot: u32) {
        self.index_all();
        let Some(entry) = self.entries.get_mut(slot as usize) else {
            return;
        };
        let hash = spread(hash(&self.hasher, entry));
        entry.state.free();
        if let Ok(found) = self.index.find_entry(hash, |other| *other == slot) {
            found.remove();
        }
        self.more.remove(&slot);
        self.free.push(slot);
    }

    /// The prefix's slot, as in [`Self::find_or_insert`], and its entry.
    pub(in crate::table) fn get_or_insert(
        &mut self,
        address: A,
        length: u8,
    ) -> Option<(u32, &mut EntryState)> {
        let slot = self.find_or_insert(address, length);
        let entry = self.entries.get_mut(slot as usize)?;
        Some((slot, &mut entry.state))
    }

    /// The first slot from this one whose prefix `is` accepts.
    pub(in crate::table) fn next(
        &self,
        from: u32,
        is: impl Fn(&EntryState) -> bool,
    ) -> Option<u32> {
        let rest = self.entries.get(from as usize..)?;
        let picked = |entry: &Entry<A>| entry.state.in_use() && is(&entry.state);
        let after = rest.iter().position(picked)?;
        Some(from.saturating_add(u32::try_from(after).ok()?))
    }

    pub(in crate::table) fn get(&self, slot: u32) -> Option<&Entry<A>> {
        self.entries
            .get(slot as usize)
            .filter(|entry| entry.state.in_use())
    }

    pub(in crate::table) fn get_mut(&mut self, slot: u32) -> Option<&mut Entry<A>> {
        self.entries
            .get_mut(slot as usize)
            .filter(|entry| entry.state.in_use())
    }

    /// All kernel routes of a prefix, in the kernel's order.
    pub(in crate::table) fn routes(&self, slot: u32) -> Routes {
        match self.get(slot).map(|entry| &entry.state) {
            Some(state) if state.has(flag::OVERFLOW) => {
                self.more.get(&slot).cloned().unwrap_or_default()
            }
            Some(state) => state.route().into_iter().collect(),
            None => Routes::new(),
        }
    }

    /// The routes of the prefixes that have several, or one with a TOS.
    pub(in crate::table) fn many(&self) -> hashbrown::hash_map::Values<'_, u32, Routes> {
        self.more.values()
    }

    /// Stores the kernel routes of a prefix and which of them is the best.
    pub(in crate::table) fn set_routes(
        &mut self,
        slot: u32,
        routes: Routes,
        best: Option<KernelRoute>,
    ) {
        let many = match routes.as_slice() {
            [] => false,
            [only] => best != Some(*only),
            _ => true,
        };
        let Some(entry) = self.get_mut(slot) else {
            return;
        };
        let had_many = entry.state.has(flag::OVERFLOW);
        entry.state.set_route(best);
        entry.state.set_flag(flag::OVERFLOW, many);
        if many {
            self.more.insert(slot, routes);
        } else if had_many {
            self.more.remove(&slot);
        }
    }
}

fn hash<A: Address>(hasher: &RandomState, entry: &Entry<A>) -> u32 {
    entry.address.hash_with(entry.state.length, hasher)
}

/// Adds a slot to an index that has room for it.
#[inline]
fn enter(index: &mut HashTable<u32>, hash: u32, slot: u32) {
    index.insert_unique(spread(hash), slot, |_| 0);
}

/// The index takes a bucket from a hash's low bits and a tag from its high bits.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

fn is_at<A: Address>(entries: &[Entry<A>], slot: u32, address: A, length: u8) -> bool {
    entries
        .get(slot as usize)
        .is_some_and(|e| e.address == address && e.state.length == length)
}

#[cfg(test)]
mod tests;
