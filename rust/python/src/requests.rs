//! Requests that Python sends itself, where VPP's messages differ from those the encoder knows.

use std::net::IpAddr;

use bgpreflector_core::route::{Family, Path, PathKind, PathSet};
use bgpreflector_engine::Requests;
use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::convert::value_error;
use crate::detached::Detached;

/// A path as VPP's API names its fields: `type`, `proto`, next hop, `sw_if_index`, `table_id`,
/// weight, preference, labels.
pub(crate) type PathTuple = (u32, u32, Option<IpAddr>, u32, u32, u8, u8, Vec<u32>);

/// `fib_path_type` in VPP's `fib_types.api`.
const KINDS: [(u32, PathKind); 5] = [
    (0, PathKind::Normal),
    (1, PathKind::Local),
    (2, PathKind::Drop),
    (5, PathKind::IcmpUnreach),
    (6, PathKind::IcmpProhibit),
];

type Open = Mutex<Option<Requests>>;

/// The open requests of a batch.
#[pyclass(frozen, module = "bgpreflector._core")]
pub struct RequestList {
    requests: Detached<Open>,
}

impl RequestList {
    pub(crate) fn new(requests: Requests) -> Self {
        Self {
            requests: Detached::new(Mutex::new(Some(requests))),
        }
    }
}

#[pymethods]
impl RequestList {
    fn __len__(&self, py: Python<'_>) -> usize {
        let length = |requests: &Open| requests.lock().as_ref().map_or(0, Requests::len);
        self.requests.with(py, length)
    }

    fn request(
        &self,
        py: Python<'_>,
        index: usize,
    ) -> PyResult<(u32, String, Option<Vec<PathTuple>>)> {
        let get = |requests: &Open| requests.lock().as_ref()?.get(index);
        let found = self.requests.with(py, get);
        let (request, paths) = found.ok_or_else(|| closed(index))?;
        let paths = paths.map(|set| set.paths().iter().map(tuple).collect());
        Ok((request.vpp_table, request.prefix.to_string(), paths))
    }

    fn answer(&self, py: Python<'_>, index: usize, retval: i32) -> PyResult<()> {
        let open = self.requests.with(py, |requests| {
            let mut requests = requests.lock();
            requests.as_mut().is_some_and(|r| r.answer(index, retval))
        });
        if open { Ok(()) } else { Err(closed(index)) }
    }

    fn release(&self, py: Python<'_>) {
        self.requests.with(py, give_back);
    }
}

fn give_back(requests: &Open) {
    let requests = requests.lock().take();
    drop(requests);
}

impl Drop for RequestList {
    /// Whoever forgot to release it: what has no answer is dirty again.
    fn drop(&mut self) {
        Python::attach(|py| self.requests.with(py, give_back));
    }
}

fn closed(index: usize) -> PyErr {
    value_error(format!("request {index} is not open"))
}

fn tuple(path: &Path) -> PathTuple {
    let kind = KINDS
        .iter()
        .find(|(_, kind)| *kind == path.kind)
        .map_or(0, |(number, _)| *number);
    let proto = u32::from(path.family == Family::V6);
    (
        kind,
        proto,
        path.next_hop,
        path.sw_if_index,
        path.table,
        path.weight,
        path.preference,
        path.labels.to_vec(),
    )
}

/// The set of paths that the tuples describe.
pub(crate) fn path_set(tuples: Vec<PathTuple>) -> PyResult<PathSet> {
    let paths: PyResult<Vec<Path>> = tuples.into_iter().map(path).collect();
    Ok(PathSet::new(paths?))
}

fn path(tuple: PathTuple) -> PyResult<Path> {
    let (number, proto, next_hop, sw_if_index, table, weight, preference, labels) = tuple;
    let kind = KINDS.iter().find(|(known, _)| *known == number);
    let (_, kind) = kind.ok_or_else(|| value_error(format!("path type {number} is not ours")))?;
    let family = if proto == 1 { Family::V6 } else { Family::V4 };
    let labels = labels.into_iter().collect();
    let kind = *kind;
    Ok(Path {
        kind,
        family,
        next_hop,
        sw_if_index,
        table,
        weight,
        preference,
        labels,
    })
}
