//! What the worker is told beside its jobs, and heeds in the middle of one.

use std::sync::atomic::{AtomicBool, Ordering};

/// Orders; whoever gives one rings the worker's bell.
#[derive(Debug, Default)]
pub(super) struct Orders {
    close: AtomicBool,
    hold: AtomicBool,
}

impl Orders {
    /// The connection is to end, whatever is under way.
    pub(super) fn close(&self) {
        self.close.store(true, Ordering::Release);
    }

    pub(super) fn closes(&self) -> bool {
        self.close.load(Ordering::Acquire)
    }

    /// Batches are to end early: what of them is not sent yet stays dirty. Or no longer.
    pub(super) fn hold(&self, on: bool) {
        self.hold.store(on, Ordering::Release);
    }

    pub(super) fn holds(&self) -> bool {
        self.hold.load(Ordering::Acquire)
    }
}
