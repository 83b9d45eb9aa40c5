//! The engine.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::path::PathBuf;

use bgpreflector_core::netlink::HardwareAddress;
use bgpreflector_core::route::{Family, PathSet, Prefix};
use bgpreflector_core::table::{
    Cursor, Discovery, ForeignRoutes, Interfaces, Limit, LimitAction, RouteFilter, RouteSource,
    Scope, Unmapped, VppDrift,
};
use bgpreflector_engine::kernel::{Found, KernelSettings};
use bgpreflector_engine::vpp::{AuditSettings, BulkSettings, FlushSettings};
use bgpreflector_engine::{Engine as Inner, Settings, TableGuard};
use pyo3::prelude::*;

use crate::batch::RouteBatch;
use crate::convert::{self, NextHopTuple, PrefixRuleTuple, value_error};
use crate::detached::Detached;
use crate::errors;
use crate::figures::{
    Adopted, CommitReport, DriftTuple, Flushed, ResyncReport, Status, VppAudit, drift,
};
use crate::fpm::{self, FpmStatus, FpmTuple};
use crate::listing::{self, Judgement, KernelRoute, RecentTuple, RouteView};
use crate::requests::{PathTuple, RequestList, path_set, texts};

/// VPP table, prefix, FIB source.
type OverriddenTuple = (u32, String, u8);

/// The route table with the kernel reader and the bulk connection to VPP.
#[pyclass(frozen, module = "bgpreflector._core")]
pub struct Engine {
    inner: Detached<Inner>,
}

impl Engine {
    /// The result of `read` on the table.
    pub(crate) fn read<T: Send>(
        &self,
        py: Python<'_>,
        read: impl FnOnce(TableGuard<'_>) -> T + Send,
    ) -> T {
        self.inner.with(py, |inner| read(inner.shared().table()))
    }
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (*, protocols, tables, families, foreign_routes, receive_buffer, namespace = None,
                        prefix_rules = Vec::new(), audit_interval = 0.0, grace = 0.0, max_routes = None,
                        refuse = false, discover = Vec::new(), table_map = BTreeMap::new(), fpm = None))]
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
        discover: Vec<(u32, u32)>,
        table_map: BTreeMap<u32, u32>,
        fpm: Option<FpmTuple>,
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
            source: RouteSource::Kernel,
            protocols: protocols.into_iter().collect(),
            tables,
            discovery: Discovery {
                tables: discover.into_iter().map(|(low, high)| low..=high).collect(),
                map: table_map,
            },
            families: families?,
            prefixes: convert::prefix_lists(prefix_rules)?,
            foreign,
            limit: max_routes.map(|prefixes| Limit {
                prefixes,
                beyond: if refuse {
                    LimitAction::Refuse
                } else {
                    LimitAction::Warn
                },
            }),
        };
        let kernel = KernelSettings {
            receive_buffer,
            namespace,
            audit_interval: Some(convert::seconds(audit_interval)?)
                .filter(|interval| !interval.is_zero()),
            links_only: false,
            grace: convert::seconds(grace)?,
        };
        let fpm = fpm.map(fpm::settings).transpose()?;
        Ok(Self {
            inner: Detached::new(Inner::new(Settings { scope, kernel, fpm })),
        })
    }

    fn start(&self, py: Python<'_>) -> PyResult<()> {
        self.inner
            .with(py, |inner| inner.start())
            .map_err(errors::kernel)
    }

    fn resync(&self, py: Python<'_>) -> PyResult<ResyncReport> {
        self.inner
            .with(py, |inner| inner.resync())
            .map(ResyncReport::from)
            .map_err(errors::kernel)
    }

    fn audit(&self, py: Python<'_>) -> PyResult<ResyncReport> {
        self.inner
            .with(py, |inner| inner.audit())
            .map(ResyncReport::from)
            .map_err(errors::kernel)
    }

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

    fn tables_left_out(&self, py: Python<'_>) -> Vec<u32> {
        self.inner.with(py, |inner| {
            inner.shared().table().tables_left_out().collect()
        })
    }

    fn discover_vpp_table(&self, py: Python<'_>, vpp_table: u32, is_ip6: bool) -> bool {
        let family = if is_ip6 { Family::V6 } else { Family::V4 };
        self.inner.with(py, |inner| {
            inner
                .shared()
                .change(|table| table.discover_vpp_table(family, vpp_table))
        })
    }

    fn last_drift(&self, py: Python<'_>) -> Vec<DriftTuple> {
        drift(&self.inner.with(py, |inner| inner.shared().last_drift()))
    }

    #[pyo3(signature = (timeout = None))]
    fn wait_dirty(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let timeout = timeout.map(convert::seconds).transpose()?;
        Ok(self.inner.with(py, |inner| inner.wait_dirty(timeout)))
    }

    fn take_batch(&self, py: Python<'_>, limit: usize) -> RouteBatch {
        RouteBatch::new(self.inner.with(py, |inner| inner.take_batch(limit)))
    }

    fn recent_changes(&self, py: Python<'_>, since: u64) -> Vec<RecentTuple> {
        let recent = self.inner.with(py, |inner| inner.recent_changes(since));
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
        let batch = self.inner.with(py, |inner| inner.take_own(keys, routes));
        Ok(RouteBatch::new(batch))
    }

    fn failure(&self, py: Python<'_>) -> Option<String> {
        self.inner.with(py, |inner| inner.shared().failure())
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
        self.inner
            .with(py, |inner| inner.connect(&settings))
            .map_err(errors::vpp)
    }

    fn connected_to(&self, py: Python<'_>, version: &str) -> usize {
        self.inner
            .with(py, |inner| inner.shared().connected_to(version))
    }

    fn ended_vpp(&self, py: Python<'_>) -> Vec<(u32, String)> {
        let places = self
            .inner
            .with(py, |inner| inner.shared().table().ended_vpp());
        places
            .into_iter()
            .map(|(t, p)| (t, p.to_string()))
            .collect()
    }

    #[pyo3(signature = (prefix = None))]
    fn release(&self, py: Python<'_>, prefix: Option<&str>) -> PyResult<usize> {
        let prefix = prefix.map(convert::prefix).transpose()?;
        Ok(self.inner.with(py, |inner| {
            inner
                .shared()
                .change(|table| table.release(prefix.as_ref()))
        }))
    }

    fn pulses(&self, py: Python<'_>) -> HashMap<&'static str, (bool, u64)> {
        let pulses = self.inner.with(py, Inner::pulses);
        let names = ["kernel reader", "bulk connection", "listener for zebra"];
        let named = names.into_iter().zip(pulses);
        named
            .filter_map(|(name, pulse)| Some((name, pulse.map(|p| (p.has_to_do, p.beats))?)))
            .collect()
    }

    fn steps(&self, py: Python<'_>) -> u64 {
        self.inner.with(py, |inner| inner.shared().steps())
    }

    fn disconnect(&self, py: Python<'_>) {
        self.inner.with(py, |inner| inner.disconnect());
    }

    fn vpp_lost(&self, py: Python<'_>) -> Option<String> {
        let lost = self.inner.with(py, Inner::vpp_lost);
        lost.map(|error| error.to_string())
    }

    fn wait_vpp_lost(&self, py: Python<'_>) -> String {
        self.inner
            .with(py, |inner| inner.wait_vpp_lost())
            .to_string()
    }

    fn commit(&self, py: Python<'_>, batch: &RouteBatch, source: u8) -> PyResult<CommitReport> {
        let batch = batch.take(py)?;
        let report = self.inner.with(py, |inner| inner.commit(batch, source));
        report.map(CommitReport::from).map_err(errors::vpp)
    }

    fn hold_requests(&self, py: Python<'_>, on: bool) {
        self.inner.with(py, |inner| inner.hold_requests(on));
    }

    fn open_requests(&self, py: Python<'_>, batch: &RouteBatch) -> PyResult<RequestList> {
        let batch = batch.take(py)?;
        Ok(RequestList::new(
            self.inner.with(py, |inner| inner.open_requests(batch)),
        ))
    }

    fn forget_installed(&self, py: Python<'_>) {
        self.inner.with(py, |inner| inner.forget_installed());
    }

    fn begin_adoption(&self, py: Python<'_>) {
        self.inner.with(py, |inner| inner.begin_adoption());
    }

    fn suspect_unseen(&self, py: Python<'_>, vpp_table: u32, prefix: &str) -> PyResult<()> {
        let prefix = convert::prefix(prefix)?;
        self.inner
            .with(py, |inner| inner.suspect_unseen(vpp_table, prefix));
        Ok(())
    }

    fn adopt_route(
        &self,
        py: Python<'_>,
        vpp_table: u32,
        prefix: &str,
        paths: Vec<PathTuple>,
    ) -> PyResult<bool> {
        let prefix = convert::prefix(prefix)?;
        // Of a kind that we never send: recorded as no paths, which are never desired.
        let paths = path_set(&paths).unwrap_or_else(|| PathSet::new(Vec::new()));
        let adopt = |inner: &Inner| inner.adopt_route(vpp_table, &prefix, paths);
        Ok(self.inner.with(py, adopt))
    }

    fn compare_route(
        &self,
        py: Python<'_>,
        vpp_table: u32,
        prefix: &str,
        paths: Vec<PathTuple>,
    ) -> PyResult<(Vec<String>, Option<&'static str>)> {
        let (prefix, known) = (convert::prefix(prefix)?, path_set(&paths));
        let compare = |inner: &Inner| inner.compare_route(vpp_table, &prefix, known.as_ref());
        let difference = self.inner.with(py, compare);
        Ok((texts(&paths), difference.map(VppDrift::name)))
    }

    #[pyo3(signature = (source, *, better = Vec::new()))]
    fn adopt(&self, py: Python<'_>, source: u8, better: Vec<u8>) -> PyResult<Adopted> {
        self.inner
            .with(py, |inner| inner.adopt(source, better))
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
        self.inner
            .with(py, |inner| inner.audit_vpp(settings))
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
        let found = self
            .inner
            .with(py, |inner| inner.overridden(sources, limit));
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
        let flushed = self.inner.with(py, |inner| inner.flush(settings));
        flushed.map(Flushed::from).map_err(errors::vpp)
    }

    fn held(&self, py: Python<'_>) -> usize {
        self.read(py, |table| {
            let held = Family::ALL.map(|family| table.counts(family).held);
            held.iter().sum()
        })
    }

    fn withhold_deletions(&self, py: Python<'_>, gone: Vec<u32>) {
        self.inner.with(py, |inner| inner.withhold_deletions(gone));
    }

    fn release_deletions(&self, py: Python<'_>) {
        self.inner.with(py, |inner| inner.release_deletions());
    }

    fn withheld_deletions(&self, py: Python<'_>) -> (usize, usize) {
        let found = self.read(py, |table| table.withheld_deletions());
        (found.total, found.held)
    }

    fn held_interfaces(&self, py: Python<'_>) -> HashMap<String, usize> {
        self.read(py, |table| table.held_interfaces())
    }

    fn leads_through(&self, py: Python<'_>, sw_if_index: u32) -> bool {
        self.read(py, |table| table.leads_through(sw_if_index))
    }

    fn examples(&self, py: Python<'_>) -> Vec<(u32, String, Vec<u32>)> {
        let found = self.read(py, |table| table.examples());
        let found = found.into_iter().map(|(t, p, i)| (t, p.to_string(), i));
        found.collect()
    }

    fn has_installed(&self, py: Python<'_>, vpp_table: u32, prefix: &str) -> PyResult<bool> {
        let prefix = convert::prefix(prefix)?;
        Ok(self.read(py, |table| table.has_installed(vpp_table, &prefix)))
    }

    #[pyo3(signature = (table, prefix, next_hops, *, protocol, metric = 0, kind = "unicast"))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn announce(
        &self,
        py: Python<'_>,
        table: u32,
        prefix: &str,
        next_hops: Vec<NextHopTuple>,
        protocol: u8,
        metric: u32,
        kind: &str,
    ) -> PyResult<()> {
        let mut route = convert::route(table, prefix, next_hops, protocol, metric)?;
        route.set.route_type = convert::route_type_named(kind)?;
        self.inner.with(py, |inner| inner.announce(route));
        Ok(())
    }

    #[pyo3(signature = (table, prefix, next_hops, *, protocol, metric = 0))]
    fn withdraw(
        &self,
        py: Python<'_>,
        table: u32,
        prefix: &str,
        next_hops: Vec<NextHopTuple>,
        protocol: u8,
        metric: u32,
    ) -> PyResult<()> {
        let route = convert::route(table, prefix, next_hops, protocol, metric)?;
        self.inner.with(py, |inner| inner.withdraw(route));
        Ok(())
    }

    fn retry_refused(&self, py: Python<'_>) -> usize {
        self.inner.with(py, Inner::retry_refused)
    }

    fn forget_kernel(&self, py: Python<'_>) {
        self.inner.with(py, |inner| inner.forget_kernel());
    }

    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    #[pyo3(signature = (interfaces, unmapped, recursive, *, fallback = "hold", skip_legs = false, alike = None))]
    fn set_interfaces(
        &self,
        py: Python<'_>,
        interfaces: HashMap<String, u32>,
        unmapped: Option<u32>,
        recursive: bool,
        fallback: &str,
        skip_legs: bool,
        alike: Option<HashMap<String, (u32, HardwareAddress)>>,
    ) -> PyResult<()> {
        let fallback = convert::fallback(fallback)?;
        let unmapped = match (unmapped, recursive) {
            (Some(sw_if_index), _) => Unmapped::Interface(sw_if_index),
            (None, true) => Unmapped::Recursive,
            (None, false) => Unmapped::Wait,
        };
        let map = interfaces.into_iter().collect();
        let alike = alike.unwrap_or_default().into_iter().collect();
        self.inner.with(py, |inner| {
            inner.set_interfaces(Interfaces {
                map,
                alike,
                unmapped,
                fallback,
                skip_legs,
            })
        });
        Ok(())
    }

    fn links(&self, py: Python<'_>) -> Vec<(u32, String, bool)> {
        self.read(py, |table| {
            let links = table.links();
            links
                .map(|(index, link)| (index, link.name.clone(), link.up))
                .collect()
        })
    }

    fn stands_for(&self, py: Python<'_>) -> HashMap<String, u32> {
        self.read(py, |table| {
            let links = table.links();
            let found = links.filter_map(|(_, link)| {
                let sw_if_index = table.interfaces().of(link)?;
                Some((link.name.clone(), sw_if_index))
            });
            found.collect()
        })
    }

    fn status(&self, py: Python<'_>) -> Status {
        self.inner.with(py, |inner| inner.status()).into()
    }

    fn fpm(&self, py: Python<'_>) -> Option<FpmStatus> {
        self.inner.with(py, |inner| {
            (inner.source() == RouteSource::Fpm).then(|| FpmStatus::of(inner))
        })
    }

    fn routes(&self, py: Python<'_>, cursor: u64, limit: usize) -> (Vec<RouteView>, Option<u64>) {
        let cursor = Cursor::from_bits(cursor);
        let every = RouteFilter::default();
        let listed = |table: TableGuard<'_>| table.routes_where(cursor, limit, &every);
        let (views, rest) = self.read(py, listed);
        (
            views.into_iter().map(RouteView::from).collect(),
            rest.map(Cursor::to_bits),
        )
    }

    fn lookup(
        &self,
        py: Python<'_>,
        address: IpAddr,
    ) -> PyResult<(Option<KernelRoute>, Option<i32>)> {
        let found = self.inner.with(py, |inner| inner.lookup(address));
        Ok(match found.map_err(errors::kernel)? {
            Found::Route(route) => (Some(KernelRoute::from(*route)), None),
            Found::Error(errno) => (None, Some(errno)),
            // The lookup itself returns it as an error.
            Found::Unreadable(_) => (None, None),
        })
    }

    fn judge(&self, py: Python<'_>, prefixes: Vec<(u32, String)>) -> PyResult<Vec<Judgement>> {
        let asked = |(table, text): (u32, String)| Ok((table, convert::prefix(&text)?));
        let asked: PyResult<Vec<_>> = prefixes.into_iter().map(asked).collect();
        let asked = asked?;
        let judged = self.inner.with(py, |inner| inner.judge(&asked));
        let judged = judged.map_err(errors::kernel)?.into_iter();
        judged.map(|one| Judgement::of(py, one)).collect()
    }

    fn sample_installed(&self, py: Python<'_>, count: usize, turn: usize) -> Vec<(u32, String)> {
        let sample = self.read(py, |table| table.sample_installed(count, turn));
        let place = |(table, prefix): (u32, Prefix)| (table, prefix.to_string());
        sample.into_iter().map(place).collect()
    }

    fn compare_with_kernel(
        &self,
        py: Python<'_>,
        route: &KernelRoute,
        vpp_table: u32,
        prefix: &str,
        paths: Vec<PathTuple>,
    ) -> PyResult<(bool, Vec<String>, Option<String>)> {
        let (prefix, shown) = (convert::prefix(prefix)?, path_set(&paths));
        let set = &route.set;
        let compared = self.inner.with(py, |inner| {
            inner.compare_with_kernel(set, vpp_table, &prefix, shown.as_ref())
        });
        Ok(match compared {
            Ok((wanted, alike)) => (alike, convert::paths(&wanted), None),
            Err(held) => (false, Vec::new(), Some(held.to_string())),
        })
    }

    fn sysctl(&self, py: Python<'_>, key: &str) -> PyResult<Option<String>> {
        self.inner
            .with(py, |inner| inner.sysctl(key))
            .map_err(errors::kernel)
    }

    fn routes_of(&self, py: Python<'_>, table: u32, prefix: &str) -> PyResult<Vec<RouteView>> {
        let prefix = convert::prefix(prefix)?;
        let views = self.read(py, |routes| routes.routes_of(table, &prefix));
        Ok(views.into_iter().map(RouteView::from).collect())
    }

    fn close(&self, py: Python<'_>) {
        self.inner.with(py, |inner| inner.close());
    }
}

impl Drop for Engine {
    /// Waits for the threads to end.
    fn drop(&mut self) {
        Python::attach(|py| self.inner.with(py, Inner::close));
    }
}
