//! The engine: the table, the kernel reader, and the bulk connection, under one handle.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bgpreflector_core::route::{Family, Path, PathSet, Prefix, Route, RouteKey};
use bgpreflector_core::table::{
    DumpScope, InsertMode, Interfaces, RouteSource, Scope, Shown, Table, VppDrift,
};
use bgpreflector_core::vpp::canonical::installed_path;
use bgpreflector_core::vpp::retval::{Disposition, what_to_do};
use parking_lot::Mutex;

use crate::batch::Batch;
use crate::error::{KernelError, VppError};
use crate::fpm::{FpmSettings, Listener};
use crate::heartbeat::{Heartbeat, Pulse};
use crate::history::RecentChange;
use crate::kernel::{Found, KernelSettings, Reader, Reason, ResyncReport, lookup, sysctl};
use crate::requests::Requests;
use crate::state::EngineState;
use crate::vpp::{
    Adopted, AuditSettings, BulkConnection, BulkSettings, CommitReport, FlushSettings, Flushed,
    Overridden, VppAudit,
};

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

/// The table with its two threads.
pub struct Engine {
    shared: Arc<EngineState>,
    pub(crate) settings: Settings,
    reader: Mutex<Option<Arc<Reader>>>,
    listener: Mutex<Option<Arc<Listener>>>,
    vpp: Mutex<Option<Arc<BulkConnection>>>,
    /// That of the last connection, whose thread may not end though it was hung up on.
    bulk: Mutex<Option<Arc<Heartbeat>>>,
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

    /// Connects to VPP; a connection that was there before is closed. What VPP has is unknown
    /// then, until it is adopted.
    ///
    /// # Errors
    /// [`VppError`]
    pub fn connect(&self, settings: &BulkSettings) -> Result<(), VppError> {
        self.disconnect();
        let connection = BulkConnection::connect(Arc::clone(&self.shared), settings)?;
        // It may be another VPP: what it has is unknown until it is adopted.
        self.forget_installed();
        *self.bulk.lock() = Some(connection.heartbeat());
        *self.vpp.lock() = Some(Arc::new(connection));
        Ok(())
    }

    /// Closes the connection to VPP. What VPP has counts as unknown until it is adopted.
    pub fn disconnect(&self) {
        // Releases the lock before the join: others look up the connection meanwhile.
        let connection = self.vpp.lock().take();
        if let Some(connection) = connection {
            connection.hang_up();
        }
    }

    fn vpp(&self) -> Result<Arc<BulkConnection>, VppError> {
        self.vpp.lock().clone().ok_or(VppError::Closed)
    }

    /// Why the connection to VPP ended, once it has; [`VppError::Closed`] where there is none.
    #[must_use]
    pub fn vpp_lost(&self) -> Option<VppError> {
        match self.vpp() {
            Ok(connection) => connection.lost(),
            Err(error) => Some(error),
        }
    }

    /// Waits for the end of the connection to VPP; returns the reason.
    #[must_use]
    pub fn wait_vpp_lost(&self) -> VppError {
        match self.vpp() {
            Ok(connection) => connection.wait_lost(),
            Err(error) => error,
        }
    }

    /// Sends a batch to VPP under a FIB source and waits for the answers.
    ///
    /// # Errors
    /// [`VppError`]; the prefixes without an answer are dirty again.
    pub fn commit(&self, batch: Batch, source: u8) -> Result<CommitReport, VppError> {
        self.vpp()?.commit(batch, source)
    }

    /// Has commits end early from now on, what they have not sent yet staying dirty; or no longer.
    pub fn hold_requests(&self, on: bool) {
        if let Ok(connection) = self.vpp() {
            connection.hold(on);
        }
    }

    /// The requests of a batch, for the caller to send and answer.
    #[must_use]
    pub fn open_requests(&self, batch: Batch) -> Requests {
        Requests::open(&self.shared, batch)
    }

    /// Records that VPP has none of our routes, or that what it has is unknown.
    pub fn forget_installed(&self) {
        self.shared.change(Table::forget_installed);
    }

    /// Prepares for the calls of [`Self::adopt_route`].
    pub fn begin_adoption(&self) {
        self.shared.change(Table::begin_adoption);
    }

    /// Records that VPP may have a route of ours for a prefix, hidden by another source's.
    pub fn suspect_unseen(&self, vpp_table: u32, prefix: Prefix) {
        self.shared
            .change(|table| table.suspect_unseen(vpp_table, prefix));
    }

    /// Records a route that VPP shows under our source as installed; false if its table is not
    /// ours.
    #[must_use]
    pub fn adopt_route(&self, vpp_table: u32, prefix: &Prefix, dumped: PathSet) -> bool {
        let installed = |path: &Path| installed_path(prefix, path.clone());
        let dumped = PathSet::new(dumped.paths().iter().map(installed).collect());
        let faults = self.shared.faults();
        let as_wanted = |wanted: &PathSet| faults.shows_as(vpp_table, prefix, wanted, &dumped);
        self.shared.step();
        self.shared
            .change(|table| table.adopt(vpp_table, prefix, &dumped, as_wanted))
    }

    /// How a route that VPP shows under our source differs from what it has acknowledged; none if
    /// it does not, or if its table is not ours. Without `dumped` it has paths of a kind that we
    /// never send.
    #[must_use]
    pub fn compare_route(
        &self,
        vpp_table: u32,
        prefix: &Prefix,
        dumped: Option<&PathSet>,
    ) -> Option<VppDrift> {
        // Paths of a kind that we never send compare unequal to all that we want, as no paths do.
        let dumped = dumped.map_or(&[][..], PathSet::paths);
        let installed = |path: &Path| installed_path(prefix, path.clone());
        let dumped = PathSet::new(dumped.iter().map(installed).collect());
        let faults = self.shared.faults();
        let equals = |known: &PathSet| faults.shows_as(vpp_table, prefix, known, &dumped);
        let table = self.shared.table();
        table.compare_shown(vpp_table, prefix, &mut Shown::default(), equals)
    }

    /// Records VPP's routes under a FIB source as installed. Where one of the `better` sources has
    /// a route, VPP does not show ours: what the kernel does not have there is deleted unseen.
    ///
    /// # Errors
    /// [`VppError`]
    pub fn adopt(&self, source: u8, better: Vec<u8>) -> Result<Adopted, VppError> {
        self.vpp()?.adopt(source, better)
    }

    /// Compares what VPP has under a FIB source with what it has acknowledged.
    ///
    /// # Errors
    /// [`VppError`]
    pub fn audit_vpp(&self, settings: AuditSettings) -> Result<VppAudit, VppError> {
        let repair = settings.repair;
        let audit = self.vpp()?.audit(settings)?;
        let unexpected = audit.counts.get(VppDrift::Unexpected.index());
        if repair && unexpected.is_some_and(|count| *count > 0) {
            // Only a dump of the kernel shows for certain that they are stale.
            if let Err(error) = self.audit() {
                log::warn!(
                    "stale routes stay in VPP for now, since the kernel cannot be dumped: {error}"
                );
            }
        }
        Ok(audit)
    }

    /// Which of our routes VPP has and does not forward by, because one of these FIB sources has a
    /// route for the prefix too; `limit` of them are named.
    ///
    /// # Errors
    /// [`VppError`]
    pub fn overridden(&self, sources: Vec<u8>, limit: usize) -> Result<Overridden, VppError> {
        self.vpp()?.overridden(sources, limit)
    }

    /// Deletes everything under a FIB source from VPP tables, whether or not they are mirrored.
    /// What counts as installed does not change: it is for those who mirror nothing.
    ///
    /// # Errors
    /// [`VppError`]
    pub fn flush(&self, settings: FlushSettings) -> Result<Flushed, VppError> {
        self.vpp()?.flush(settings)
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

    /// Takes a route away as if the kernel had withdrawn it; the next resync compares it.
    pub fn withdraw(&self, route: Route) {
        self.shared.change(|table| table.withdraw(route));
    }

    /// Withdraws injected routes, by key and protocol, and announces others, which the kernel does
    /// not have and no resync removes; takes everything that is dirty then.
    #[must_use]
    pub fn take_own(&self, withdrawn: Vec<(RouteKey, u8)>, announced: Vec<Route>) -> Batch {
        Batch::take_after(&self.shared, |table| {
            for (key, protocol) in withdrawn {
                table.withdraw_own(key, protocol);
            }
            for route in announced {
                table.announce_own(route);
            }
        })
    }

    /// Makes the refused prefixes dirty again that VPP may take later; returns how many.
    #[must_use]
    pub fn retry_refused(&self) -> usize {
        let worth = |retval| what_to_do(retval) != Some(Disposition::GiveUp);
        self.shared.change(|table| table.retry_refused(worth))
    }

    /// Stops the kernel reader and makes every installed route stale, injected ones included, which
    /// deletes all of them from VPP.
    pub fn forget_kernel(&self) {
        self.end_reader();
        self.shared.change(|table| {
            table.forget_own();
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

    /// Hands out no deletions from now on, but for those of routes through these VPP interfaces.
    pub fn withhold_deletions(&self, gone: Vec<u32>) {
        self.shared.change(|table| table.withhold_deletions(gone));
    }

    /// Hands deletions out again.
    pub fn release_deletions(&self) {
        self.shared.change(Table::release_deletions);
    }

    /// Says which kernel interface is which in VPP.
    pub fn set_interfaces(&self, interfaces: Interfaces) {
        self.shared.change(|table| table.set_interfaces(interfaces));
    }

    /// By which route the kernel forwards to an address, asked of the kernel itself.
    ///
    /// # Errors
    /// [`KernelError`]
    pub fn lookup(&self, address: IpAddr) -> Result<Found, KernelError> {
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
    pub fn pulses(&self) -> [Option<Pulse>; 3] {
        let reader = self.reader.lock().clone();
        let bulk = match self.vpp() {
            Ok(connection) => Some(connection.pulse()),
            Err(_) => {
                let left = self.bulk.lock().clone();
                left.map(|heartbeat| heartbeat.pulse(|| false))
            }
        };
        let listener = self.listener.lock().clone();
        let listener = listener.map(|listener| listener.pulse());
        [reader.map(|reader| reader.pulse()), bulk, listener]
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
