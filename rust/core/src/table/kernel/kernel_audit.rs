//! What an audit found: a resync's differences that no notification has explained.

use crate::route::Family;
use crate::table::Table;
use crate::table::kernel::drift::DriftReport;

impl Table {
    /// Whether the last resync repaired something that no notification has explained so far.
    #[must_use]
    pub fn has_suspects(&self) -> bool {
        !self.pending_drift.keys.is_empty()
    }

    /// Whether the last dump showed routes of the family that were not known, few enough for another
    /// dump because of them. A lifetime that begins or ends with less than a tick of it left looks
    /// like none (`rtnl_put_cacheinfo`).
    #[must_use]
    pub fn dump_showed_unknown(&self, family: Family) -> bool {
        self.pending_drift.showed_unknown(family)
    }

    /// What the last resync repaired and no notification has explained since, with up to `limit`
    /// routes by name. Empty on the second call.
    #[must_use]
    pub fn take_drift(&mut self, limit: usize) -> DriftReport {
        let pending_drift = std::mem::take(&mut self.pending_drift);
        let mut report = DriftReport {
            counts: pending_drift.uncounted,
            ..DriftReport::default()
        };
        for (key, drift) in pending_drift.keys {
            if let Some(count) = report.counts.get_mut(drift.index()) {
                *count += 1;
            }
            report.examples.push((key.table, key.prefix, drift));
        }
        report.examples.sort_unstable();
        report.examples.truncate(limit);
        report
    }
}
