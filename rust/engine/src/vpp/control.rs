//! Control requests, which take effect in the middle of an operation.

use std::sync::atomic::{AtomicBool, Ordering};

/// Requests to the connection's thread; the caller then wakes it
/// ([`Driver::wake`](super::driver::Driver::wake)).
#[derive(Debug, Default)]
pub(super) struct Control {
    close: AtomicBool,
    paused: AtomicBool,
}

impl Control {
    /// Ends the connection, even in the middle of an operation.
    pub(super) fn request_close(&self) {
        self.close.store(true, Ordering::Release);
    }

    pub(super) fn close_requested(&self) -> bool {
        self.close.load(Ordering::Acquire)
    }

    /// Ends batches early (what is not sent stays dirty), or no longer.
    pub(super) fn set_paused(&self, on: bool) {
        self.paused.store(on, Ordering::Release);
    }

    pub(super) fn paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }
}
