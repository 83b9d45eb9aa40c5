//! Reads VPP's routes under our source.

use std::cmp::Ordering;

use bgpreflector_core::route::{Family, PathSet};
use bgpreflector_core::table::Table;
use bgpreflector_core::vpp::route_dump::dumped_paths;
use bgpreflector_core::vpp::{Faults, RouteDetails};
use crossbeam_channel::Sender;

use crate::error::VppError;

use super::table_dump::TableDump;
use crate::vpp::operation::{Context, Operation};
use crate::vpp::types::Adopted;

/// Maximum number of prefixes of better sources to keep; beyond it none are kept.
const MAX_SHADOWED: usize = 65_536;

/// An adoption in progress: first VPP's routes under our source, then those of sources that may
/// hide ours.
pub(in crate::vpp) struct AdoptOp {
    source: u8,
    /// Sources that may hide our routes; none once they are requested.
    better: Option<Vec<u8>>,
    tables: Vec<(u32, Family)>,
    dump: TableDump,
    /// Routes of better sources.
    hiding: usize,
    adopted: Adopted,
    reply: Sender<Result<Adopted, VppError>>,
}

impl AdoptOp {
    pub(in crate::vpp) fn new(
        source: u8,
        better: Vec<u8>,
        reply: Sender<Result<Adopted, VppError>>,
    ) -> Self {
        Self {
            source,
            better: Some(better),
            tables: Vec::new(),
            dump: TableDump::new(source, Vec::new()),
            hiding: 0,
            adopted: Adopted::default(),
            reply,
        }
    }

    fn may_hide(&mut self, table: &mut Table, details: &RouteDetails<'_>) {
        self.hiding += 1;
        match self.hiding.cmp(&(MAX_SHADOWED + 1)) {
            Ordering::Less => table.suspect_shadowed(details.route.table, details.route.prefix),
            Ordering::Equal => table.forget_shadowed(),
            Ordering::Greater => {}
        }
    }
}

impl Operation for AdoptOp {
    fn begin(&mut self, context: &mut Context) {
        context.shared.change(Table::begin_adoption);
        self.tables = context.shared.table().vpp_tables().collect();
        self.dump = TableDump::new(self.source, self.tables.clone());
    }

    fn pending(&self) -> usize {
        1
    }

    fn can_send(&self, _window: usize) -> bool {
        !self.dump.asking() && !self.done()
    }

    fn encode(
        &mut self,
        context: &mut Context,
        out: &mut Vec<u8>,
        _limit: usize,
    ) -> Result<usize, VppError> {
        self.dump.encode(context, out);
        if self.dump.done() {
            if let Some(better) = self.better.take() {
                self.dump = TableDump::of_sources(&better, &self.tables);
                self.dump.encode(context, out);
            }
        }
        Ok(0)
    }

    fn on_message(&mut self, context: &Context, id: u16, message: &[u8]) -> Result<(), VppError> {
        if let Some(details) = self.dump.take(&context.ids, id, message)? {
            if self.better.is_none() {
                context
                    .shared
                    .change(|table| self.may_hide(table, &details));
            } else if context
                .shared
                .change(|table| adopt(table, context.shared.faults(), &details))
            {
                self.adopted.routes += 1;
            } else {
                self.adopted.elsewhere += 1;
            }
        }
        Ok(())
    }

    fn done(&self) -> bool {
        self.better.is_none() && self.dump.done()
    }

    fn complete(self: Box<Self>, _context: &Context) {
        if self.hiding > MAX_SHADOWED {
            log::warn!(
                event = "routes hidden", hidden = self.hiding, most = MAX_SHADOWED;
                "VPP has {} routes of FIB sources that take precedence over ours: routes of an \
                 earlier run that they hide stay until `bgpreflector flush` removes them",
                self.hiding
            );
        }
        // The caller may have given up; the table has the result.
        let _ = self.reply.send(Ok(self.adopted));
    }

    /// What VPP has is unknown.
    fn fail(self: Box<Self>, context: &Context, error: VppError) {
        context.shared.change(Table::forget_installed);
        let _ = self.reply.send(Err(error));
    }
}

/// The paths of a route that VPP shows. Paths of a kind that we never send are returned as the
/// empty set, which differs from all desired paths.
pub(in crate::vpp) fn shown_paths(details: &RouteDetails<'_>) -> PathSet {
    let paths = dumped_paths(&details.route.prefix, details.route.paths);
    paths.unwrap_or_else(|_| PathSet::new(Vec::new()))
}

/// Records a route that VPP shows as installed; false if its VPP table is not ours.
pub(in crate::vpp) fn adopt(table: &mut Table, faults: Faults, details: &RouteDetails<'_>) -> bool {
    let prefix = details.route.prefix;
    let shown = shown_paths(details);
    let vpp_table = details.route.table;
    let as_wanted = |wanted: &PathSet| faults.shows_as(vpp_table, &prefix, wanted, &shown);
    table.adopt(vpp_table, &prefix, &shown, as_wanted)
}
