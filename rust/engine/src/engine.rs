//! The engine: the table, the kernel reader, and the bulk connection, under one handle.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bgpreflector_core::route::{Family, Route, RouteKey};
use bgpreflector_core::table::{DumpScope, InsertMode, Link, RouteSource, Scope};
use parking_lot::Mutex;

use crate::batch::Batch;
use crate::error::KernelError;
use crate::fpm::{FpmSettings, Listener, bind};
use crate::heartbeat::{Heartbeat, Liveness};
use crate::history::RecentChange;
use crate::kernel::{
    KernelSettings, LookupResult, Reader, Reason, ResyncReport, in_namespace, lookup, sysctl,
};
use crate::requests::Requests;
use crate::state::EngineState;
use crate::vpp::BulkConnection;

/// What the engine mirrors and how it reads the kernel.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What is mirrored.
    pub scope: Scope,
    /// How the kernel is read.
    pub kernel: KernelSettings,
    /// Where to listen for zebra, if it is the source of the routes.
    pub fpm: Option<FpmSettings>,
}

/// The table, the threads that fill it from the kernel or zebra, and the one at VPP's socket.
pub struct Engine {
    pub(crate) shared: Arc<EngineState>,
    pub(crate) settings: Settings,
    reader: Mutex<Option<Arc<Reader>>>,
    listener: Mutex<Option<Arc<Listener>>>,
    pub(crate) vpp: Mutex<Option<Arc<BulkConnection>>>,
    /// That of the last connection, whose thread may not end though it was hung up on.
    pub(crate) bulk: Mutex<Option<Arc<Heartbeat>>>,
}

impl Engine {
    /// An engine that does nothing yet.
    #[must_use]
    pub fn new(mut settings: Settings) -> Self {
        if settings.fpm.is_some() {
            settings.scope.source = RouteSource::Fpm;
            settings.kernel.links_only = true;
            settings.kernel.audit_interval = None;
        }
        let shared = Arc::new(EngineState::new(settings.scope.clone()));
        Self {
            shared,
            settings,
            reader: Mutex::new(None),
            listener: Mutex::new(None),
            vpp: Mutex::new(None),
            bulk: Mutex::new(None),
        }
    }

    /// Tries what [`Self::start`] needs and a mistake in the settings can spoil: the network
    /// namespace, and the address for zebra. That may still be in use if `released` is, which will
    /// be free by then.
    ///
    /// # Errors
    /// [`KernelError`]
    pub fn check_start(&self, released: Option<SocketAddr>) -> Result<(), KernelError> {
        let namespace = self.settings.kernel.namespace.as_deref();
        in_namespace(namespace, || {
            let Some(fpm) = &self.settings.fpm else {
                return Ok(());
            };
            match bind(fpm.listen) {
                Err(KernelError::Listen { address, source })
                    if source.kind() == ErrorKind::AddrInUse
                        && released.is_some_and(|released| overlap(released, address)) =>
                {
                    Ok(())
                }
                bound => bound.map(drop),
            }
        })
    }

    /// The address for zebra, if it is the source of the routes.
    #[must_use]
    pub fn fpm_address(&self) -> Option<SocketAddr> {
        self.settings.fpm.as_ref().map(|fpm| fpm.listen)
    }

    /// Subscribes to the kernel's notifications, and listens for zebra if it is the source of the
    /// routes. Further calls have no effect.
    ///
    /// # Errors
    /// [`KernelError`]
    pub fn start(&self) -> Result<(), KernelError> {
        let mut reader = self.reader.lock();
        if reader.is_none() {
            let started = Reader::start(Arc::clone(&self.shared), &self.settings.kernel)?;
            if let Some(fpm) = &self.settings.fpm {
                let namespace = self.settings.kernel.namespace.clone();
                let listener = Listener::start(Arc::clone(&self.shared), fpm, namespace)?;
                *self.listener.lock() = Some(Arc::new(listener));
            }
            *reader = Some(Arc::new(started));
        }
        Ok(())
    }

    /// Dumps the kernel and returns once the table matches it. If zebra is the source, only the
    /// links are dumped: zebra sends its routes after each connect.
    ///
    /// # Errors
    /// [`KernelError`]
    pub fn resync(&self) -> Result<ResyncReport, KernelError> {
        self.resync_because(Reason::Requested)
    }

    /// Compares the table with the kernel, and repairs and reports what differs though no
    /// notification explains it.
    ///
    /// # Errors
    /// [`KernelError`]
    pub fn audit(&self) -> Result<ResyncReport, KernelError> {
        self.resync_because(Reason::Audit)
    }

    fn resync_because(&self, reason: Reason) -> Result<ResyncReport, KernelError> {
        let reader = self.reader.lock().clone();
        let not_running = || KernelError::NotRunning {
            reason: self.shared.failure(),
        };
        let report = reader.ok_or_else(not_running)?.resync(reason)?;
        self.confirm_shown();
        Ok(report)
    }

    fn confirm_shown(&self) {
        if let Some(listener) = self.listener.lock().clone() {
            listener.confirm();
        }
    }

    /// The requests of a batch, for the caller to send and answer.
    #[must_use]
    pub fn open_requests(&self, batch: Batch) -> Requests {
        Requests::open(&self.shared, batch)
    }

    /// Waits until there are dirty prefixes; false at the timeout and once closed.
    #[must_use]
    pub fn wait_dirty(&self, timeout: Option<Duration>) -> bool {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let reader = self.reader.lock().clone();
        reader
            .and_then(|reader| reader.wait_inline(deadline))
            .unwrap_or_else(|| self.shared.wait_dirty(deadline))
    }

    /// Takes up to `limit` dirty prefixes.
    #[must_use]
    pub fn take_batch(&self, limit: usize) -> Batch {
        // Follows either way of reading VPP.
        self.confirm_shown();
        Batch::take(&self.shared, limit)
    }

    /// Of the last changes that were sent to VPP, those after the one of that number.
    #[must_use]
    pub fn recent_changes(&self, since: u64) -> Vec<RecentChange> {
        self.shared.history().since(since)
    }

    /// Enters a route as if the kernel had announced it; the next resync compares it.
    pub fn announce(&self, route: Route) {
        self.shared
            .change(|table| table.announce(route, InsertMode::Replace));
    }

    /// Enters a link as if the kernel had announced it; the next resync compares it.
    pub fn announce_link(&self, index: u32, link: Link) {
        self.shared.change(|table| table.link(index, link));
    }

    /// Takes a route away as if the kernel had withdrawn it; the next resync compares it.
    pub fn withdraw(&self, route: Route) {
        self.shared.change(|table| table.withdraw(route));
    }

    /// Withdraws injected routes, by key and protocol, and announces others, which the kernel does
    /// not have and no resync removes; takes everything that is dirty then.
    #[must_use]
    pub fn take_injected(&self, withdrawn: Vec<(RouteKey, u8)>, announced: Vec<Route>) -> Batch {
        Batch::take_after(&self.shared, |table| {
            for (key, protocol) in withdrawn {
                table.withdraw_injected(key, protocol);
            }
            for route in announced {
                table.inject(route);
            }
        })
    }

    /// Stops the kernel reader and makes every installed route stale, injected ones included, which
    /// deletes all of them from VPP.
    pub fn forget_kernel(&self) {
        self.end_reader();
        self.shared.change(|table| {
            table.forget_injected();
            table.begin_resync(DumpScope::Everything);
            table.end_resync(&Family::ALL);
            table.confirm(&Family::ALL);
        });
    }

    fn end_reader(&self) {
        let listener = self.listener.lock().take();
        if let Some(listener) = listener {
            listener.end();
        }
        let reader = self.reader.lock().take();
        if let Some(reader) = reader {
            reader.end();
        }
    }

    /// By which route the kernel forwards to an address, asked of the kernel itself.
    ///
    /// # Errors
    /// [`KernelError`]
    pub fn lookup(&self, address: IpAddr) -> Result<LookupResult, KernelError> {
        lookup(self.settings.kernel.namespace.as_deref(), address)
    }

    /// A setting of the kernel for the network namespace that is read: see [`sysctl`].
    ///
    /// # Errors
    /// [`KernelError`] if the namespace cannot be entered.
    pub fn sysctl(&self, key: &str) -> Result<Option<String>, KernelError> {
        sysctl(self.settings.kernel.namespace.as_deref(), key)
    }

    /// The source of the routes.
    #[must_use]
    pub fn source(&self) -> RouteSource {
        self.settings.scope.source
    }

    /// How the kernel reader, the bulk connection and the listener for zebra do, in this order; none
    /// where there is none. It waits for none of them.
    #[must_use]
    pub fn liveness(&self) -> [Option<Liveness>; 3] {
        let reader = self.reader.lock().clone();
        let bulk = match self.vpp() {
            Ok(connection) => Some(connection.liveness()),
            Err(_) => {
                let left = self.bulk.lock().clone();
                left.map(|heartbeat| heartbeat.liveness(|| false))
            }
        };
        let listener = self.listener.lock().clone();
        let listener = listener.map(|listener| listener.liveness());
        [reader.map(|reader| reader.liveness()), bulk, listener]
    }

    /// What the threads share.
    #[must_use]
    pub fn shared(&self) -> &Arc<EngineState> {
        &self.shared
    }

    /// Ends the threads and every wait, and empties the table; twice is fine.
    pub fn close(&self) {
        self.shared.close();
        self.end_reader();
        self.disconnect();
        self.shared.release_table();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}

/// Whether a socket at one of the addresses keeps another one from the other.
fn overlap(a: SocketAddr, b: SocketAddr) -> bool {
    let any = a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() == b.port() && (any || a.ip() == b.ip())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use super::*;

    fn listening_at(listen: SocketAddr) -> Engine {
        let fpm = FpmSettings {
            listen,
            quiet_time: Duration::from_secs(1),
            stale_routes_time: Duration::ZERO,
        };
        Engine::new(Settings {
            fpm: Some(fpm),
            ..Settings::default()
        })
    }

    #[test]
    fn an_address_in_use_may_be_that_of_the_engine_which_ends() {
        let other = TcpListener::bind("127.0.0.2:0").unwrap();
        let used = other.local_addr().unwrap();
        let engine = listening_at(used);
        let at = |ip: &str| Some(SocketAddr::new(ip.parse().unwrap(), used.port()));
        assert!(engine.check_start(None).is_err());
        assert!(engine.check_start(at("127.0.0.3")).is_err());
        assert!(engine.check_start(at("127.0.0.2")).is_ok());
        assert!(engine.check_start(at("0.0.0.0")).is_ok());
        drop(other);
        assert!(engine.check_start(None).is_ok());
        assert_eq!(engine.fpm_address(), Some(used));
    }
}
