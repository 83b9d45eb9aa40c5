//! Routes and changes for those who look at them one by one.

use std::net::IpAddr;

use bgpreflector_core::route::NextHopSource;
use bgpreflector_core::table::RouteState;
use bgpreflector_core::vpp::Retval;
use bgpreflector_engine::Batch;
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
    /// Paths that VPP has for the prefix.
    installed: Vec<String>,
}

impl From<bgpreflector_core::table::RouteView> for RouteView {
    fn from(view: bgpreflector_core::table::RouteView) -> Self {
        let (next_hops, next_hop_id) = match view.set.next_hops {
            NextHopSource::Object(id) => (Vec::new(), Some(id)),
            NextHopSource::Inline(hops) => (hops.into_iter().map(NextHop::from).collect(), None),
        };
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

pub(crate) fn changes(batch: &Batch, start: usize, limit: usize) -> Vec<RouteChange> {
    let change = |(table, prefix, installed, desired): bgpreflector_engine::BatchChange| {
        let operation = match (&installed, &desired) {
            (None, Some(_)) => "add",
            (Some(old), Some(new)) if old != new => "replace",
            (Some(_), None) => "delete",
            _ => "none",
        };
        RouteChange {
            operation,
            table,
            prefix: prefix.to_string(),
            installed: installed.as_ref().map(convert::paths).unwrap_or_default(),
            desired: desired.as_ref().map(convert::paths).unwrap_or_default(),
        }
    };
    batch
        .changes(start, limit)
        .into_iter()
        .map(change)
        .collect()
}
