//! The latency of changes, from their entry into the table to VPP's answer.
//!
//! Changes wait as dirty prefixes in one queue, so their age is not stored with each: a checkpoint
//! records when the queue had reached which length, counted from the start.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Upper bounds of [`Latency`]'s buckets, seconds; the last bucket has none.
pub const BOUNDS: [f64; 15] = [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
    60.0,
];

/// Beyond this many neighbours become one, with the older one's time.
const MAX_CHECKPOINTS: usize = 4096;

/// A histogram of the time that changes waited until the batch they were in was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Latency {
    /// Changes by bucket of [`BOUNDS`], each counted once, and those above the last bound.
    pub buckets: [u64; BOUNDS.len() + 1],
    /// Seconds in all.
    pub sum: f64,
}

impl Latency {
    fn observe(&mut self, waited: Duration, changes: u64) {
        let seconds = waited.as_secs_f64();
        let bucket = BOUNDS.partition_point(|bound| *bound < seconds);
        if let Some(count) = self.buckets.get_mut(bucket) {
            *count = count.saturating_add(changes);
        }
        // Beyond 2^53 changes a rounded sum does not matter.
        #[allow(clippy::cast_precision_loss, reason = "see above")]
        let changes = changes as f64;
        self.sum += seconds * changes;
    }
}

#[derive(Clone, Copy, Debug)]
struct Checkpoint {
    at: Instant,
    /// The number of the last change that was there by then.
    through: u64,
}

/// The checkpoints, and how far changes have got.
#[derive(Debug, Default)]
pub(crate) struct LatencyTracker {
    checkpoints: VecDeque<Checkpoint>,
    /// Changes that ever entered the queue, those that left it, and those answered.
    queued: u64,
    taken: u64,
    answered: u64,
    batches: usize,
    latency: Latency,
}

impl LatencyTracker {
    /// Records that `dirty` changes are in the queue.
    pub(crate) fn queued(&mut self, dirty: usize, now: Instant) {
        let queued = self.taken.saturating_add(dirty as u64);
        if queued <= self.queued {
            return;
        }
        self.queued = queued;
        if self.checkpoints.len() >= MAX_CHECKPOINTS {
            self.merge();
        }
        self.checkpoints.push_back(Checkpoint {
            at: now,
            through: queued,
        });
    }

    fn merge(&mut self) {
        let checkpoints: Vec<Checkpoint> = self.checkpoints.drain(..).collect();
        let pair = |pair: &[Checkpoint]| {
            let (first, last) = (pair.first()?, pair.last()?);
            Some(Checkpoint {
                at: first.at,
                through: last.through,
            })
        };
        self.checkpoints = checkpoints.chunks(2).filter_map(pair).collect();
    }

    /// Records that changes left the queue in a batch, of which `needed` need a request.
    pub(crate) fn dequeued(&mut self, left: usize, needed: usize) -> u64 {
        self.taken = self.taken.saturating_add(left as u64);
        self.queued = self.queued.max(self.taken);
        if needed > 0 {
            self.batches += 1;
        } else if self.batches == 0 {
            self.forget(self.taken);
        }
        self.taken
    }

    pub(crate) fn gave_up(&mut self) {
        self.batches = self.batches.saturating_sub(1);
    }

    /// Records that a batch that reached up to `through` was answered, with `changes` in all.
    pub(crate) fn answered(&mut self, through: u64, changes: u64, now: Instant) {
        self.gave_up();
        // No other batch is in flight: changes dequeued earlier without a request are done too.
        let through = if self.batches == 0 {
            self.taken
        } else {
            through
        };
        let all = through.saturating_sub(self.answered);
        let mut left = changes.min(all);
        while let Some(checkpoint) = self.checkpoints.front().copied() {
            let reached = checkpoint.through.min(through);
            let here = reached.saturating_sub(self.answered);
            // Some of the queue's places needed nothing: the others share the counts.
            let share = u128::from(here) * u128::from(changes) / u128::from(all.max(1));
            let share = u64::try_from(share).unwrap_or(left).min(left);
            let share = if reached == through { left } else { share };
            if share > 0 {
                self.latency
                    .observe(now.saturating_duration_since(checkpoint.at), share);
            }
            left -= share;
            self.answered = self.answered.max(reached);
            if checkpoint.through > through {
                break;
            }
            self.checkpoints.pop_front();
            if reached == through {
                break;
            }
        }
        self.answered = self.answered.max(through);
    }

    fn forget(&mut self, through: u64) {
        while self
            .checkpoints
            .front()
            .is_some_and(|m| m.through <= through)
        {
            self.checkpoints.pop_front();
        }
        self.answered = self.answered.max(through);
    }

    /// How long the change has waited that waits the longest, `dirty` being in the queue.
    pub(crate) fn oldest(&self, dirty: usize, now: Instant) -> Option<Duration> {
        if dirty == 0 && self.batches == 0 {
            return None;
        }
        self.checkpoints
            .front()
            .map(|checkpoint| now.saturating_duration_since(checkpoint.at))
    }

    pub(crate) fn latency(&self) -> Latency {
        self.latency
    }
}

#[cfg(test)]
mod tests;
