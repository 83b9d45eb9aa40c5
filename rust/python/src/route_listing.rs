//! Listings of routes, in the order of their prefixes, or counted.

use std::net::IpAddr;

use bgpreflector_core::table::{Cursor, RouteFilter, RouteGroup, RoutesInOrder, SetView};
use bgpreflector_engine::TableGuard;
use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::convert;
use crate::engine::Engine;
use crate::views::{NextHop, NextHopSetView, RouteView};

/// State, protocol, type, next hops, how many.
type RouteGroupTuple = (&'static str, u8, String, Vec<NextHop>, usize);

/// A listing of an engine's routes: those that it is to show.
#[pyclass(frozen, module = "bgpreflector._core")]
pub struct RouteListing {
    engine: Py<Engine>,
    filter: RouteFilter,
    pages: Mutex<RoutesInOrder>,
    /// Routes by the number of their set of next hops; none before they are counted.
    by_set: Mutex<Option<Vec<u32>>>,
}

impl RouteListing {
    /// Counts a part of the table at a time: others wait for it meanwhile.
    fn count_sets(&self, py: Python<'_>) {
        let mut counts = Vec::new();
        let mut cursor = Some(Cursor::default());
        while let Some(from) = cursor {
            let count = |table: TableGuard<'_>| table.count_by_set(from, &self.filter, &mut counts);
            cursor = self.engine.get().read(py, count);
        }
        *self.by_set.lock() = Some(counts);
    }
}

#[pymethods]
impl RouteListing {
    #[new]
    #[pyo3(signature = (engine, *, states = Vec::new(), within = None, gateway = None, interface = None))]
    fn new(
        engine: Py<Engine>,
        states: Vec<String>,
        within: Option<&str>,
        gateway: Option<IpAddr>,
        interface: Option<u32>,
    ) -> PyResult<Self> {
        let filter = RouteFilter {
            states,
            within: within.map(convert::prefix).transpose()?,
            gateway,
            interface,
        };
        let pages = Mutex::new(RoutesInOrder::new(filter.clone()));
        Ok(Self {
            engine,
            filter,
            pages,
            by_set: Mutex::new(None),
        })
    }

    fn next(&self, py: Python<'_>, limit: usize) -> Option<Vec<RouteView>> {
        let next = |table: TableGuard<'_>| self.pages.lock().next(&table, limit);
        let views = self.engine.get().read(py, next)?;
        Some(views.into_iter().map(RouteView::from).collect())
    }

    fn next_hop_sets(
        &self,
        py: Python<'_>,
        cursor: u32,
        limit: usize,
    ) -> (Vec<NextHopSetView>, Option<u32>) {
        if cursor == 0 {
            self.count_sets(py);
        }
        let list = |table: TableGuard<'_>| table.next_hop_sets(cursor, limit);
        let (views, rest) = self.engine.get().read(py, list);
        let counts = self.by_set.lock();
        let counted = |mut view: SetView| {
            view.routes = *counts.as_ref()?.get(view.id as usize)?;
            (view.routes > 0).then(|| view.into())
        };
        (views.into_iter().filter_map(counted).collect(), rest)
    }

    fn groups(&self, py: Python<'_>, cursor: u64) -> (Vec<RouteGroupTuple>, Option<u64>) {
        let cursor = Cursor::from_bits(cursor);
        let page = |table: TableGuard<'_>| table.group_routes(cursor, &self.filter);
        let (groups, rest) = self.engine.get().read(py, page);
        let counts = groups.into_iter().map(count).collect();
        (counts, rest.map(Cursor::to_bits))
    }
}

fn count(group: RouteGroup) -> RouteGroupTuple {
    let route_type = convert::route_type(group.route_type);
    let hops = group.next_hops.into_iter().map(NextHop::from).collect();
    (group.state, group.protocol, route_type, hops, group.count)
}
