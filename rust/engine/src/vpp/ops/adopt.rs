//! Reads VPP's routes under our source.

use std::cmp::Ordering;

use bgpreflector_core::route::{Family, PathSet};
use bgpreflector_core::table::Table;
use bgpreflector_core::vpp::route_dump::dumped_paths;
use bgpreflector_core::vpp::{Faults, RouteDetails};

use crate::state::EngineState;

use super::dump_op::DumpReader;
use super::table_dump::TableDump;
use crate::vpp::types::AdoptReport;

/// Maximum number of prefixes of better sources to keep; beyond it none are kept.
const MAX_SHADOWED: usize = 65_536;

/// An adoption in progress: first VPP's routes under our source, then those of sources that may
/// hide ours.
pub(in crate::vpp) struct Adoption {
    source: u8,
    /// Sources that may hide our routes; none once they are requested.
    better: Option<Vec<u8>>,
    tables: Vec<(u32, Family)>,
    /// Routes of better sources.
    hiding: usize,
    adopted: AdoptReport,
}

impl Adoption {
    pub(in crate::vpp) fn new(source: u8, better: Vec<u8>) -> Self {
        Self {
            source,
            better: Some(better),
            tables: Vec::new(),
            hiding: 0,
            adopted: AdoptReport::default(),
        }
    }

    fn may_hide(&mut self, table: &mut Table, details: &RouteDetails<'_>) {
        self.hiding += 1;
        match self.hiding.cmp(&(MAX_SHADOWED + 1)) {
            Ordering::Less => table.assume_shadowed(details.route.table, details.route.prefix),
            Ordering::Equal => table.forget_shadowed(),
            Ordering::Greater => {}
        }
    }
}

impl DumpReader for Adoption {
    type Report = AdoptReport;

    fn begin(&mut self, shared: &EngineState) -> TableDump {
        shared.change(Table::begin_adoption);
        self.tables = shared.table().vpp_tables().collect();
        TableDump::new(self.source, &self.tables)
    }

    fn next_dump(&mut self, _shared: &EngineState) -> Option<TableDump> {
        let better = self.better.take()?;
        Some(TableDump::of_sources(&better, &self.tables))
    }

    fn on_route(&mut self, shared: &EngineState, details: &RouteDetails<'_>) {
        if self.better.is_none() {
            shared.change(|table| self.may_hide(table, details));
        } else if shared.change(|table| adopt(table, shared.faults(), details)) {
            self.adopted.routes += 1;
        } else {
            self.adopted.other_tables += 1;
        }
    }

    fn complete(self, _shared: &EngineState) -> AdoptReport {
        if self.hiding > MAX_SHADOWED {
            log::warn!(
                event = "routes hidden", hidden = self.hiding, most = MAX_SHADOWED;
                "VPP has {} routes of FIB sources that take precedence over ours: routes of an \
                 earlier run that they hide stay until `bgpreflector flush` removes them",
                self.hiding
            );
        }
        self.adopted
    }

    /// What VPP has is unknown.
    fn fail(self, shared: &EngineState) {
        shared.change(Table::forget_installed);
    }
}

/// The paths of a route that VPP shows. Paths of a type that we never send are returned as the
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
    let shows_desired = |desired: &PathSet| faults.shows_as(vpp_table, &prefix, desired, &shown);
    table.adopt(vpp_table, &prefix, &shown, shows_desired)
}
