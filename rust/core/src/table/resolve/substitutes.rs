//! The substitutes that are installed.

use crate::table::Table;
use crate::table::resolve::fallback::Substitute;
use crate::table::store::entry::flag;
use crate::table::store::ids::PathSetId;

/// Flags of a prefix that has a substitute.
pub(in crate::table) const SUBSTITUTED: u8 = flag::DESIRED | flag::HELD;

impl Table {
    /// Counts of substituted prefixes ([`Substitute`]).
    #[must_use]
    pub fn substitutes(&self) -> [(Substitute, usize); 3] {
        let mut counts = [Substitute::NextHops, Substitute::Drop, Substitute::Punt].map(|s| (s, 0));
        let mut add = |paths, count| {
            let found = self.substitute_of(paths);
            for (of, total) in &mut counts {
                *total += if found == Some(*of) { count } else { 0 };
            }
        };
        if self.counts.iter().all(|counts| counts.substituted == 0) {
            return counts;
        }
        if self.quarantine.is_empty() && self.scope.most().is_none() {
            for (set, count) in self.resolver.held() {
                add(self.resolver.resolution(set).paths, count);
            }
            return counts;
        }
        // Quarantine holds by prefix, not by set.
        for handle in self.slots() {
            let entry = self.entry(handle);
            let both = |flags| flags & SUBSTITUTED == SUBSTITUTED;
            if let Some(entry) = entry.filter(|entry| entry.in_use() && both(entry.flags)) {
                add(self.desired(handle, entry), 1);
            }
        }
        counts
    }

    /// The substitute that these paths are.
    pub(in crate::table) fn substitute_of(&self, paths: PathSetId) -> Option<Substitute> {
        self.paths(paths).map(Substitute::of)
    }
}
