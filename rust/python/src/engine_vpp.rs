//! The engine's methods about VPP.

use std::path::PathBuf;

use bgpreflector_core::route::{PathSet, Prefix};
use bgpreflector_core::table::VppDrift;
use bgpreflector_core::vpp::address::family_of;
use bgpreflector_engine::Engine as Inner;
use bgpreflector_engine::vpp::{AuditSettings, BulkSettings, FlushSettings};
use pyo3::prelude::*;

use crate::batch::RouteBatch;
use crate::convert;
use crate::engine::Engine;
use crate::errors;
use crate::reports::{AdoptReport, CommitReport, FlushReport, VppAuditReport};
use crate::requests::{PathTuple, RequestList, path_set, texts};

/// VPP table, prefix, FIB source.
type OverriddenTuple = (u32, String, u8);

#[pymethods]
impl Engine {
    #[pyo3(signature = (*, socket, name, max_in_flight, connect_timeout, request_timeout, keepalive_interval = 0.0, rate_limit = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn connect(
        &self,
        py: Python<'_>,
        socket: PathBuf,
        name: String,
        max_in_flight: usize,
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
            max_in_flight,
            connect_timeout: connect,
            request_timeout: request,
            keepalive_interval: convert::seconds(keepalive_interval)?,
            rate_limit,
        };
        self.inner
            .with(py, |inner| inner.connect(&settings))
            .map_err(errors::vpp)
    }

    fn set_vpp_version(&self, py: Python<'_>, version: &str) -> usize {
        self.inner
            .with(py, |inner| inner.shared().set_vpp_version(version))
    }

    fn crashed_vpp(&self, py: Python<'_>) -> Vec<(u32, String)> {
        let prefixes = self
            .inner
            .with(py, |inner| inner.shared().table().crashed_vpp());
        prefixes
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

    fn set_paused(&self, py: Python<'_>, on: bool) {
        self.inner.with(py, |inner| inner.set_paused(on));
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

    fn assume_shadowed(&self, py: Python<'_>, vpp_table: u32, prefix: &str) -> PyResult<()> {
        let prefix = convert::prefix(prefix)?;
        self.inner
            .with(py, |inner| inner.assume_shadowed(vpp_table, prefix));
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
        // Of a type that we never send: recorded as no paths, which are never desired.
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
    fn adopt(&self, py: Python<'_>, source: u8, better: Vec<u8>) -> PyResult<AdoptReport> {
        self.inner
            .with(py, |inner| inner.adopt(source, better))
            .map(AdoptReport::from)
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
    ) -> PyResult<VppAuditReport> {
        let settings = AuditSettings {
            source,
            better,
            repair,
            limit,
        };
        self.inner
            .with(py, |inner| inner.audit_vpp(settings))
            .map(VppAuditReport::from)
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
    ) -> PyResult<FlushReport> {
        let table = |(table, is_ip6)| (table, family_of(is_ip6));
        let tables = tables.into_iter().map(table).collect();
        let settings = FlushSettings {
            source,
            better,
            tables,
            dry_run,
        };
        let flushed = self.inner.with(py, |inner| inner.flush(settings));
        flushed.map(FlushReport::from).map_err(errors::vpp)
    }

    fn withhold_deletions(&self, py: Python<'_>, gone: Vec<u32>) {
        self.inner.with(py, |inner| inner.withhold_deletions(gone));
    }

    fn release_deletions(&self, py: Python<'_>) {
        self.inner.with(py, |inner| inner.release_deletions());
    }

    fn retry_rejected(&self, py: Python<'_>) -> usize {
        self.inner.with(py, Inner::retry_rejected)
    }
}
