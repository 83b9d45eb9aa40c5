//! Queues of handles, run-length encoded.

use std::collections::VecDeque;

use crate::table::store::ids::Handle;

/// Consecutive slots: a dump creates slots in order, so a full table is one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    rib: u16,
    first: u32,
    count: u32,
}

impl Run {
    /// Extends the run if the handle follows it; returns whether it did.
    fn extend(&mut self, handle: Handle) -> bool {
        let next = self.first.checked_add(self.count) == Some(handle.slot);
        let follows = next && self.rib == handle.rib && self.count < u32::MAX;
        self.count += u32::from(follows);
        follows
    }
}

/// A first-in, first-out queue of handles.
#[derive(Debug, Default)]
pub(in crate::table) struct DirtyQueue {
    runs: VecDeque<Run>,
    len: usize,
}

/// Runs that an empty queue keeps room for; the memory of a full table is freed.
const KEPT_RUNS: usize = 1024;

impl DirtyQueue {
    pub(in crate::table) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(in crate::table) fn push(&mut self, handle: Handle) {
        self.len += 1;
        let last = self.runs.back_mut();
        if !last.is_some_and(|last| last.extend(handle)) {
            self.runs.push_back(Run {
                rib: handle.rib,
                first: handle.slot,
                count: 1,
            });
        }
    }

    pub(in crate::table) fn pop(&mut self) -> Option<Handle> {
        let run = self.runs.front_mut()?;
        let handle = Handle {
            rib: run.rib,
            slot: run.first,
        };
        run.first = run.first.saturating_add(1);
        run.count = run.count.saturating_sub(1);
        if run.count == 0 {
            self.runs.pop_front();
        }
        self.len = self.len.saturating_sub(1);
        if self.len == 0 {
            self.runs.shrink_to(KEPT_RUNS);
        }
        Some(handle)
    }
}

#[cfg(test)]
mod tests {
    use super::{DirtyQueue, Handle};

    fn handles(of: &[(u16, u32)]) -> Vec<Handle> {
        let handle = |&(rib, slot)| Handle { rib, slot };
        of.iter().map(handle).collect()
    }

    #[test]
    fn what_goes_in_comes_out_in_its_order() {
        let wanted = handles(&[
            (0, 0),
            (0, 1),
            (1, 2),
            (1, 3),
            (1, 5),
            (1, 4),
            (0, 5),
            (0, u32::MAX),
            (0, 0),
        ]);
        let mut queue = DirtyQueue::default();
        for (number, handle) in wanted.iter().enumerate() {
            queue.push(*handle);
            assert_eq!(queue.len(), number + 1);
        }
        assert_eq!(queue.runs.len(), 7);
        let mut seen = Vec::new();
        while let Some(handle) = queue.pop() {
            seen.push(handle);
            assert_eq!(queue.len(), wanted.len() - seen.len());
        }
        assert_eq!(seen, wanted);
        assert!(queue.runs.is_empty());
    }

    #[test]
    fn it_goes_on_behind_what_was_taken() {
        let mut queue = DirtyQueue::default();
        for slot in 0..3 {
            queue.push(Handle { rib: 0, slot });
        }
        assert_eq!(queue.pop(), Some(Handle { rib: 0, slot: 0 }));
        queue.push(Handle { rib: 0, slot: 3 });
        assert_eq!(queue.runs.len(), 1);
        let rest: Vec<u32> = std::iter::from_fn(|| queue.pop()).map(|h| h.slot).collect();
        assert_eq!(rest, [1, 2, 3]);
    }
}
