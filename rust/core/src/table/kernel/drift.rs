//! Differences that a resync found and no notification explains.
//!
//! A dump and the notifications arrive on different sockets, so a difference is only suspected
//! until the notifications in flight have been read too.

use ahash::AHashMap;

use crate::route::{Family, Prefix, RouteKey};

/// Maximum number of differences stored by key; further ones are only counted.
const MAX_STORED: usize = 1024;

crate::named_enum! {
    /// How the table differed from the kernel.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Drift {
        /// The kernel had a route that was missing in the table.
        Missing = "missing",
        /// The kernel's route differed from the table's.
        Different = "different",
        /// The table had a route that the kernel did not have.
        Stale = "stale",
    }
}

/// What a resync repaired.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DriftReport {
    /// Number of routes, by [`Drift::index`].
    pub counts: [usize; Drift::ALL.len()],
    /// Kernel table, prefix and kind of the first of them, in order.
    pub examples: Vec<(u32, Prefix, Drift)>,
}

impl DriftReport {
    /// The number of routes that differed.
    #[must_use]
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }
}

/// Differences that a notification may yet explain.
#[derive(Default)]
pub(in crate::table) struct PendingDrift {
    pub(in crate::table) keys: AHashMap<RouteKey, Drift>,
    pub(in crate::table) uncounted: [usize; Drift::ALL.len()],
}

impl PendingDrift {
    /// Whether there are differences of the family besides stale routes, and all are stored.
    pub(in crate::table) fn showed_unknown(&self, family: Family) -> bool {
        let shown = |(key, drift): (&RouteKey, &Drift)| {
            key.prefix.family() == family && *drift != Drift::Stale
        };
        self.uncounted == [0; Drift::ALL.len()] && self.keys.iter().any(shown)
    }

    #[inline]
    pub(in crate::table) fn suspect(&mut self, key: &RouteKey, drift: Drift) {
        if self.keys.len() < MAX_STORED {
            // A replacement is found before the route that it replaced is swept.
            self.keys.entry(*key).or_insert(drift);
        } else if let Some(count) = self.uncounted.get_mut(drift.index()) {
            *count += 1;
        }
    }

    /// Removes a difference that a notification about the key explains.
    pub(in crate::table) fn clear(&mut self, key: &RouteKey) {
        self.keys.remove(key);
    }
}
