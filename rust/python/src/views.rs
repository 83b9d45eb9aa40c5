//! Views of routes and changes.

use std::net::IpAddr;
use std::time::UNIX_EPOCH;

use bgpreflector_core::route::{NextHopSet, NextHopSource, PathSet, Route};
use bgpreflector_core::table::{RouteState, SetView};
use bgpreflector_core::vpp::Retval;
use bgpreflector_engine::kernel::LookupResult;
use bgpreflector_engine::{Batch, BatchChange, RecentChange};
use pyo3::prelude::*;

use crate::convert;
use crate::requests::{PathTuple, tuples};

/// One next hop of a kernel route.
#[pyclass(frozen, get_all, module = "bgpreflector._core")]
#[derive(Clone)]
pub struct NextHop {
    gateway: Option<IpAddr>,
    /// Kernel interface index.
    interface: u32,
    weight: u32,
    onlink: bool,
    labels: Vec<u32>,
}

/// A kernel route and its state in VPP.
#[pyclass(frozen, module = "bgpreflector._core")]
pub struct RouteView {
    #[pyo3(get)]
    table: u32,
    #[pyo3(get)]
    prefix: String,
    #[pyo3(get)]
    tos: u8,
    #[pyo3(get)]
    metric: u32,
    #[pyo3(get)]
    protocol: u8,
    /// Its source: `kernel`, `fpm` or `injected`.
    #[pyo3(get)]
    source: &'static str,
    #[pyo3(get)]
    route_type: String,
    #[pyo3(get)]
    next_hops: Vec<NextHop>,
    /// Id of the next-hop object, where the route uses one.
    #[pyo3(get)]
    next_hop_id: Option<u32>,
    #[pyo3(get)]
    state: &'static str,
    /// Why, where the state alone does not say it.
    #[pyo3(get)]
    reason: Option<String>,
    /// Its substitute in VPP, if it is held.
    #[pyo3(get)]
    substitute: Option<&'static str>,
    /// Paths that VPP has for the prefix.
    installed: Option<PathSet>,
}

#[pymethods]
impl RouteView {
    #[getter]
    fn installed(&self) -> Vec<String> {
        texts(self.installed.as_ref())
    }

    #[getter]
    fn installed_paths(&self) -> Vec<PathTuple> {
        tuples(self.installed.as_ref())
    }
}

fn texts(paths: Option<&PathSet>) -> Vec<String> {
    paths.map(convert::paths).unwrap_or_default()
}

impl From<bgpreflector_core::table::RouteView> for RouteView {
    fn from(view: bgpreflector_core::table::RouteView) -> Self {
        let (_, next_hop_id) = source(view.set.next_hops);
        Self {
            table: view.table,
            prefix: view.prefix.to_string(),
            tos: view.tos,
            metric: view.metric,
            protocol: view.protocol,
            source: view.source,
            route_type: convert::route_type(view.set.route_type),
            next_hops: view.next_hops.into_iter().map(NextHop::from).collect(),
            next_hop_id,
            state: view.state.name(),
            reason: reason(view.state),
            substitute: view.substitute.map(|substitute| substitute.name()),
            installed: view.installed,
        }
    }
}

fn reason(state: RouteState) -> Option<String> {
    match state {
        RouteState::Held(held) => Some(held.to_string()),
        RouteState::Rejected(retval) => Some(Retval(retval).to_string()),
        _ => None,
    }
}

impl From<bgpreflector_core::route::NextHop> for NextHop {
    fn from(hop: bgpreflector_core::route::NextHop) -> Self {
        Self {
            gateway: hop.gateway,
            interface: hop.interface,
            weight: hop.weight,
            onlink: hop.onlink,
            labels: hop.labels.to_vec(),
        }
    }
}

/// A kernel route as the kernel itself shows it.
#[pyclass(frozen, module = "bgpreflector._core")]
pub struct KernelRoute {
    #[pyo3(get)]
    table: u32,
    #[pyo3(get)]
    prefix: String,
    #[pyo3(get)]
    tos: u8,
    #[pyo3(get)]
    metric: u32,
    #[pyo3(get)]
    protocol: u8,
    #[pyo3(get)]
    route_type: String,
    #[pyo3(get)]
    next_hops: Vec<NextHop>,
    #[pyo3(get)]
    next_hop_id: Option<u32>,
    pub(crate) set: NextHopSet,
}

impl From<Route> for KernelRoute {
    fn from(route: Route) -> Self {
        let set = route.set;
        let (next_hops, next_hop_id) = source(set.next_hops.clone());
        Self {
            table: route.key.table,
            prefix: route.key.prefix.to_string(),
            tos: route.key.tos,
            metric: route.key.metric,
            protocol: route.protocol,
            route_type: convert::route_type(set.route_type),
            next_hops,
            next_hop_id,
            set,
        }
    }
}

fn source(next_hops: NextHopSource) -> (Vec<NextHop>, Option<u32>) {
    match next_hops {
        NextHopSource::Object(id) => (Vec::new(), Some(id)),
        NextHopSource::Inline(hops) => (hops.into_iter().map(NextHop::from).collect(), None),
    }
}

/// The kernel's lookup result for a prefix, and whether VPP forwards the same.
#[pyclass(frozen, get_all, module = "bgpreflector._core")]
pub struct LookupCheck {
    /// Kernel table.
    table: u32,
    prefix: String,
    /// The address that was looked up.
    address: IpAddr,
    /// The kernel's route for the address.
    kernel: Option<Py<KernelRoute>>,
    /// The kernel's error number, if it has no route.
    error: Option<i32>,
    /// Paths that the result resolves to.
    expected: Vec<String>,
    /// Why it resolves to none.
    reason: Option<String>,
    /// Paths installed for the prefix.
    installed: Vec<String>,
    verdict: &'static str,
}

impl LookupCheck {
    pub(crate) fn of(py: Python<'_>, checked: bgpreflector_engine::LookupCheck) -> PyResult<Self> {
        let (table, prefix) = checked.answer.requested;
        let mut reason = None;
        let (kernel, error) = match checked.answer.found {
            LookupResult::Route(route) => (Some(Py::new(py, KernelRoute::from(*route))?), None),
            LookupResult::Error(errno) => (None, Some(errno)),
            LookupResult::Unreadable(why) => {
                reason = Some(why.to_owned());
                (None, None)
            }
        };
        let expected = match checked.expected {
            Some(Ok(paths)) => convert::paths(&paths),
            Some(Err(held)) => {
                reason = Some(held.to_string());
                Vec::new()
            }
            None => Vec::new(),
        };
        Ok(Self {
            table,
            prefix: prefix.to_string(),
            address: checked.answer.address,
            kernel,
            error,
            expected,
            reason,
            installed: checked
                .installed
                .as_ref()
                .map(convert::paths)
                .unwrap_or_default(),
            verdict: checked.verdict.name(),
        })
    }
}

/// A next-hop set, shared by kernel routes.
#[pyclass(frozen, get_all, module = "bgpreflector._core")]
pub struct NextHopSetView {
    family: &'static str,
    route_type: String,
    next_hop_id: Option<u32>,
    /// The next hops, including those of the next-hop object.
    next_hops: Vec<NextHop>,
    /// Kernel routes that use it.
    routes: u32,
    /// Its desired paths.
    paths: Vec<PathTuple>,
    /// Why VPP can have none, or not all.
    reason: Option<String>,
}

impl From<SetView> for NextHopSetView {
    fn from(view: SetView) -> Self {
        let (_, next_hop_id) = source(view.set.next_hops);
        let (paths, held) = (tuples(view.resolved.paths.as_ref()), view.resolved.held);
        Self {
            family: view.set.family.name(),
            route_type: convert::route_type(view.set.route_type),
            next_hop_id,
            next_hops: view.next_hops.into_iter().map(NextHop::from).collect(),
            routes: view.routes,
            paths,
            reason: held.map(|held| held.to_string()),
        }
    }
}

/// One change of a batch.
#[pyclass(frozen, module = "bgpreflector._core")]
pub struct RouteChange {
    /// `add`, `replace` or `delete`; `none` where meanwhile nothing is to be done.
    #[pyo3(get)]
    operation: &'static str,
    /// Kernel table.
    #[pyo3(get)]
    table: u32,
    #[pyo3(get)]
    prefix: String,
    /// Paths that VPP has.
    installed: Option<PathSet>,
    /// Desired paths.
    desired: Option<PathSet>,
}

#[pymethods]
impl RouteChange {
    #[getter]
    fn installed(&self) -> Vec<String> {
        texts(self.installed.as_ref())
    }

    #[getter]
    fn desired(&self) -> Vec<String> {
        texts(self.desired.as_ref())
    }

    #[getter]
    fn installed_paths(&self) -> Vec<PathTuple> {
        tuples(self.installed.as_ref())
    }

    #[getter]
    fn desired_paths(&self) -> Vec<PathTuple> {
        tuples(self.desired.as_ref())
    }

    /// One line for a person to read.
    fn __str__(&self) -> String {
        let mut line = format!("{} {} table {}", self.operation, self.prefix, self.table);
        if let Some(desired) = &self.desired {
            line.push_str(&format!(" {}", convert::paths(desired).join(", ")));
        }
        if let Some(installed) = &self.installed {
            line.push_str(&format!(
                " (VPP has {})",
                convert::paths(installed).join(", ")
            ));
        }
        line
    }
}

impl From<BatchChange> for RouteChange {
    fn from((table, prefix, installed, desired): BatchChange) -> Self {
        let operation = match (&installed, &desired) {
            (None, Some(_)) => "add",
            (Some(old), Some(new)) if old != new => "replace",
            (Some(_), None) => "delete",
            _ => "none",
        };
        Self {
            operation,
            table,
            prefix: prefix.to_string(),
            installed,
            desired,
        }
    }
}

pub(crate) fn changes(batch: &Batch, start: usize, limit: usize) -> Vec<RouteChange> {
    let changes = batch.changes(start, limit).into_iter();
    changes.map(RouteChange::from).collect()
}

/// Number, seconds since the epoch, change.
pub(crate) type RecentTuple = (u64, f64, RouteChange);

pub(crate) fn recent(recent: RecentChange) -> RecentTuple {
    let seconds = recent.at.duration_since(UNIX_EPOCH).unwrap_or_default();
    (recent.number, seconds.as_secs_f64(), recent.change.into())
}
