//! A cache from a message's attribute bytes to the decoded set.

use ahash::RandomState;
use hashbrown::HashTable;

use crate::route::SetBytes;

use crate::table::store::direct_mapped::{DirectMapped, InlineKey};
use crate::table::store::ids::CachedSet;

/// Maximum number of entries; then the cache is cleared.
const MAX_ENTRIES: usize = 4096;
/// Longer byte strings are not cached: routes with hundreds of next hops.
const MAX_LENGTH: usize = 1024;

struct CacheEntry {
    head: u32,
    attributes: Box<[u8]>,
    known: CachedSet,
}

impl CacheEntry {
    fn bytes(&self) -> SetBytes<'_> {
        SetBytes {
            head: self.head,
            attributes: &self.attributes,
        }
    }
}

/// Sets by the bytes that they were decoded from. Holds no references: the caller must check that
/// the version is still current.
#[derive(Default)]
pub(in crate::table) struct AttributeCache {
    direct: DirectMapped,
    index: HashTable<CacheEntry>,
    hasher: RandomState,
}

impl AttributeCache {
    #[inline]
    pub(in crate::table) fn get(&mut self, bytes: SetBytes<'_>) -> Option<CachedSet> {
        let key = InlineKey::of(bytes);
        if let Some(known) = key.as_ref().and_then(|key| self.direct.get(key)) {
            return Some(known);
        }
        let known = self.find(bytes)?;
        self.direct.put(key, known);
        Some(known)
    }

    fn find(&self, bytes: SetBytes<'_>) -> Option<CachedSet> {
        let hash = self.hasher.hash_one(bytes);
        let found = self.index.find(hash, |entry| entry.bytes() == bytes);
        found.map(|entry| entry.known)
    }

    pub(in crate::table) fn put(&mut self, bytes: SetBytes<'_>, known: CachedSet) {
        if bytes.attributes.len() > MAX_LENGTH {
            return;
        }
        self.direct.put(InlineKey::of(bytes), known);
        if self.index.len() >= MAX_ENTRIES {
            self.index.clear();
        }
        let hasher = &self.hasher;
        let is = |entry: &CacheEntry| entry.bytes() == bytes;
        let rehash = |entry: &CacheEntry| hasher.hash_one(entry.bytes());
        let entry = CacheEntry {
            head: bytes.head,
            attributes: bytes.attributes.into(),
            known,
        };
        self.index
            .entry(hasher.hash_one(bytes), is, rehash)
            .insert(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::store::ids::SetId;

    const fn bytes(head: u32, attributes: &[u8]) -> SetBytes<'_> {
        SetBytes { head, attributes }
    }

    #[test]
    fn the_last_reading_counts() {
        let mut cache = AttributeCache::default();
        cache.put(bytes(1, b"a"), (SetId(1), 0));
        cache.put(bytes(1, b"a"), (SetId(2), 7));
        cache.put(bytes(2, b"a"), (SetId(3), 0));
        assert_eq!(cache.get(bytes(1, b"a")), Some((SetId(2), 7)));
        assert_eq!(cache.get(bytes(2, b"a")), Some((SetId(3), 0)));
        assert_eq!(cache.get(bytes(1, b"b")), None);
        assert_eq!(cache.index.len(), 2);
    }

    #[test]
    fn it_is_bounded() {
        let mut cache = AttributeCache::default();
        for head in 0..10_000 {
            cache.put(bytes(head, b"a"), (SetId(head), 0));
            assert!(cache.index.len() <= MAX_ENTRIES);
        }
        cache.put(bytes(0, &[0; MAX_LENGTH + 1]), (SetId(1), 0));
        assert_eq!(cache.get(bytes(0, &[0; MAX_LENGTH + 1])), None);
    }
}
