//! A direct-mapped cache of sets with a single next hop.
//!
//! Nearly every route of a full table has one of a few such sets, and their bytes are key:
//! comparing them as a few integers at an index derived from these takes half the time of hashing
//! them and looking them up in a map.

use std::num::NonZeroU32;

use crate::route::SetBytes;

use crate::table::store::ids::CachedSet;

/// Number of slots, as a power of two.
const BITS: u32 = 9;
/// Bytes from either end of the attributes; the ends may overlap.
const END: usize = 16;

type Words = [u64; 2];

/// The bytes of a set as integers: equal integers mean equal bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::table) struct InlineKey {
    first: Words,
    last: Words,
    head: u32,
    length: NonZeroU32,
}

impl InlineKey {
    /// None if there are fewer bytes than one end takes, or more than both.
    #[inline]
    pub(in crate::table) fn of(bytes: SetBytes<'_>) -> Option<Self> {
        let attributes = bytes.attributes;
        if attributes.len() > 2 * END {
            return None;
        }
        Some(Self {
            first: words(attributes.first_chunk()?),
            last: words(attributes.last_chunk()?),
            head: bytes.head,
            length: u32::try_from(attributes.len()).ok()?.try_into().ok()?,
        })
    }

    /// Neighbouring gateways differ in one byte, which is in the top bits of an integer: only sums
    /// and odd factors preserve it, and so avoid collisions between them.
    #[inline]
    fn index(&self) -> usize {
        let ([a, b], [c, d]) = (self.first, self.last);
        let rest = b.wrapping_add(d).rotate_left(32);
        let sum = c.wrapping_add(a << 1).wrapping_add(rest);
        let spread = sum.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (spread >> (u64::BITS - BITS)) as usize
    }
}

fn words(end: &[u8; END]) -> Words {
    let both = u128::from_le_bytes(*end);
    [both as u64, (both >> 64) as u64]
}

/// The cached set of each slot, the latest one stored.
#[derive(Default)]
pub(in crate::table) struct DirectMapped(Vec<Option<(InlineKey, CachedSet)>>);

impl DirectMapped {
    #[inline]
    pub(in crate::table) fn get(&self, key: &InlineKey) -> Option<CachedSet> {
        match self.0.get(key.index()) {
            Some(Some((found, known))) if found == key => Some(*known),
            _ => None,
        }
    }

    pub(in crate::table) fn put(&mut self, key: Option<InlineKey>, known: CachedSet) {
        let Some(key) = key else { return };
        if self.0.is_empty() {
            self.0.resize(1 << BITS, None);
        }
        if let Some(kept) = self.0.get_mut(key.index()) {
            *kept = Some((key, known));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::table::store::ids::SetId;

    const fn bytes(head: u32, attributes: &[u8]) -> SetBytes<'_> {
        SetBytes { head, attributes }
    }

    #[test]
    fn only_the_same_bytes_are_found() {
        let mut cache = DirectMapped::default();
        let gateways: Vec<[u8; 28]> = (0..200)
            .map(|host| std::array::from_fn(|at| if at == 19 { host } else { 7 }))
            .collect();
        for length in [16, 20, 27, 28] {
            for gateway in &gateways {
                let known = (SetId(gateway[19].into()), 1);
                let key = InlineKey::of(bytes(2, &gateway[..length]));
                cache.put(key, known);
                assert_eq!(cache.get(&key.unwrap()), Some(known));
                for other in [bytes(3, &gateway[..length]), bytes(2, &gateway[1..length])] {
                    let found = InlineKey::of(other).and_then(|key| cache.get(&key));
                    assert_eq!(found, None);
                }
            }
        }
    }

    #[test]
    fn neighbouring_gateways_have_slots_of_their_own() {
        for (length, host_at, slots) in [(16, 7, 256), (24, 7, 128), (28, 19, 256)] {
            let slot = |host| {
                let at = |at| if at == host_at { host } else { 9 };
                let attributes: Vec<u8> = (0..length).map(at).collect();
                InlineKey::of(bytes(2, &attributes)).unwrap().index()
            };
            let found: BTreeSet<usize> = (0..=u8::MAX).map(slot).collect();
            assert_eq!(found.len(), slots, "{length}");
        }
    }

    #[test]
    fn what_is_too_short_or_too_long_is_not_kept() {
        assert!(InlineKey::of(bytes(2, &[0; END - 1])).is_none());
        assert!(InlineKey::of(bytes(2, &[0; 2 * END + 1])).is_none());
    }
}
