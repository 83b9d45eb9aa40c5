//! Requests that Python sends itself, where VPP's messages differ from those the encoder knows.

use std::net::IpAddr;

use bgpreflector_core::route::{Family, Path, PathKind, PathSet};
use bgpreflector_engine::Requests;
use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::convert::value_error;

/// A path as VPP's API names its fields: `type`, `proto`, next hop, `sw_if_index`, `table_id`,
/// weight, preference, labels.
pub(crate) type PathTuple = (u32, u32, Option<IpAddr>, u32, u32, u8, u8, Vec<u32>);

/// `fib_path_type` in VPP's `fib_types.api`.
const KINDS: [(u32, PathKind); 4] = [
    (0, PathKind::Normal),
    (2, PathKind::Drop),
    (5, PathKind::IcmpUnreach),
    (6, PathKind::IcmpProhibit),
];

/// The open requests of a batch.
#[pyclass(frozen, module = "bgpreflector._core")]
pub struct RequestList {
    requests: Mutex<Option<Requests>>,
}

impl RequestList {
    pub(crate) fn new(requests: Requests) -> Self {
        Self {
            requests: Mutex::new(Some(requests)),
        }
    }
}

#[pymethods]
impl RequestList {
    fn __len__(&self) -> usize {
        self.requests.lock().as_ref().map_or(0, Requests::len)
    }

    fn request(&self, index: usize) -> PyResult<(u32, String, Option<Vec<PathTuple>>)> {
        let requests = self.requests.lock();
        let found = requests.as_ref().and_then(|requests| requests.get(index));
        let (request, paths) = found.ok_or_else(|| closed(index))?;
        let paths = paths.map(|set| set.paths().iter().map(tuple).collect());
        Ok((request.vpp_table, request.prefix.to_string(), paths))
    }

    fn answer(&self, index: usize, retval: i32) -> PyResult<()> {
        let mut requests = self.requests.lock();
        let open = requests
            .as_mut()
            .is_some_and(|requests| requests.answer(index, retval));
        if open { Ok(()) } else { Err(closed(index)) }
    }

    fn release(&self, py: Python<'_>) {
        let requests = self.requests.lock().take();
        py.detach(|| drop(requests));
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
