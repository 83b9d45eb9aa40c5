//! Reading what VPP has under our source.

use bgpreflector_core::route::{Family, PathSet};
use bgpreflector_core::table::Table;
use bgpreflector_core::vpp::details::dumped_paths;
use bgpreflector_core::vpp::normal_form::installed_paths;
use bgpreflector_core::vpp::{PlainRequest, RouteDetails, RouteDump};
use crossbeam_channel::Sender;

use crate::error::VppError;
use crate::shared::Shared;

use super::bulk::Adopted;
use super::ids::Ids;

/// A dump under way: one table and family after the other, each closed by a ping, for VPP ends a
/// dump without a message of its own.
pub(super) struct AdoptJob {
    source: u8,
    tables: std::vec::IntoIter<(u32, Family)>,
    asking: bool,
    done: bool,
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
        let adopted = Adopted::default();
        Self {
            source,
            tables: tables.into_iter(),
            asking: false,
            done: false,
            adopted,
            reply,
        }
    }

    pub(super) fn done(&self) -> bool {
        self.done
    }

    /// Asks for the next table, unless an answer is still under way.
    pub(super) fn encode(&mut self, ids: &Ids, client_index: u32, out: &mut Vec<u8>) {
        if self.asking || self.done {
            return;
        }
        let Some((table, family)) = self.tables.next() else {
            self.done = true;
            return;
        };
        let source = self.source;
        RouteDump {
            client_index,
            context: 0,
            source,
            table,
            family,
        }
        .encode(ids.route_dump, out);
        PlainRequest {
            client_index,
            context: 0,
        }
        .encode(ids.control_ping, out);
        self.asking = true;
    }

    pub(super) fn take(
        &mut self,
        shared: &Shared,
        ids: &Ids,
        id: u16,
        message: &[u8],
    ) -> Result<(), VppError> {
        if id == ids.control_ping_reply {
            self.asking = false;
        } else if id == ids.route_details {
            let details = RouteDetails::decode(message);
            let details = details.map_err(|error| VppError::Lost(error.to_string()))?;
            self.adopt(shared, &details);
        }
        Ok(())
    }

    fn adopt(&mut self, shared: &Shared, details: &RouteDetails<'_>) {
        let prefix = details.route.prefix;
        // Paths of a kind that we never send compare unequal to all we want, as an empty set does.
        let dumped = dumped_paths(&prefix, details.route.paths);
        let dumped = dumped.unwrap_or_else(|_| PathSet::new(Vec::new()));
        let as_wanted = |wanted: &PathSet| *installed_paths(&prefix, wanted) == dumped;
        if shared
            .table()
            .adopt(details.route.table, &prefix, &dumped, as_wanted)
        {
            self.adopted.routes += 1;
        } else {
            self.adopted.elsewhere += 1;
        }
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
