//! Our routes that VPP has but does not forward by, because another source has a better one.

use bgpreflector_core::route::Prefix;
use bgpreflector_core::vpp::RouteDetails;

use crate::state::EngineState;

use super::dump_op::DumpReader;
use super::table_dump::TableDump;

/// Our prefixes that other FIB sources' routes override.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overridden {
    /// How many there are.
    pub count: usize,
    /// Some of them: VPP table, prefix, and the id of the source by which VPP forwards.
    pub some: Vec<(u32, Prefix, u8)>,
}

/// Dumps of other sources' routes. A dump by source shows a prefix only if that source's route is
/// the best.
pub(in crate::vpp) struct OverriddenSearch {
    sources: Vec<u8>,
    limit: usize,
    report: Overridden,
}

impl OverriddenSearch {
    pub(in crate::vpp) fn new(sources: Vec<u8>, limit: usize) -> Self {
        Self {
            sources,
            limit,
            report: Overridden::default(),
        }
    }
}

impl DumpReader for OverriddenSearch {
    type Report = Overridden;

    fn begin(&mut self, shared: &EngineState) -> TableDump {
        let tables: Vec<_> = shared.table().vpp_tables().collect();
        TableDump::of_sources(&self.sources, &tables)
    }

    fn on_route(&mut self, shared: &EngineState, details: &RouteDetails<'_>) {
        let route = &details.route;
        if !shared.table().is_installed(route.table, &route.prefix) {
            return;
        }
        self.report.count += 1;
        if self.report.some.len() < self.limit {
            let source = route.source.unwrap_or_default();
            self.report.some.push((route.table, route.prefix, source));
        }
    }

    fn complete(self, _shared: &EngineState) -> Overridden {
        self.report
    }
}
