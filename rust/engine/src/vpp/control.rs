//! What the connection is told beside its operations, and heeds in the middle of one.

use std::sync::atomic::{AtomicBool, Ordering};

/// Requests to the connection's thread; whoever sets one wakes it ([`Driver::wake`](super::driver::Driver::wake)).
#[derive(Debug, Default)]
pub(super) struct Control {
    close: AtomicBool,
    paused: AtomicBool,
}

impl Control {
    /// The connection is to end, whatever is under way.
    pub(super) fn request_close(&self) {
        self.close.store(true, Ordering::Release);
    }

    pub(super) fn close_requested(&self) -> bool {
        self.close.load(Ordering::Acquire)
    }

    /// Batches are to end early: what of them is not sent yet stays dirty. Or no longer.
    pub(super) fn set_paused(&self, on: bool) {
        self.paused.store(on, Ordering::Release);
    }

    pub(super) fn paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }
}
