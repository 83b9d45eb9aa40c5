//! The entry of one prefix.

use ahash::RandomState;
use smallvec::SmallVec;

use crate::table::store::ids::{PathSetId, SetId};

/// A prefix's address in compact form.
pub(in crate::table) trait Address: Copy + Ord {
    fn prefix(self, length: u8) -> crate::route::Prefix;

    /// In as few steps as the hasher can do it.
    fn hash_with(self, length: u8, hasher: &RandomState) -> u32;
}

impl Address for u32 {
    fn prefix(self, length: u8) -> crate::route::Prefix {
        crate::route::Prefix::v4(self, length)
    }

    fn hash_with(self, length: u8, hasher: &RandomState) -> u32 {
        hasher.hash_one(u64::from(self) << 8 | u64::from(length)) as u32
    }
}

/// An IPv6 address as four words: aligned to 4 bytes, where a u128 would cost 16 more per entry.
pub(in crate::table) type Ipv6Words = [u32; 4];

impl Address for Ipv6Words {
    fn prefix(self, length: u8) -> crate::route::Prefix {
        crate::route::Prefix::v6(number(self), length)
    }

    fn hash_with(self, length: u8, hasher: &RandomState) -> u32 {
        hasher.hash_one((number(self), length)) as u32
    }
}

fn number(words: Ipv6Words) -> u128 {
    words
        .iter()
        .fold(0, |sum, word| sum << 32 | u128::from(*word))
}

/// An IPv6 address as its four words.
pub(in crate::table) fn words(address: u128) -> Ipv6Words {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = address.to_be_bytes();
    [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]].map(u32::from_be_bytes)
}

/// One kernel route of a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::table) struct KernelRoute {
    pub(in crate::table) metric: u32,
    pub(in crate::table) set: SetId,
    pub(in crate::table) tos: u8,
    pub(in crate::table) protocol: u8,
    /// The resync that saw it last.
    pub(in crate::table) generation: u8,
    /// The kernel has stopped using it and will remove it (`fib6_check_expired`). The only route of
    /// a prefix is then kept in the overflow map.
    pub(in crate::table) expired: bool,
}

impl KernelRoute {
    /// Whether it is the same route, regardless of when it was seen.
    pub(in crate::table) fn is(&self, other: &Self) -> bool {
        Self {
            generation: other.generation,
            ..*self
        } == *other
    }
}

/// The kernel routes of a prefix in the kernel's order: by metric, then by position.
pub(in crate::table) type Routes = SmallVec<[KernelRoute; 2]>;

/// Bits of [`EntryState::flags`].
pub(in crate::table) mod flag {
    /// A route of the kernel is stored in the entry (`metric`, `set`, `protocol`, `generation`).
    pub(in crate::table) const ROUTE: u8 = 1;
    /// The kernel's routes are in the overflow map; those in the entry are a copy of the best.
    pub(in crate::table) const OVERFLOW: u8 = 1 << 1;
    /// In the dirty queue.
    pub(in crate::table) const QUEUED: u8 = 1 << 2;
    /// Handed out by `take_dirty` and not yet answered.
    pub(in crate::table) const TAKEN: u8 = 1 << 3;
    /// VPP refused the last request for it.
    pub(in crate::table) const REJECTED: u8 = 1 << 4;
    /// Counts as desired (`Counts::desired`).
    pub(in crate::table) const DESIRED: u8 = 1 << 5;
    /// Counts as held (`Counts::held`).
    pub(in crate::table) const HELD: u8 = 1 << 6;
    /// VPP had it before this run, and the kernel has not shown a route for it yet: only a complete
    /// dump shows whether it is stale, so it stays until then.
    pub(in crate::table) const UNCONFIRMED: u8 = 1 << 7;

    /// The flag, or none.
    pub(in crate::table) fn of(flag: u8, on: bool) -> u8 {
        flag * u8::from(on)
    }
}

/// The length of a free slot; no prefix is that long.
const FREE: u8 = u8::MAX;

/// A prefix: its address and the rest.
#[derive(Clone, Copy, Debug)]
pub(in crate::table) struct Entry<A> {
    pub(in crate::table) address: A,
    pub(in crate::table) state: EntryState,
}

/// The state of a prefix: the best kernel route and what VPP has acknowledged.
#[derive(Clone, Copy, Debug)]
pub(in crate::table) struct EntryState {
    pub(in crate::table) length: u8,
    pub(in crate::table) protocol: u8,
    pub(in crate::table) generation: u8,
    pub(in crate::table) flags: u8,
    pub(in crate::table) metric: u32,
    pub(in crate::table) set: SetId,
    pub(in crate::table) installed: PathSetId,
}

impl EntryState {
    pub(in crate::table) fn new(length: u8) -> Self {
        Self {
            length,
            protocol: 0,
            generation: 0,
            flags: 0,
            metric: 0,
            set: SetId(0),
            installed: PathSetId::NONE,
        }
    }

    /// Whether the slot holds a prefix.
    pub(in crate::table) fn in_use(&self) -> bool {
        self.length != FREE
    }

    /// Frees the slot.
    pub(in crate::table) fn free(&mut self) {
        self.length = FREE;
        self.flags = 0;
    }

    /// Whether the entry has no state besides the prefix.
    pub(in crate::table) fn is_untouched(&self) -> bool {
        self.flags == 0 && self.installed.is_none()
    }

    /// Whether to leave VPP's route alone, since the kernel's state is not known yet.
    pub(in crate::table) fn unconfirmed(&self) -> bool {
        self.has(flag::UNCONFIRMED)
            && !self.has(flag::ROUTE | flag::OVERFLOW)
            && !self.installed.is_none()
    }

    pub(in crate::table) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(in crate::table) fn set_flag(&mut self, flag: u8, on: bool) {
        if on {
            self.flags |= flag;
        } else {
            self.flags &= !flag;
        }
    }

    /// The kernel route stored in the entry itself.
    pub(in crate::table) fn route(&self) -> Option<KernelRoute> {
        self.has(flag::ROUTE).then_some(KernelRoute {
            metric: self.metric,
            set: self.set,
            tos: 0,
            protocol: self.protocol,
            generation: self.generation,
            expired: false,
        })
    }

    pub(in crate::table) fn set_route(&mut self, route: Option<KernelRoute>) {
        self.set_flag(flag::ROUTE, route.is_some());
        if let Some(route) = route {
            self.metric = route.metric;
            self.set = route.set;
            self.protocol = route.protocol;
            self.generation = route.generation;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stay_small() {
        assert_eq!(size_of::<Entry<u32>>(), 20);
        assert_eq!(size_of::<Entry<Ipv6Words>>(), 32);
    }

    #[test]
    fn words_keep_the_address() {
        let address = 0x2001_0db8_0001_0002_0003_0004_0005_0006;
        assert_eq!(
            words(address).prefix(128),
            crate::route::Prefix::v6(address, 128)
        );
    }
}
