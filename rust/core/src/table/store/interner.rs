//! Interned values, with reference counts.

use std::hash::Hash;

use ahash::RandomState;
use hashbrown::HashTable;

struct Interned<T> {
    value: Option<T>,
    references: u32,
    /// Increases whenever the slot gets another value, which invalidates copies kept elsewhere.
    version: u32,
}

/// Stores each distinct value once, under a small index, while it is referenced.
pub(in crate::table) struct Interner<T> {
    slots: Vec<Interned<T>>,
    free: Vec<u32>,
    index: HashTable<u32>,
    hasher: RandomState,
}

impl<T: Eq + Hash> Interner<T> {
    pub(in crate::table) fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            hasher: RandomState::new(),
        }
    }

    /// The value's id, with one more reference.
    pub(in crate::table) fn acquire(&mut self, value: T) -> u32 {
        let hash = self.hasher.hash_one(&value);
        let slots = &self.slots;
        let holds = |id: &u32| value_at(slots, *id) == Some(&value);
        if let Some(&id) = self.index.find(hash, holds) {
            self.retain(id);
            return id;
        }
        let id = self.store(value);
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.index.insert_unique(hash, id, |id| {
            value_at(slots, *id).map_or(0, |value| hasher.hash_one(value))
        });
        id
    }

    fn store(&mut self, value: T) -> u32 {
        if let Some(id) = self.free.pop() {
            if let Some(slot) = self.slots.get_mut(id as usize) {
                slot.value = Some(value);
                slot.references = 1;
                slot.version = slot.version.wrapping_add(1);
            }
            return id;
        }
        let id = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push(Interned {
            value: Some(value),
            references: 1,
            version: 0,
        });
        id
    }

    pub(in crate::table) fn retain(&mut self, id: u32) {
        if let Some(slot) = self.slots.get_mut(id as usize) {
            slot.references = slot.references.saturating_add(1);
        }
    }

    /// Adds a reference if the value still exists in this version; returns whether it does.
    pub(in crate::table) fn retain_version(&mut self, id: u32, version: u32) -> bool {
        let Some(slot) = self.slots.get_mut(id as usize) else {
            return false;
        };
        let same = slot.version == version && slot.value.is_some();
        slot.references = slot.references.saturating_add(u32::from(same));
        same
    }

    /// Drops a reference; returns the value if it was the last.
    pub(in crate::table) fn release(&mut self, id: u32) -> Option<T> {
        let slot = self.slots.get_mut(id as usize)?;
        slot.references = slot.references.saturating_sub(1);
        if slot.references > 0 {
            return None;
        }
        let value = slot.value.take()?;
        self.unlist(id, &value);
        self.free.push(id);
        Some(value)
    }

    fn unlist(&mut self, id: u32, value: &T) {
        let hash = self.hasher.hash_one(value);
        if let Ok(found) = self.index.find_entry(hash, |other| *other == id) {
            found.remove();
        }
    }

    /// Gives equal values another id from here on, while this one stays valid for its holders; it
    /// gains one reference.
    pub(in crate::table) fn retire(&mut self, id: u32) {
        let Some(slot) = self.slots.get_mut(id as usize) else {
            return;
        };
        let Some(value) = slot.value.take() else {
            return;
        };
        slot.references = slot.references.saturating_add(1);
        slot.version = slot.version.wrapping_add(1);
        self.unlist(id, &value);
        if let Some(slot) = self.slots.get_mut(id as usize) {
            slot.value = Some(value);
        }
    }

    pub(in crate::table) fn get(&self, id: u32) -> Option<&T> {
        value_at(&self.slots, id)
    }

    /// The number of references.
    pub(in crate::table) fn references(&self, id: u32) -> u32 {
        self.slots
            .get(id as usize)
            .map_or(0, |slot| slot.references)
    }

    pub(in crate::table) fn version(&self, id: u32) -> u32 {
        self.slots.get(id as usize).map_or(0, |slot| slot.version)
    }

    /// Id and value of everything stored.
    pub(in crate::table) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0_u32..)
            .zip(&self.slots)
            .filter_map(|(id, slot)| Some((id, slot.value.as_ref()?)))
    }

    pub(in crate::table) fn len(&self) -> usize {
        self.index.len()
    }
}

fn value_at<T>(slots: &[Interned<T>], id: u32) -> Option<&T> {
    slots.get(id as usize)?.value.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_a_number_until_the_last_reference_goes() {
        let mut interner = Interner::new();
        let a = interner.acquire("a");
        let b = interner.acquire("b");
        assert_ne!(a, b);
        assert_eq!(interner.acquire("a"), a);
        assert_eq!(interner.release(a), None);
        assert_eq!(interner.get(a), Some(&"a"));
        assert_eq!(interner.release(a), Some("a"));
        assert_eq!(interner.get(a), None);
        assert_eq!(interner.len(), 1);
    }

    #[test]
    fn a_reused_number_has_another_version() {
        let mut interner = Interner::new();
        let a = interner.acquire("a");
        let version = interner.version(a);
        interner.release(a);
        assert_eq!(interner.acquire("c"), a);
        assert_ne!(interner.version(a), version);
        assert_eq!(interner.iter().collect::<Vec<_>>(), [(a, &"c")]);
    }

    #[test]
    fn a_retired_number_is_not_given_out_again_while_it_is_held() {
        let mut interner = Interner::new();
        let a = interner.acquire("a");
        let version = interner.version(a);
        interner.retire(a);
        assert!(!interner.retain_version(a, version));
        let b = interner.acquire("a");
        assert_ne!(a, b);
        assert_eq!(interner.release(a), None);
        assert_eq!(interner.get(a), Some(&"a"));
        assert_eq!(interner.release(a), Some("a"));
        assert_eq!(interner.acquire("a"), b);
        assert_eq!(interner.len(), 1);
    }

    #[test]
    fn survives_growth() {
        let mut interner = Interner::new();
        let ids: Vec<u32> = (0..10_000).map(|n| interner.acquire(n)).collect();
        for (n, id) in ids.iter().enumerate() {
            assert_eq!(interner.acquire(n), *id);
        }
    }
}
