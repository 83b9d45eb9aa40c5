//! Values whose locks must not be waited for with the GIL held.

use pyo3::prelude::*;

/// A value whose methods may wait for a lock that another thread holds for long: usable only
/// without the GIL, or all of Python would wait too.
pub(crate) struct Detached<T>(T);

impl<T: Sync> Detached<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(value)
    }

    /// The result of `work`, executed without the GIL.
    pub(crate) fn with<R: Send>(&self, py: Python<'_>, work: impl FnOnce(&T) -> R + Send) -> R {
        py.detach(|| work(&self.0))
    }
}
