//! Batches of dirty prefixes, from the table to VPP.

use std::sync::Arc;

use bgpreflector_core::table::{DirtyBatch, Handle, Table};

use crate::batch_timer::BatchTimer;
use crate::history::BatchChange;
use crate::state::EngineState;

/// Dirty prefixes handed out together. What is not committed goes back when it is dropped.
pub struct Batch {
    shared: Arc<EngineState>,
    taken: DirtyBatch,
    timer: Option<BatchTimer>,
}

impl Batch {
    /// Takes up to `limit` dirty prefixes.
    #[must_use]
    pub fn take(shared: &Arc<EngineState>, limit: usize) -> Self {
        shared.change(|table| Self::take_from(shared, table, limit))
    }

    /// Changes the table and takes all that is dirty then, under one lock.
    #[must_use]
    pub fn take_after(shared: &Arc<EngineState>, change: impl FnOnce(&mut Table)) -> Self {
        shared.change_then(change, |table, ()| {
            Self::take_from(shared, table, usize::MAX)
        })
    }

    fn take_from(shared: &Arc<EngineState>, table: &mut Table, limit: usize) -> Self {
        let before = table.dirty();
        let taken = table.take_dirty(limit);
        let left = before.saturating_sub(table.dirty());
        let timer = BatchTimer::new(shared, left, taken.handles.len());
        Self {
            shared: Arc::clone(shared),
            taken,
            timer: Some(timer),
        }
    }

    /// Prefixes in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.taken.handles.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.taken.handles.is_empty()
    }

    /// The numbers of additions, replacements and deletions when the batch was taken.
    #[must_use]
    pub fn operations(&self) -> (usize, usize, usize) {
        (self.taken.adds, self.taken.replaces, self.taken.deletes)
    }

    /// The changes from the `start`th on, at most `limit`, as they stand now.
    #[must_use]
    pub fn changes(&self, start: usize, limit: usize) -> Vec<BatchChange> {
        let table = self.shared.table();
        let wanted = self.taken.handles.iter().skip(start).take(limit);
        wanted
            .filter_map(|handle| change(&table, *handle))
            .collect()
    }

    /// The handles, each of which the caller must answer for after the commit, and the timer to
    /// report the answers to.
    pub(crate) fn into_parts(mut self, table: &Table) -> (Vec<Handle>, Option<BatchTimer>) {
        // The drop of `self` locks the table, which is locked here: leave it nothing to give back.
        let handles = std::mem::take(&mut self.taken.handles);
        let changes = handles.iter().filter_map(|handle| change(table, *handle));
        self.shared.history().record(changes);
        (handles, self.timer.take())
    }
}

fn change(table: &Table, handle: Handle) -> Option<BatchChange> {
    let (kernel_table, prefix, installed, desired) = table.difference(handle)?;
    Some((kernel_table, prefix, installed.cloned(), desired.cloned()))
}

impl Drop for Batch {
    fn drop(&mut self) {
        let handles = std::mem::take(&mut self.taken.handles);
        if !handles.is_empty() {
            self.shared
                .change_unless_poisoned(|table| table.requeue(handles));
        }
    }
}
