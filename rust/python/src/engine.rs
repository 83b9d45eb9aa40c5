//! The engine.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::path::PathBuf;

use bgpreflector_core::route::{Family, Prefix};
use bgpreflector_core::table::{
    Beyond, Cursor, ForeignRoutes, Interfaces, Limit, RouteFilter, Scope, Unmapped, VppDrift,
};
use bgpreflector_engine::kernel::{Found, KernelSettings};
use bgpreflector_engine::vpp::{AuditSettings, BulkSettings, FlushSettings};
use bgpreflector_engine::{Engine as Inner, Settings};
use pyo3::prelude::*;

use crate::batch::RouteBatch;
use crate::convert::{self, NextHopTuple, PrefixRuleTuple, value_error};
use crate::errors;
use crate::figures::{
    Adopted, CommitReport, DriftTuple, Flushed, ResyncReport, Status, VppAudit, drift,
};
use crate::listing::{self, KernelRoute, NextHopSetView, RecentTuple, RouteView};
use crate::requests::{PathTuple, RequestList, path_set};

/// VPP table, prefix, FIB source.
type OverriddenTuple = (u32, String, u8);

/// The route table with the kernel reader and the bulk connection to VPP.
#[pyclass(frozen, module = "bgpreflector._core")]
pub struct Engine {
    inner: Inner,
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (*, protocols, tables, families, foreign_routes, receive_buffer, namespace = None,
                        prefix_rules = Vec::new(), audit_interval = 0.0, grace = 0.0, max_routes = None,
                        refuse = false))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
    fn new(
        protocols: Vec<u8>,
        tables: BTreeMap<u32, u32>,
        families: Vec<String>,
        foreign_routes: &str,
        receive_buffer: usize,
        namespace: Option<PathBuf>,
        prefix_rules: Vec<PrefixRuleTuple>,
        audit_interval: f64,
        grace: f64,
        max_routes: Option<usize>,
        refuse: bool,
    ) -> PyResult<Self> {
        let families: PyResult<Vec<_>> = families.iter().map(|f| convert::family(f)).collect();
        let foreign = match foreign_routes {
            "hide" => ForeignRoutes::Hide,
            "ignore" => ForeignRoutes::Ignore,
            other => {
                return Err(value_error(format!(
                    "{other:?} is not \"hide\" or \"ignore\""
                )));
            }
        };
        let scope = Scope {
            protocols,
            tables,
            families: families?,
            prefixes: convert::prefix_lists(prefix_rules)?,
            foreign,
            limit: max_routes.map(|prefixes| Limit {
                prefixes,
                beyond: if refuse { Beyond::Refuse } else { Beyond::Warn },
            }),
        };
        let kernel = KernelSettings {
            receive_buffer,
            namespace,
            audit_interval: Some(convert::seconds(audit_interval)?)
                .filter(|interval| !interval.is_zero()),
            grace: convert::seconds(grace)?,
        };
        Ok(Self {
            inner: Inner::new(Settings { scope, kernel }),
        })
    }

    fn start(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.inner.start()).map_err(errors::kernel)
    }

    fn resync(&self, py: Python<'_>) -> PyResult<ResyncReport> {
        py.detach(|| self.inner.resync())
            .map(ResyncReport::from)
            .map_err(errors::kernel)
    }

    fn audit(&self, py: Python<'_>) -> PyResult<ResyncReport> {
        py.detach(|| self.inner.audit())
            .map(ResyncReport::from)
            .map_err(errors::kernel)
    }

    fn last_drift(&self) -> Vec<DriftTuple> {
        drift(&self.inner.shared().last_drift())
    }

    #[pyo3(signature = (timeout = None))]
    fn wait_dirty(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let timeout = timeout.map(convert::seconds).transpose()?;
        Ok(py.detach(|| self.inner.wait_dirty(timeout)))
    }

    fn take_batch(&self, py: Python<'_>, limit: usize) -> RouteBatch {
        RouteBatch::new(py.detach(|| self.inner.take_batch(limit)))
    }

    fn recent_changes(&self, since: u64) -> Vec<RecentTuple> {
        let recent = self.inner.recent_changes(since);
        recent.into_iter().map(listing::recent).collect()
    }

    #[pyo3(signature = (withdrawn, announced, *, protocol))]
    fn take_own(
        &self,
        py: Python<'_>,
        withdrawn: Vec<(u32, String)>,
        announced: Vec<(u32, String, Vec<NextHopTuple>)>,
        protocol: u8,
    ) -> PyResult<RouteBatch> {
        let (keys, routes) = convert::own(withdrawn, announced, protocol)?;
        let batch = py.detach(|| self.inner.take_own(keys, routes));
        Ok(RouteBatch::new(batch))
    }

    fn failure(&self) -> Option<String> {
        self.inner.shared().failure()
    }

    #[pyo3(signature = (*, socket, name, window, connect_timeout, request_timeout, keepalive_interval = 0.0, rate_limit = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn connect(
        &self,
        py: Python<'_>,
        socket: PathBuf,
        name: String,
        window: usize,
        connect_timeout: f64,
        request_timeout: f64,
        keepalive_interval: f64,
        rate_limit: Option<u32>,
    ) -> PyResult<()> {
        let (connect, request) = (
            convert::seconds(connect_timeout)?,
            convert::seconds(request_timeout)?,
        );
        let settings = BulkSettings {
            socket,
            name,
            window,
            connect_timeout: connect,
            request_timeout: request,
            keepalive_interval: convert::seconds(keepalive_interval)?,
            rate_limit,
        };
        py.detach(|| self.inner.connect(&settings))
            .map_err(errors::vpp)
    }

    fn disconnect(&self, py: Python<'_>) {
        py.detach(|| self.inner.disconnect());
    }

    fn vpp_lost(&self) -> Option<String> {
        self.inner.vpp_lost().map(|error| error.to_string())
    }

    fn wait_vpp_lost(&self, py: Python<'_>) -> String {
        py.detach(|| self.inner.wait_vpp_lost()).to_string()
    }

    fn commit(&self, py: Python<'_>, batch: &RouteBatch, source: u8) -> PyResult<CommitReport> {
        let batch = batch.take()?;
        let report = py.detach(|| self.inner.commit(batch, source));
        report.map(CommitReport::from).map_err(errors::vpp)
    }

    fn hold_requests(&self, on: bool) {
        self.inner.hold_requests(on);
    }

    fn open_requests(&self, py: Python<'_>, batch: &RouteBatch) -> PyResult<RequestList> {
        let batch = batch.take()?;
        Ok(RequestList::new(
            py.detach(|| self.inner.open_requests(batch)),
        ))
    }

    fn forget_installed(&self, py: Python<'_>) {
        py.detach(|| self.inner.forget_installed());
    }

    fn begin_adoption(&self, py: Python<'_>) {
        py.detach(|| self.inner.begin_adoption());
    }

    fn suspect_unseen(&self, vpp_table: u32, prefix: &str) -> PyResult<()> {
        convert::prefix(prefix).map(|prefix| self.inner.suspect_unseen(vpp_table, prefix))
    }

    fn adopt_route(&self, vpp_table: u32, prefix: &str, paths: Vec<PathTuple>) -> PyResult<bool> {
        let prefix = convert::prefix(prefix)?;
        Ok(self.inner.adopt_route(vpp_table, &prefix, path_set(paths)?))
    }

    fn compare_route(
        &self,
        vpp_table: u32,
        prefix: &str,
        paths: Vec<PathTuple>,
    ) -> PyResult<(Vec<String>, Option<&'static str>)> {
        let (prefix, paths) = (convert::prefix(prefix)?, path_set(paths)?);
        let difference = self.inner.compare_route(vpp_table, &prefix, &paths);
        Ok((convert::paths(&paths), difference.map(VppDrift::name)))
    }

    #[pyo3(signature = (source, *, better = Vec::new()))]
    fn adopt(&self, py: Python<'_>, source: u8, better: Vec<u8>) -> PyResult<Adopted> {
        py.detach(|| self.inner.adopt(source, better))
            .map(Adopted::from)
            .map_err(errors::vpp)
    }

    #[pyo3(signature = (source, *, better = Vec::new(), repair, limit = 100))]
    fn audit_vpp(
        &self,
        py: Python<'_>,
        source: u8,
        better: Vec<u8>,
        repair: bool,
        limit: usize,
    ) -> PyResult<VppAudit> {
        let settings = AuditSettings {
            source,
            better,
            repair,
            limit,
        };
        py.detach(|| self.inner.audit_vpp(settings))
            .map(VppAudit::from)
            .map_err(errors::vpp)
    }

    #[pyo3(signature = (sources, *, limit))]
    fn overridden(
        &self,
        py: Python<'_>,
        sources: Vec<u8>,
        limit: usize,
    ) -> PyResult<(usize, Vec<OverriddenTuple>)> {
        let found = py.detach(|| self.inner.overridden(sources, limit));
        let found = found.map_err(errors::vpp)?;
        let named =
            |(table, prefix, source): (u32, Prefix, u8)| (table, prefix.to_string(), source);
        Ok((found.count, found.some.into_iter().map(named).collect()))
    }

    #[pyo3(signature = (source, *, better, tables, dry_run))]
    fn flush(
        &self,
        py: Python<'_>,
        source: u8,
        better: Vec<u8>,
        tables: Vec<(u32, bool)>,
        dry_run: bool,
    ) -> PyResult<Flushed> {
        let family = |is_ip6| if is_ip6 { Family::V6 } else { Family::V4 };
        let table = |(table, is_ip6)| (table, family(is_ip6));
        let tables = tables.into_iter().map(table).collect();
        let settings = FlushSettings {
            source,
            better,
            tables,
            dry_run,
        };
        let flushed = py.detach(|| self.inner.flush(settings));
        flushed.map(Flushed::from).map_err(errors::vpp)
    }

    fn held(&self) -> usize {
        let table = self.inner.shared().table();
        Family::ALL
            .map(|family| table.counts(family).held)
            .iter()
            .sum()
    }

    fn leads_through(&self, sw_if_index: u32) -> bool {
        self.inner.shared().table().leads_through(sw_if_index)
    }

    fn examples(&self, py: Python<'_>) -> Vec<(u32, String, Vec<u32>)> {
        let found = py.detach(|| self.inner.shared().table().examples());
        let found = found.into_iter().map(|(t, p, i)| (t, p.to_string(), i));
        found.collect()
    }

    fn has_installed(&self, vpp_table: u32, prefix: &str) -> PyResult<bool> {
        let prefix = convert::prefix(prefix)?;
        let shared = self.inner.shared();
        Ok(shared.table().has_installed(vpp_table, &prefix))
    }

    #[pyo3(signature = (table, prefix, next_hops, *, protocol, metric = 0))]
    fn announce(
        &self,
        table: u32,
        prefix: &str,
        next_hops: Vec<NextHopTuple>,
        protocol: u8,
        metric: u32,
    ) -> PyResult<()> {
        self.inner
            .announce(convert::route(table, prefix, next_hops, protocol, metric)?);
        Ok(())
    }

    #[pyo3(signature = (table, prefix, next_hops, *, protocol, metric = 0))]
    fn withdraw(
        &self,
        table: u32,
        prefix: &str,
        next_hops: Vec<NextHopTuple>,
        protocol: u8,
        metric: u32,
    ) -> PyResult<()> {
        self.inner
            .withdraw(convert::route(table, prefix, next_hops, protocol, metric)?);
        Ok(())
    }

    fn retry_refused(&self) -> usize {
        self.inner.retry_refused()
    }

    fn forget_kernel(&self, py: Python<'_>) {
        py.detach(|| self.inner.forget_kernel());
    }

    fn set_interfaces(
        &self,
        py: Python<'_>,
        interfaces: HashMap<String, u32>,
        unmapped: Option<u32>,
        recursive: bool,
    ) {
        let unmapped = match (unmapped, recursive) {
            (Some(sw_if_index), _) => Unmapped::Interface(sw_if_index),
            (None, true) => Unmapped::Recursive,
            (None, false) => Unmapped::Wait,
        };
        let map = interfaces.into_iter().collect();
        py.detach(|| self.inner.set_interfaces(Interfaces { map, unmapped }));
    }

    fn links(&self) -> Vec<(u32, String, bool)> {
        let table = self.inner.shared().table();
        table
            .links()
            .map(|(index, link)| (index, link.name.clone(), link.up))
            .collect()
    }

    fn status(&self, py: Python<'_>) -> Status {
        py.detach(|| self.inner.status()).into()
    }

    #[pyo3(signature = (cursor, limit, *, states = Vec::new(), within = None))]
    fn routes(
        &self,
        py: Python<'_>,
        cursor: u64,
        limit: usize,
        states: Vec<String>,
        within: Option<&str>,
    ) -> PyResult<(Vec<RouteView>, Option<u64>)> {
        let cursor = Cursor::from_bits(cursor);
        let within = within.map(convert::prefix).transpose()?;
        let filter = RouteFilter { states, within };
        let listed = || {
            self.inner
                .shared()
                .table()
                .routes_where(cursor, limit, &filter)
        };
        let (views, rest) = py.detach(listed);
        Ok((
            views.into_iter().map(RouteView::from).collect(),
            rest.map(Cursor::to_bits),
        ))
    }

    fn next_hop_sets(
        &self,
        py: Python<'_>,
        cursor: u32,
        limit: usize,
    ) -> (Vec<NextHopSetView>, Option<u32>) {
        let listed = || self.inner.shared().table().next_hop_sets(cursor, limit);
        let (views, rest) = py.detach(listed);
        (views.into_iter().map(NextHopSetView::from).collect(), rest)
    }

    fn lookup(
        &self,
        py: Python<'_>,
        address: IpAddr,
    ) -> PyResult<(Option<KernelRoute>, Option<i32>)> {
        let found = py.detach(|| self.inner.lookup(address));
        Ok(match found.map_err(errors::kernel)? {
            Found::Route(route) => (Some(KernelRoute::from(*route)), None),
            Found::Error(errno) => (None, Some(errno)),
        })
    }

    fn sysctl(&self, py: Python<'_>, key: &str) -> PyResult<Option<String>> {
        py.detach(|| self.inner.sysctl(key)).map_err(errors::kernel)
    }

    fn routes_of(&self, table: u32, prefix: &str) -> PyResult<Vec<RouteView>> {
        let prefix = convert::prefix(prefix)?;
        let views = self.inner.shared().table().routes_of(table, &prefix);
        Ok(views.into_iter().map(RouteView::from).collect())
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| self.inner.close());
    }
}
