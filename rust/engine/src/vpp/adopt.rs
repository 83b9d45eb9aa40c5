//! Reading what VPP has under our source.

use bgpreflector_core::route::{Family, PathSet};
use bgpreflector_core::table::Table;
use bgpreflector_core::vpp::RouteDetails;
use bgpreflector_core::vpp::details::dumped_paths;
use bgpreflector_core::vpp::normal_form::installed_paths;
use crossbeam_channel::Sender;

use crate::error::VppError;
use crate::shared::Shared;

use super::bulk::Adopted;
use super::ids::Ids;
use super::table_dump::TableDump;

/// An adoption under way.
pub(super) struct AdoptJob {
    dump: TableDump,
    adopted: Adopted,
    reply: Sender<Result<Adopted, VppError>>,
}

impl AdoptJob {
    pub(super) fn new(
        shared: &Shared,
        source: u8,
        tables: Vec<(u32, Family)>,
        reply: Sender<Result<Adopted, VppError>>,
    ) -> Self {
        shared.change(Table::forget_installed);
        Self {
            dump: TableDump::new(source, tables),
            adopted: Adopted::default(),
            reply,
        }
    }

    pub(super) fn done(&self) -> bool {
        self.dump.done()
    }

    pub(super) fn encode(&mut self, ids: &Ids, client_index: u32, out: &mut Vec<u8>) {
        self.dump.encode(ids, client_index, out);
    }

    pub(super) fn take(
        &mut self,
        shared: &Shared,
        ids: &Ids,
        id: u16,
        message: &[u8],
    ) -> Result<(), VppError> {
        if let Some(details) = self.dump.take(ids, id, message)? {
            if adopt(&mut shared.table(), &details) {
                self.adopted.routes += 1;
            } else {
                self.adopted.elsewhere += 1;
            }
        }
        Ok(())
    }

    pub(super) fn report(self) {
        // Whoever asked may have gone meanwhile; the table knows the outcome.
        let _ = self.reply.send(Ok(self.adopted));
    }

    /// The connection has ended: what VPP has is unknown.
    pub(super) fn break_off(self, shared: &Shared, error: VppError) {
        shared.change(Table::forget_installed);
        let _ = self.reply.send(Err(error));
    }
}

/// The paths of a route that VPP shows. Those of a kind that we never send compare unequal to all
/// that we want, as an empty set does.
pub(super) fn shown_paths(details: &RouteDetails<'_>) -> PathSet {
    let paths = dumped_paths(&details.route.prefix, details.route.paths);
    paths.unwrap_or_else(|_| PathSet::new(Vec::new()))
}

/// Takes a route that VPP shows as installed; false where its VPP table is none of ours.
pub(super) fn adopt(table: &mut Table, details: &RouteDetails<'_>) -> bool {
    let prefix = details.route.prefix;
    let shown = shown_paths(details);
    let as_wanted = |wanted: &PathSet| *installed_paths(&prefix, wanted) == shown;
    table.adopt(details.route.table, &prefix, &shown, as_wanted)
}
