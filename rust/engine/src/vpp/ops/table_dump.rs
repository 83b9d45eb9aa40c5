//! Dumps of VPP's routes: one table and family after another, each followed by a ping, since VPP
//! sends no end marker.

use bgpreflector_core::route::Family;
use bgpreflector_core::vpp::{EmptyRequest, RouteDetails, RouteDump};

use crate::error::VppError;

use crate::vpp::ids::Ids;
use crate::vpp::operation::Context;

/// A dump in progress.
pub(in crate::vpp) struct TableDump {
    remaining: std::vec::IntoIter<(u8, u32, Family)>,
    in_progress: bool,
    done: bool,
}

impl TableDump {
    /// A dump of these VPP tables' routes, from one source, or 0 for all.
    pub(in crate::vpp) fn new(source: u8, tables: &[(u32, Family)]) -> Self {
        Self::of_sources(&[source], tables)
    }

    /// Dumps of these VPP tables' routes, one for each source.
    pub(in crate::vpp) fn of_sources(sources: &[u8], tables: &[(u32, Family)]) -> Self {
        let of_table = |(table, family): &(u32, Family)| {
            let (table, family) = (*table, *family);
            sources.iter().map(move |source| (*source, table, family))
        };
        let remaining: Vec<_> = tables.iter().flat_map(of_table).collect();
        Self {
            remaining: remaining.into_iter(),
            in_progress: false,
            done: false,
        }
    }

    pub(in crate::vpp) fn done(&self) -> bool {
        self.done
    }

    /// Whether a dump's end is outstanding.
    pub(in crate::vpp) fn in_progress(&self) -> bool {
        self.in_progress
    }

    /// Requests the next table, unless the previous one is not complete.
    pub(in crate::vpp) fn encode(&mut self, context: &Context, out: &mut Vec<u8>) {
        if self.in_progress || self.done {
            return;
        }
        let Some((source, table, family)) = self.remaining.next() else {
            self.done = true;
            return;
        };
        let (ids, client_index) = (&context.ids, context.client_index);
        RouteDump {
            client_index,
            context: 0,
            source,
            table,
            family,
        }
        .encode(ids.route_dump, out);
        EmptyRequest {
            client_index,
            context: 0,
        }
        .encode(ids.control_ping, out);
        self.in_progress = true;
    }

    /// The route in a message from VPP, if it contains one.
    pub(in crate::vpp) fn read<'a>(
        &mut self,
        ids: &Ids,
        id: u16,
        message: &'a [u8],
    ) -> Result<Option<RouteDetails<'a>>, VppError> {
        if id == ids.control_ping_reply {
            self.in_progress = false;
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
