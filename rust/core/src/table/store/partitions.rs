//! Slots sorted by the part of the index that they belong to.

/// Index buckets that fit in the processor's caches.
const CACHED_BUCKETS: usize = 1 << 15;

/// Hash and slot of entries to be indexed. Inserted in order they would touch memory at random;
/// inserted one part of the index at a time they stay within the cache.
pub(in crate::table) struct Partitions {
    mask: usize,
    room: usize,
    slots: Vec<(u32, u32)>,
    /// The end of each part's slots.
    ends: Vec<usize>,
}

impl Partitions {
    /// Partitions for this many slots; none if sorting them does not pay.
    pub(in crate::table) fn new(buckets: usize, slots: usize) -> Option<Self> {
        let mask = buckets.checked_sub(1)?;
        let parts = mask / CACHED_BUCKETS + 1;
        if parts == 1 || slots < CACHED_BUCKETS {
            return None;
        }
        // Hashes are spread evenly, but not perfectly.
        let room = slots / parts * 9 / 8;
        Some(Self {
            mask,
            room,
            slots: vec![(0, 0); room * parts],
            ends: (0..parts).map(|part| part * room).collect(),
        })
    }

    /// Adds a slot; returns whether there was room.
    #[inline]
    pub(in crate::table) fn put(&mut self, hash: u32, slot: u32) -> bool {
        let part = (hash as usize & self.mask) / CACHED_BUCKETS;
        let Some(end) = self.ends.get_mut(part) else {
            return false;
        };
        let full = *end == (part + 1) * self.room;
        match self.slots.get_mut(*end) {
            Some(free) if !full => *free = (hash, slot),
            _ => return false,
        }
        *end += 1;
        true
    }

    /// The slots of each part.
    pub(in crate::table) fn iter(&self) -> impl Iterator<Item = &[(u32, u32)]> {
        let part = |(part, end): (usize, &usize)| self.slots.get(part * self.room..*end);
        self.ends.iter().enumerate().filter_map(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_come_back_by_partition_and_a_partition_may_be_full() {
        let mut partitions = Partitions::new(4 * CACHED_BUCKETS, CACHED_BUCKETS).unwrap();
        let part = u32::try_from(CACHED_BUCKETS).unwrap();
        let room = u32::try_from(partitions.room).unwrap();
        assert!(
            partitions.put(3 * part + 7, 1) && partitions.put(9, 2) && partitions.put(4 * part, 3)
        );
        assert!((2..room).all(|slot| partitions.put(0, slot)) && !partitions.put(0, 0));
        let slots: Vec<u32> = partitions.iter().flatten().map(|(_, slot)| *slot).collect();
        assert_eq!((slots[0], slots[1]), (2, 3));
        assert_eq!((slots.last(), slots.len()), (Some(&1), partitions.room + 1));
    }

    #[test]
    fn a_small_index_and_few_slots_are_not_sorted() {
        assert!(Partitions::new(0, 0).is_none());
        assert!(Partitions::new(CACHED_BUCKETS, CACHED_BUCKETS).is_none());
        assert!(Partitions::new(64 * CACHED_BUCKETS, 10).is_none());
    }
}
