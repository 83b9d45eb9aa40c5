//! The engine's methods that read the table.

use std::collections::HashMap;
use std::net::IpAddr;

use bgpreflector_core::route::{Family, Prefix};
use bgpreflector_core::table::{Cursor, RouteFilter};
use bgpreflector_engine::TableGuard;
use pyo3::prelude::*;

use crate::convert::{self};
use crate::engine::Engine;
use crate::views::{self, RecentTuple, RouteView};

/// The labels put in place of one, the gateway, and the interface.
type LabelHopTuple = (Vec<u32>, Option<IpAddr>, u32);

/// Label, protocol and next hops.
type LabelRouteTuple = (u32, u8, Vec<LabelHopTuple>);

#[pymethods]
impl Engine {
    fn mirrored_tables(&self, py: Python<'_>) -> Vec<(u32, u32, bool, bool, bool)> {
        let tables = self
            .inner
            .with(py, |inner| inner.shared().table().mirrored_tables());
        let tables = tables.into_iter();
        tables
            .map(|t| {
                let is_v6 = t.family == Family::V6;
                (t.kernel_table, t.vpp_table, is_v6, t.discovered, t.in_use)
            })
            .collect()
    }

    fn unassigned_tables(&self, py: Python<'_>) -> Vec<u32> {
        self.inner.with(py, |inner| {
            inner.shared().table().unassigned_tables().collect()
        })
    }

    fn recent_changes(&self, py: Python<'_>, since: u64) -> Vec<RecentTuple> {
        let recent = self.inner.with(py, |inner| inner.recent_changes(since));
        recent.into_iter().map(views::recent).collect()
    }

    fn held_count(&self, py: Python<'_>) -> usize {
        self.read(py, |table| {
            let held = Family::ALL.map(|family| table.counts(family).held);
            held.iter().sum()
        })
    }

    fn withheld_deletions(&self, py: Python<'_>) -> (usize, usize) {
        let found = self.read(py, |table| table.withheld_deletions());
        (found.total, found.held)
    }

    fn held_interfaces(&self, py: Python<'_>) -> HashMap<String, usize> {
        self.read(py, |table| table.held_interfaces())
    }

    fn uses_interface(&self, py: Python<'_>, sw_if_index: u32) -> bool {
        self.read(py, |table| table.uses_interface(sw_if_index))
    }

    fn path_set_examples(&self, py: Python<'_>) -> Vec<(u32, String, Vec<u32>)> {
        let found = self.read(py, |table| table.path_set_examples());
        let found = found.into_iter().map(|(t, p, i)| (t, p.to_string(), i));
        found.collect()
    }

    fn is_installed(&self, py: Python<'_>, vpp_table: u32, prefix: &str) -> PyResult<bool> {
        let prefix = convert::prefix(prefix)?;
        Ok(self.read(py, |table| table.is_installed(vpp_table, &prefix)))
    }

    fn links(&self, py: Python<'_>) -> Vec<(u32, String, bool)> {
        self.read(py, |table| {
            let links = table.links();
            links
                .map(|(index, link)| (index, link.name.clone(), link.up))
                .collect()
        })
    }

    fn vrfs(&self, py: Python<'_>) -> Vec<(u32, u32)> {
        self.read(py, |table| {
            let links = table.links();
            links
                .filter_map(|(index, link)| Some((index, link.vrf_table?)))
                .collect()
        })
    }

    fn label_routes(&self, py: Python<'_>) -> Vec<LabelRouteTuple> {
        self.read(py, |table| {
            let routes = table.label_routes();
            routes
                .map(|(label, route)| {
                    let hops = route.hops.iter();
                    let hops = hops.map(|h| (h.labels.to_vec(), h.gateway, h.interface));
                    (label, route.protocol, hops.collect())
                })
                .collect()
        })
    }

    fn mapped_interfaces(&self, py: Python<'_>) -> HashMap<String, u32> {
        self.read(py, |table| {
            let links = table.links();
            let found = links.filter_map(|(_, link)| {
                let sw_if_index = table.interfaces().of(link)?;
                Some((link.name.clone(), sw_if_index))
            });
            found.collect()
        })
    }

    fn routes(&self, py: Python<'_>, cursor: u64, limit: usize) -> (Vec<RouteView>, Option<u64>) {
        let cursor = Cursor::from_bits(cursor);
        let every = RouteFilter::default();
        let listed = |table: TableGuard<'_>| table.routes(cursor, limit, &every);
        let (views, rest) = self.read(py, listed);
        (
            views.into_iter().map(RouteView::from).collect(),
            rest.map(Cursor::to_bits),
        )
    }

    fn routes_of(&self, py: Python<'_>, table: u32, prefix: &str) -> PyResult<Vec<RouteView>> {
        let prefix = convert::prefix(prefix)?;
        let views = self.read(py, |routes| routes.routes_of(table, &prefix));
        Ok(views.into_iter().map(RouteView::from).collect())
    }

    fn sample_installed(&self, py: Python<'_>, count: usize, seed: usize) -> Vec<(u32, String)> {
        let sample = self.read(py, |table| table.sample_installed(count, seed));
        let text = |(table, prefix): (u32, Prefix)| (table, prefix.to_string());
        sample.into_iter().map(text).collect()
    }
}
