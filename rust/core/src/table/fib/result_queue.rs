//! The entries whose result the peer has to be sent.
//!
//! The queue holds entries, each once, not results: the result is read when it is sent. A slow
//! peer therefore misses intermediate results, and memory is bounded by the table.

use ahash::AHashSet;

use crate::table::fib::dirty_queue::DirtyQueue;
use crate::table::store::ids::Handle;

/// Entries whose result is to be sent.
#[derive(Default)]
pub(in crate::table) struct ResultQueue {
    queue: DirtyQueue,
    queued: AHashSet<Handle>,
}

impl ResultQueue {
    pub(in crate::table) fn push(&mut self, handle: Handle) {
        if self.queued.insert(handle) {
            self.queue.push(handle);
        }
    }

    pub(in crate::table) fn pop(&mut self) -> Option<Handle> {
        let handle = self.queue.pop()?;
        self.queued.remove(&handle);
        if self.queued.is_empty() {
            // Frees the memory after a full table.
            self.queued = AHashSet::new();
        }
        Some(handle)
    }

    pub(in crate::table) fn len(&self) -> usize {
        self.queue.len()
    }
}
