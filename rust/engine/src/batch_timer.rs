//! The time that a batch's changes wait.

use std::sync::Arc;
use std::time::Instant;

use crate::state::EngineState;

/// A batch's position in the order of changes. Dropped, its changes count as still waiting.
pub(crate) struct BatchTimer {
    shared: Arc<EngineState>,
    through: u64,
    changes: usize,
}

impl BatchTimer {
    /// For a batch of `changes` that need a request, out of `left` that left the queue.
    pub(crate) fn new(shared: &Arc<EngineState>, left: usize, changes: usize) -> Self {
        Self {
            shared: Arc::clone(shared),
            through: shared.latency_tracker().dequeued(left, changes),
            changes,
        }
    }

    /// Records that every change of the batch is answered.
    pub(crate) fn answered(mut self) {
        let changes = std::mem::take(&mut self.changes);
        if changes > 0 {
            let mut waiting = self.shared.latency_tracker();
            waiting.answered(self.through, changes as u64, Instant::now());
        }
    }
}

impl Drop for BatchTimer {
    fn drop(&mut self) {
        if self.changes > 0 {
            self.shared.latency_tracker().gave_up();
        }
    }
}
