//! The reason for a connection's end, to query or to wait for.

use parking_lot::{Condvar, Mutex};

use crate::error::VppError;

/// Empty while the connection is open.
#[derive(Default)]
pub(super) struct Disconnected {
    error: Mutex<Option<VppError>>,
    changed: Condvar,
}

impl Disconnected {
    pub(super) fn set(&self, error: VppError) {
        *self.error.lock() = Some(error);
        self.changed.notify_all();
    }

    pub(super) fn get(&self) -> Option<VppError> {
        self.error.lock().clone()
    }

    pub(super) fn wait(&self) -> VppError {
        let mut error = self.error.lock();
        loop {
            if let Some(error) = &*error {
                return error.clone();
            }
            self.changed.wait(&mut error);
        }
    }
}
