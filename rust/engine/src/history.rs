//! The last changes, for `watch`: some of each batch, never all of a full table.

use std::collections::VecDeque;
use std::time::SystemTime;

use bgpreflector_core::route::{PathSet, Prefix};

/// Changes that are remembered.
const MAX_CHANGES: usize = 200;
/// Changes that are taken of one batch.
const PER_BATCH: usize = 20;

/// One change of a batch: kernel table, prefix, paths installed, paths desired.
pub type BatchChange = (u32, Prefix, Option<PathSet>, Option<PathSet>);

/// A change that is sent to VPP.
#[derive(Clone, Debug)]
pub struct RecentChange {
    /// Counts from 1 on.
    pub number: u64,
    /// When its batch was sent.
    pub at: SystemTime,
    /// What it was, as it stood then.
    pub change: BatchChange,
}

/// The last changes.
#[derive(Debug, Default)]
pub(crate) struct ChangeHistory {
    kept: VecDeque<RecentChange>,
    count: u64,
}

impl ChangeHistory {
    /// Records some of a batch's changes.
    pub(crate) fn record(&mut self, changes: impl Iterator<Item = BatchChange>) {
        let at = SystemTime::now();
        let differs = |(_, _, installed, desired): &BatchChange| installed != desired;
        for change in changes.filter(differs).take(PER_BATCH) {
            self.count += 1;
            if self.kept.len() == MAX_CHANGES {
                self.kept.pop_front();
            }
            self.kept.push_back(RecentChange {
                number: self.count,
                at,
                change,
            });
        }
    }

    /// Those after the one of that number, the oldest first.
    pub(crate) fn since(&self, number: u64) -> Vec<RecentChange> {
        let after = self.kept.iter().filter(|change| change.number > number);
        after.cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use bgpreflector_core::route::{PathSet, Prefix};

    use super::{BatchChange, ChangeHistory, MAX_CHANGES, PER_BATCH};

    fn change(table: u32) -> BatchChange {
        let prefix = Prefix::new("10.0.0.0".parse().unwrap(), 24).unwrap();
        (table, prefix, None, Some(PathSet::new(Vec::new())))
    }

    fn numbers(history: &ChangeHistory, since: u64) -> Vec<(u64, u32)> {
        let kept = history.since(since);
        kept.iter().map(|c| (c.number, c.change.0)).collect()
    }

    #[test]
    fn some_of_each_batch_are_kept_and_counted() {
        let mut history = ChangeHistory::default();
        history.record((0..100).map(change));
        assert_eq!(numbers(&history, 18), [(19, 18), (20, 19)]);
        history.record([change(7)].into_iter());
        assert_eq!(numbers(&history, 20), [(21, 7)]);
        for _ in 0..MAX_CHANGES {
            history.record((0..PER_BATCH as u32).map(change));
        }
        assert_eq!(history.since(0).len(), MAX_CHANGES);
    }

    #[test]
    fn what_is_to_be_left_as_it_is_is_no_change() {
        let mut history = ChangeHistory::default();
        let (table, prefix, _, desired) = change(1);
        history.record(
            [
                (table, prefix, desired.clone(), desired),
                (table, prefix, None, None),
            ]
            .into_iter(),
        );
        assert!(history.since(0).is_empty());
    }
}
