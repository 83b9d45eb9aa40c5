//! What may wait for a lock of the engine, out of reach for those who hold the GIL.

use pyo3::prelude::*;

/// A value whose methods may wait for a lock that another thread holds for long: it can be used
/// only without the GIL, or all of Python would wait along.
pub(crate) struct Detached<T>(T);

impl<T: Sync> Detached<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(value)
    }

    /// What `work` returns, done without the GIL.
    pub(crate) fn with<R: Send>(&self, py: Python<'_>, work: impl FnOnce(&T) -> R + Send) -> R {
        py.detach(|| work(&self.0))
    }
}
