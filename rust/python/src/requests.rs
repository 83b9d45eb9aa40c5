//! Requests that Python sends itself, if VPP's messages differ from those that the encoder knows.

use std::net::IpAddr;

use bgpreflector_core::route::{Family, Path, PathSet, PathType};
use bgpreflector_engine::Requests;
use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::convert::{self, value_error};
use crate::detached::Detached;

/// A path with the fields of VPP's API: `type`, `proto`, next hop, `sw_if_index`, `table_id`,
/// weight, preference, labels.
pub(crate) type PathTuple = (u32, u32, Option<IpAddr>, u32, u32, u8, u8, Vec<u32>);

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
        let paths = paths.map(|set| tuples(Some(&set)));
        Ok((request.vpp_table, request.prefix.to_string(), paths))
    }

    fn answer(&self, py: Python<'_>, index: usize, retval: i32) -> PyResult<()> {
        let open = self.requests.with(py, |requests| {
            let mut requests = requests.lock();
            requests.as_mut().is_some_and(|r| r.answer(index, retval))
        });
        if open { Ok(()) } else { Err(closed(index)) }
    }

    fn record_crash(&self, py: Python<'_>, index: usize) -> bool {
        let held = |requests: &Open| {
            requests
                .lock()
                .as_ref()
                .is_some_and(|r| r.record_crash(index))
        };
        self.requests.with(py, held)
    }

    fn release(&self, py: Python<'_>) {
        self.requests.with(py, hand_back);
    }
}

fn hand_back(requests: &Open) {
    let requests = requests.lock().take();
    drop(requests);
}

impl Drop for RequestList {
    /// Requests that were not released: those without an answer are dirty again.
    fn drop(&mut self) {
        Python::attach(|py| self.requests.with(py, hand_back));
    }
}

fn closed(index: usize) -> PyErr {
    value_error(format!("request {index} is not open"))
}

/// The paths as VPP's API names their fields; none of no set.
pub(crate) fn tuples(paths: Option<&PathSet>) -> Vec<PathTuple> {
    let paths = paths.map(PathSet::paths).unwrap_or_default();
    paths.iter().map(tuple).collect()
}

fn tuple(path: &Path) -> PathTuple {
    let proto = u32::from(path.family == Family::V6);
    (
        path.path_type.number(),
        proto,
        path.next_hop,
        path.sw_if_index,
        path.table,
        path.weight,
        path.preference,
        path.labels.to_vec(),
    )
}

/// `fib_path_type` that are no [`PathType`], which routes of other clients may have.
const OTHERS: [(u32, &str); 6] = [
    (3, "udp-encap"),
    (4, "bier-imp"),
    (7, "source-lookup"),
    (8, "dvr"),
    (9, "interface-rx"),
    (10, "classify"),
];

/// `FIB_API_PATH_NH_PROTO_`: what a path leads on to.
const PROTOCOLS: [&str; 5] = ["ip4", "ip6", "mpls", "ethernet", "bier"];

/// The path set that the tuples describe; none if one is of a type that we never send.
pub(crate) fn path_set(tuples: &[PathTuple]) -> Option<PathSet> {
    let paths: Option<Vec<Path>> = tuples.iter().map(path).collect();
    paths.map(PathSet::new)
}

/// The paths as text, whatever their type.
pub(crate) fn texts(tuples: &[PathTuple]) -> Vec<String> {
    let other = |tuple: &PathTuple| {
        let (number, proto, next_hop, sw_if_index, ..) = tuple;
        let known = OTHERS.iter().find(|(known, _)| known == number);
        let mut text = match (known, PROTOCOLS.get(*proto as usize)) {
            (Some((_, name)), _) => (*name).to_owned(),
            (None, Some(protocol)) if *number == 0 => (*protocol).to_owned(),
            _ => format!("path type {number}"),
        };
        if let Some(next_hop) = next_hop {
            text.push_str(&format!(" {next_hop}"));
        }
        if *sw_if_index != Path::NO_INTERFACE {
            text.push_str(&format!(" sw_if_index {sw_if_index}"));
        }
        text
    };
    let text = |tuple: &PathTuple| path(tuple).map_or_else(|| other(tuple), |p| convert::path(&p));
    let mut texts: Vec<String> = tuples.iter().map(text).collect();
    texts.sort();
    texts
}

/// None for a type that we never send.
fn path(tuple: &PathTuple) -> Option<Path> {
    let (number, proto, next_hop, sw_if_index, table, weight, preference, labels) = tuple.clone();
    let path_type = PathType::from_number(number)?;
    let family = match proto {
        0 => Family::V4,
        1 => Family::V6,
        _ => return None,
    };
    let labels = labels.into_iter().collect();
    Some(Path {
        path_type,
        family,
        next_hop,
        sw_if_index,
        table,
        weight,
        preference,
        labels,
    })
}
