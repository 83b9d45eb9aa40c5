//! Batches of dirty prefixes, opaque to Python.

use bgpreflector_engine::Batch;
use parking_lot::Mutex;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::listing::{RouteChange, changes};

/// Dirty prefixes taken together.
#[pyclass(frozen, module = "bgpreflector._core")]
pub struct RouteBatch {
    batch: Mutex<Option<Batch>>,
    length: usize,
    #[pyo3(get)]
    adds: usize,
    #[pyo3(get)]
    replaces: usize,
    #[pyo3(get)]
    deletes: usize,
}

impl RouteBatch {
    pub(crate) fn new(batch: Batch) -> Self {
        let (adds, replaces, deletes) = batch.operations();
        let length = batch.len();
        Self { batch: Mutex::new(Some(batch)), length, adds, replaces, deletes }
    }

    /// The batch itself, for the one who commits it.
    pub(crate) fn take(&self) -> PyResult<Batch> {
        let spent = || PyValueError::new_err("this batch was committed or released already");
        self.batch.lock().take().ok_or_else(spent)
    }
}

#[pymethods]
impl RouteBatch {
    fn __len__(&self) -> usize {
        self.length
    }

    #[pyo3(signature = (limit = None))]
    fn changes(&self, limit: Option<usize>) -> Vec<RouteChange> {
        let batch = self.batch.lock();
        batch.as_ref().map(|b| changes(b, limit.unwrap_or(usize::MAX))).unwrap_or_default()
    }

    fn release(&self, py: Python<'_>) {
        let batch = self.batch.lock().take();
        py.detach(|| drop(batch));
    }
}
