//! Batches of dirty prefixes, opaque to Python.

use std::sync::atomic::{AtomicBool, Ordering};

use bgpreflector_engine::Batch;
use parking_lot::Mutex;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::detached::Detached;
use crate::views::{RouteChange, changes};

/// Dirty prefixes handed out together.
#[pyclass(frozen, module = "bgpreflector._core")]
pub struct RouteBatch {
    batch: Detached<Mutex<Option<Batch>>>,
    length: usize,
    consumed: AtomicBool,
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
        Self {
            batch: Detached::new(Mutex::new(Some(batch))),
            length,
            consumed: AtomicBool::new(false),
            adds,
            replaces,
            deletes,
        }
    }

    /// The batch itself, to commit it.
    pub(crate) fn take(&self, py: Python<'_>) -> PyResult<Batch> {
        let spent = || PyValueError::new_err("this batch was committed or released already");
        let batch = self.batch.with(py, |batch| batch.lock().take());
        let batch = batch.ok_or_else(spent)?;
        self.consumed.store(true, Ordering::Relaxed);
        Ok(batch)
    }
}

#[pymethods]
impl RouteBatch {
    fn __len__(&self) -> usize {
        self.length
    }

    #[getter]
    fn is_consumed(&self) -> bool {
        self.consumed.load(Ordering::Relaxed)
    }

    #[pyo3(signature = (limit, start = 0))]
    fn changes(&self, py: Python<'_>, limit: usize, start: usize) -> ChangeIterator {
        let changes = self.batch.with(py, |batch| {
            let batch = batch.lock();
            let changes = batch.as_ref().map(|b| changes(b, start, limit));
            changes.unwrap_or_default()
        });
        ChangeIterator(changes.into_iter())
    }

    fn release(&self, py: Python<'_>) {
        self.batch.with(py, hand_back);
    }
}

fn hand_back(batch: &Mutex<Option<Batch>>) {
    let batch = batch.lock().take();
    drop(batch);
}

impl Drop for RouteBatch {
    /// A batch that was not released goes back to the table.
    fn drop(&mut self) {
        Python::attach(|py| self.batch.with(py, hand_back));
    }
}

/// Iterates over a batch's changes.
#[pyclass(module = "bgpreflector._core")]
struct ChangeIterator(std::vec::IntoIter<RouteChange>);

#[pymethods]
impl ChangeIterator {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&mut self) -> Option<RouteChange> {
        self.0.next()
    }
}
