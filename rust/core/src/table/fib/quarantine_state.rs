//! Which requests are suspected of crashing VPP, and which did.

use ahash::AHashMap;

use crate::route::{Path, PathSet, Prefix};

/// A prefix in a VPP table.
pub(in crate::table) type VppPrefix = (u32, Prefix);

/// Suspects of crashing VPP, and held prefixes.
#[derive(Clone, Default)]
pub struct Quarantine {
    /// How often VPP exited while the prefix's request was unanswered.
    pub(in crate::table) suspects: AHashMap<VppPrefix, u8>,
    /// The paths with which a prefix crashed VPP.
    pub(in crate::table) crashed: AHashMap<VppPrefix, Vec<PathSet>>,
    /// Paths that crashed VPP with every prefix of a VPP table that was tried.
    pub(in crate::table) crashed_sets: Vec<(u32, PathSet)>,
    /// Drops that crash VPP in every form: see [`Table::hold_unspecified_drops`](crate::table::Table::hold_unspecified_drops).
    pub(in crate::table) unspecified_drops: bool,
}

impl Quarantine {
    /// Whether nothing is held.
    #[inline]
    pub(in crate::table) fn is_empty(&self) -> bool {
        self.crashed.is_empty() && !self.unspecified_drops
    }

    /// Whether the slow check is needed.
    #[inline]
    pub(in crate::table) fn may_concern(&self, prefix: &Prefix) -> bool {
        !self.crashed.is_empty() || self.unspecified_drops && prefix.address().is_unspecified()
    }

    /// Whether the prefix is held with these paths.
    pub(in crate::table) fn holds(&self, prefix: &VppPrefix, paths: &PathSet) -> bool {
        let Some(sets) = self.crashed.get(prefix) else {
            return self
                .crashed_sets
                .iter()
                .any(|(table, set)| *table == prefix.0 && *set == without_interfaces(paths));
        };
        // Different paths have crashed VPP, so the prefix is held whatever its paths.
        sets.len() > 1 || sets.contains(&without_interfaces(paths))
    }
}

/// The paths without VPP's interface numbers, which change when VPP restarts.
pub(in crate::table) fn without_interfaces(paths: &PathSet) -> PathSet {
    let one = |path: &Path| Path {
        sw_if_index: match path.sw_if_index {
            Path::NO_INTERFACE => Path::NO_INTERFACE,
            _ => 0,
        },
        ..path.clone()
    };
    PathSet::new(paths.paths().iter().map(one).collect())
}
