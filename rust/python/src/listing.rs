//! Routes and changes for those who look at them one by one.

use std::net::IpAddr;
use std::time::UNIX_EPOCH;

use bgpreflector_core::route::{NextHopSource, Route};
use bgpreflector_core::table::{RouteState, SetView};
use bgpreflector_core::vpp::Retval;
use bgpreflector_engine::{Batch, BatchChange, RecentChange};
use pyo3::prelude::*;

use crate::convert;

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

/// One kernel route and what VPP has of it.
#[pyclass(frozen, get_all, module = "bgpreflector._core")]
pub struct RouteView {
    table: u32,
    prefix: String,
    tos: u8,
    metric: u32,
    protocol: u8,
    route_type: String,
    next_hops: Vec<NextHop>,
    /// Id of the next-hop object, where the route uses one.
    next_hop_id: Option<u32>,
    state: &'static str,
    /// Why, where the state alone does not say it.
    reason: Option<String>,
    /// What VPP shall have in its place, where it is held.
    substitute: Option<&'static str>,
    /// Paths that VPP has for the prefix.
    installed: Vec<String>,
}

impl From<bgpreflector_core::table::RouteView> for RouteView {
    fn from(view: bgpreflector_core::table::RouteView) -> Self {
        let (next_hops, next_hop_id) = source(view.set.next_hops);
        Self {
            table: view.table,
            prefix: view.prefix.to_string(),
            tos: view.tos,
            metric: view.metric,
            protocol: view.protocol,
            route_type: convert::route_type(view.set.route_type),
            next_hops,
            next_hop_id,
            state: view.state.name(),
            reason: reason(view.state),
            substitute: view.substitute.map(|substitute| substitute.name()),
            installed: view
                .installed
                .as_ref()
                .map(convert::paths)
                .unwrap_or_default(),
        }
    }
}

fn reason(state: RouteState) -> Option<String> {
    match state {
        RouteState::Held(held) => Some(held.to_string()),
        RouteState::Failed(retval) => Some(Retval(retval).to_string()),
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
#[pyclass(frozen, get_all, module = "bgpreflector._core")]
pub struct KernelRoute {
    table: u32,
    prefix: String,
    tos: u8,
    metric: u32,
    protocol: u8,
    route_type: String,
    next_hops: Vec<NextHop>,
    next_hop_id: Option<u32>,
}

impl From<Route> for KernelRoute {
    fn from(route: Route) -> Self {
        let (next_hops, next_hop_id) = source(route.set.next_hops);
        Self {
            table: route.key.table,
            prefix: route.key.prefix.to_string(),
            tos: route.key.tos,
            metric: route.key.metric,
            protocol: route.protocol,
            route_type: convert::route_type(route.set.route_type),
            next_hops,
            next_hop_id,
        }
    }
}

fn source(next_hops: NextHopSource) -> (Vec<NextHop>, Option<u32>) {
    match next_hops {
        NextHopSource::Object(id) => (Vec::new(), Some(id)),
        NextHopSource::Inline(hops) => (hops.into_iter().map(NextHop::from).collect(), None),
    }
}

/// A set of next hops that kernel routes share.
#[pyclass(frozen, get_all, module = "bgpreflector._core")]
pub struct NextHopSetView {
    family: &'static str,
    route_type: String,
    next_hop_id: Option<u32>,
    /// Those of the next-hop object included.
    next_hops: Vec<NextHop>,
    /// Kernel routes that use it.
    routes: u32,
    /// Paths that VPP shall have for it.
    paths: Vec<String>,
    /// Why VPP can have none, or not all.
    reason: Option<String>,
}

impl From<SetView> for NextHopSetView {
    fn from(view: SetView) -> Self {
        let (_, next_hop_id) = source(view.set.next_hops);
        let paths = view.meaning.paths.as_ref();
        let (paths, held) = (paths.map(convert::paths), view.meaning.held);
        Self {
            family: convert::family_name(view.set.family),
            route_type: convert::route_type(view.set.route_type),
            next_hop_id,
            next_hops: view.next_hops.into_iter().map(NextHop::from).collect(),
            routes: view.routes,
            paths: paths.unwrap_or_default(),
            reason: held.map(|held| held.to_string()),
        }
    }
}

/// One change of a batch.
#[pyclass(frozen, get_all, module = "bgpreflector._core")]
pub struct RouteChange {
    /// `add`, `replace` or `delete`; `none` where meanwhile nothing is to be done.
    operation: &'static str,
    /// Kernel table.
    table: u32,
    prefix: String,
    /// Paths that VPP has.
    installed: Vec<String>,
    /// Paths that VPP shall have.
    desired: Vec<String>,
}

#[pymethods]
impl RouteChange {
    /// One line for a person to read.
    fn __str__(&self) -> String {
        let mut line = format!("{} {} table {}", self.operation, self.prefix, self.table);
        if !self.desired.is_empty() {
            line.push_str(&format!(" {}", self.desired.join(", ")));
        }
        if !self.installed.is_empty() {
            line.push_str(&format!(" (VPP has {})", self.installed.join(", ")));
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
            installed: installed.as_ref().map(convert::paths).unwrap_or_default(),
            desired: desired.as_ref().map(convert::paths).unwrap_or_default(),
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
