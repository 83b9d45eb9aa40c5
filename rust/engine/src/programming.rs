//! The engine's side of VPP: connect, adopt, commit, audit.

use std::sync::Arc;

use bgpreflector_core::route::{Path, PathSet, Prefix};
use bgpreflector_core::table::{Interfaces, Shown, Table, VppDrift};
use bgpreflector_core::vpp::Retval;
use bgpreflector_core::vpp::canonical::installed_path;

use crate::batch::Batch;
use crate::engine::Engine;
use crate::error::VppError;
use crate::vpp::{
    AdoptReport, AuditSettings, BulkConnection, BulkSettings, CommitReport, FlushReport,
    FlushSettings, Overridden, VppAuditReport,
};

impl Engine {
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

    pub(crate) fn vpp(&self) -> Result<Arc<BulkConnection>, VppError> {
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
    pub fn set_paused(&self, on: bool) {
        if let Ok(connection) = self.vpp() {
            connection.set_paused(on);
        }
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
    pub fn assume_shadowed(&self, vpp_table: u32, prefix: Prefix) {
        self.shared
            .change(|table| table.assume_shadowed(vpp_table, prefix));
    }

    /// Records a route that VPP shows under our source as installed; false if its table is not
    /// ours.
    #[must_use]
    pub fn adopt_route(&self, vpp_table: u32, prefix: &Prefix, dumped: PathSet) -> bool {
        let installed = |path: &Path| installed_path(prefix, path.clone());
        let dumped = PathSet::new(dumped.paths().iter().map(installed).collect());
        let faults = self.shared.faults();
        let shows_desired =
            |desired: &PathSet| faults.shows_as(vpp_table, prefix, desired, &dumped);
        self.shared.beat();
        self.shared
            .change(|table| table.adopt(vpp_table, prefix, &dumped, shows_desired))
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
    pub fn adopt(&self, source: u8, better: Vec<u8>) -> Result<AdoptReport, VppError> {
        self.vpp()?.adopt(source, better)
    }

    /// Compares what VPP has under a FIB source with what it has acknowledged.
    ///
    /// # Errors
    /// [`VppError`]
    pub fn audit_vpp(&self, settings: AuditSettings) -> Result<VppAuditReport, VppError> {
        let repair = settings.repair;
        let audit = self.vpp()?.audit(settings)?;
        let unexpected = audit.counts.get(VppDrift::Unexpected.index());
        if repair && unexpected.is_some_and(|count| *count > 0) {
            // Only a dump of the kernel shows for certain that they are stale.
            if let Err(error) = self.audit() {
                log::warn!(
                    event = "stale routes stay", error:%;
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
    pub fn flush(&self, settings: FlushSettings) -> Result<FlushReport, VppError> {
        self.vpp()?.flush(settings)
    }

    /// Makes the refused prefixes dirty again that VPP may take later; returns how many.
    #[must_use]
    pub fn retry_rejected(&self) -> usize {
        let worth = |retval| !Retval(retval).is_permanent();
        self.shared.change(|table| table.retry_rejected(worth))
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
}
