//! The embedded VPP simulator.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use bgpreflector_core::route::{Path, PathSet, PathType, Prefix};
use bgpreflector_simulator::{Fault, Release, Settings, Simulator as Inner};
use parking_lot::Mutex;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

use crate::convert::value_error;

/// A route of a snapshot: VPP table, prefix, and its paths: next hop (or the type of a special
/// path), `sw_if_index`, weight.
type SnapshotRoute = (u32, String, Vec<(String, u32, u8)>);

/// A server for VPP's socket API.
#[pyclass(frozen, module = "bgpreflector._core")]
pub struct Simulator {
    inner: Mutex<Option<Inner>>,
}

#[pymethods]
impl Simulator {
    #[new]
    #[pyo3(signature = (*, socket, control_socket = None, interfaces = None, pairs = None, keepalive = None, plugins = None, release = None))]
    fn new(
        socket: PathBuf,
        control_socket: Option<PathBuf>,
        interfaces: Option<Vec<String>>,
        pairs: Option<Vec<(String, String)>>,
        keepalive: Option<f64>,
        plugins: Option<Vec<String>>,
        release: Option<&str>,
    ) -> PyResult<Self> {
        let mut settings = Settings::new(socket);
        settings.control_socket = control_socket;
        settings.interfaces = interfaces.unwrap_or(settings.interfaces);
        settings.pairs = pairs.unwrap_or_default();
        settings.plugins = plugins.unwrap_or_else(|| vec!["linux_cp_plugin.so".into()]);
        let keepalive = keepalive.map(Duration::try_from_secs_f64).transpose();
        settings.keepalive = keepalive.map_err(value_error)?;
        settings.release = release.map(named).transpose()?;
        let inner = Inner::start(settings).map_err(|e| PyOSError::new_err(e.to_string()))?;
        Ok(Self {
            inner: Mutex::new(Some(inner)),
        })
    }

    fn statistics(&self) -> HashMap<&'static str, u64> {
        let statistics = self
            .inner
            .lock()
            .as_ref()
            .map(Inner::statistics)
            .unwrap_or_default();
        HashMap::from([
            ("route_requests", statistics.route_requests),
            ("adds", statistics.adds),
            ("replaces", statistics.replaces),
            ("deletes", statistics.deletes),
            ("deletes_of_absent", statistics.deletes_of_absent),
            ("refused", statistics.refused),
            ("routes", statistics.routes),
            ("crashes", statistics.crashes),
            ("clients", statistics.clients),
            ("answered_at", statistics.answered_at),
        ])
    }

    fn snapshot(&self, py: Python<'_>, source: &str) -> Vec<SnapshotRoute> {
        py.detach(|| {
            let inner = self.inner.lock();
            let routes = inner
                .as_ref()
                .map(|inner| inner.snapshot(source))
                .unwrap_or_default();
            let shown = |set: &PathSet| set.paths().iter().map(path).collect();
            routes
                .iter()
                .map(|(table, prefix, s)| (*table, prefix.to_string(), shown(s)))
                .collect()
        })
    }

    fn record_deletions(&self) {
        if let Some(inner) = &*self.inner.lock() {
            inner.record_deletions();
        }
    }

    fn deletions(&self, py: Python<'_>) -> Vec<(u32, String)> {
        py.detach(|| {
            let inner = self.inner.lock();
            let deletions = inner.as_ref().map(Inner::deletions).unwrap_or_default();
            let shown = |(table, prefix): &(u32, Prefix)| (*table, prefix.to_string());
            deletions.iter().map(shown).collect()
        })
    }

    fn fault(&self, request: &str) -> PyResult<()> {
        let fault: Fault = serde_json::from_str(request).map_err(value_error)?;
        match &*self.inner.lock() {
            Some(inner) => inner.fault(fault).map_err(value_error),
            None => Err(value_error("the simulator is stopped")),
        }
    }

    fn api_description(&self) -> PyResult<String> {
        match &*self.inner.lock() {
            Some(inner) => Ok(inner.api_description()),
            None => Err(value_error("the simulator is stopped")),
        }
    }

    fn stop(&self, py: Python<'_>) {
        let inner = self.inner.lock().take();
        py.detach(|| drop(inner));
    }
}

fn named(release: &str) -> PyResult<Release> {
    let known = || Release::NAMES.join(", ");
    Release::named(release)
        .ok_or_else(|| value_error(format!("unknown release {release:?}; known: {}", known())))
}

fn path(path: &Path) -> (String, u32, u8) {
    let next_hop = match (path.path_type, path.next_hop) {
        (PathType::Normal, hop) => hop.as_ref().map(IpAddr::to_string).unwrap_or_default(),
        (special, _) => special.name().to_owned(),
    };
    (next_hop, path.sw_if_index, path.weight)
}
