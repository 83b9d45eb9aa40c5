//! The engine.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use bgpreflector_core::table::{Discovery, Limit, LimitAction, RouteSource, Scope};
use bgpreflector_engine::Engine as Inner;
use bgpreflector_engine::kernel::KernelSettings;
use bgpreflector_engine::{Settings, TableGuard};
use pyo3::prelude::*;

use crate::batch::RouteBatch;
use crate::convert::{self, PrefixRuleTuple};
use crate::detached::Detached;
use crate::fpm::{self, FpmTuple};
use crate::reports::Status;

/// The route table with the kernel reader and the bulk connection to VPP.
#[pyclass(frozen, module = "bgpreflector._core")]
pub struct Engine {
    pub(crate) inner: Detached<Inner>,
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
                        prefix_rules = Vec::new(), audit_interval = 0.0, stale_routes_time = 0.0, max_routes = None,
                        refuse_over_limit = false, discover = Vec::new(), table_map = BTreeMap::new(), free_tables = None,
                        fpm = None))]
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
        stale_routes_time: f64,
        max_routes: Option<usize>,
        refuse_over_limit: bool,
        discover: Vec<(u32, u32)>,
        table_map: BTreeMap<u32, u32>,
        free_tables: Option<(u32, u32)>,
        fpm: Option<FpmTuple>,
    ) -> PyResult<Self> {
        let families: PyResult<Vec<_>> = families.iter().map(|f| convert::family(f)).collect();
        let scope = Scope {
            source: RouteSource::Kernel,
            protocols: protocols.into_iter().collect(),
            tables,
            discovery: Discovery {
                tables: discover.into_iter().map(|(low, high)| low..=high).collect(),
                map: table_map,
                free: free_tables.map(|(low, high)| low..=high),
            },
            families: families?,
            prefixes: convert::prefix_lists(prefix_rules)?,
            foreign: convert::foreign_routes(foreign_routes)?,
            limit: max_routes.map(|prefixes| Limit {
                prefixes,
                action: if refuse_over_limit {
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
            stale_routes_time: convert::seconds(stale_routes_time)?,
        };
        let fpm = fpm.map(fpm::settings).transpose()?;
        Ok(Self {
            inner: Detached::new(Inner::new(Settings { scope, kernel, fpm })),
        })
    }

    #[pyo3(signature = (timeout = None))]
    fn wait_dirty(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let timeout = timeout.map(convert::seconds).transpose()?;
        Ok(self.inner.with(py, |inner| inner.wait_dirty(timeout)))
    }

    fn take_batch(&self, py: Python<'_>, limit: usize) -> RouteBatch {
        RouteBatch::new(self.inner.with(py, |inner| inner.take_batch(limit)))
    }

    fn failure(&self, py: Python<'_>) -> Option<String> {
        self.inner.with(py, |inner| inner.shared().failure())
    }

    fn liveness(&self, py: Python<'_>) -> HashMap<&'static str, (bool, u64)> {
        let liveness = self.inner.with(py, Inner::liveness);
        let names = ["kernel reader", "bulk connection", "listener for zebra"];
        let named = names.into_iter().zip(liveness);
        named
            .filter_map(|(name, liveness)| Some((name, liveness.map(|p| (p.has_work, p.beats))?)))
            .collect()
    }

    fn heartbeat(&self, py: Python<'_>) -> u64 {
        self.inner.with(py, |inner| inner.shared().heartbeat())
    }

    fn status(&self, py: Python<'_>) -> Status {
        self.inner.with(py, |inner| inner.status()).into()
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
