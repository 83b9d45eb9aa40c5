//! Dumps of VPP's routes: one table and family after the other, each closed by a ping, for VPP
//! ends a dump without a message of its own.

use bgpreflector_core::route::Family;
use bgpreflector_core::vpp::{PlainRequest, RouteDetails, RouteDump};

use crate::error::VppError;

use super::ids::Ids;
use super::work::Tools;

/// A dump under way.
pub(super) struct TableDump {
    wanted: std::vec::IntoIter<(u8, u32, Family)>,
    asking: bool,
    done: bool,
}

impl TableDump {
    /// A dump of these VPP tables' routes of one source, 0 for all.
    pub(super) fn new(source: u8, tables: Vec<(u32, Family)>) -> Self {
        Self::of_sources(&[source], &tables)
    }

    /// Dumps of these VPP tables' routes, one of each source.
    pub(super) fn of_sources(sources: &[u8], tables: &[(u32, Family)]) -> Self {
        let of_table = |(table, family): &(u32, Family)| {
            let (table, family) = (*table, *family);
            sources.iter().map(move |source| (*source, table, family))
        };
        let wanted: Vec<_> = tables.iter().flat_map(of_table).collect();
        Self {
            wanted: wanted.into_iter(),
            asking: false,
            done: false,
        }
    }

    pub(super) fn done(&self) -> bool {
        self.done
    }

    /// Whether VPP owes the end of a dump.
    pub(super) fn asking(&self) -> bool {
        self.asking
    }

    /// Asks for the next table, unless an answer is still under way.
    pub(super) fn encode(&mut self, tools: &Tools, out: &mut Vec<u8>) {
        if self.asking || self.done {
            return;
        }
        let Some((source, table, family)) = self.wanted.next() else {
            self.done = true;
            return;
        };
        let (ids, client_index) = (&tools.ids, tools.client_index);
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

    /// The route in a message of VPP's, if it holds one.
    pub(super) fn take<'a>(
        &mut self,
        ids: &Ids,
        id: u16,
        message: &'a [u8],
    ) -> Result<Option<RouteDetails<'a>>, VppError> {
        if id == ids.control_ping_reply {
            self.asking = false;
        }
        if id != ids.route_details {
            return Ok(None);
        }
        let details = RouteDetails::decode(message);
        details
            .map(Some)
            .map_err(|error| VppError::Lost(error.to_string()))
    }
}
