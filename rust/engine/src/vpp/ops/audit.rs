//! Compares VPP's routes with what VPP has acknowledged.

use ahash::AHashMap;
use bgpreflector_core::route::{Family, PathSet, Prefix};
use bgpreflector_core::table::{Handle, Shown, VppDrift};
use bgpreflector_core::vpp::RouteDetails;

use crate::state::EngineState;

use super::adopt::{adopt, shown_paths};
use super::dump_op::DumpReader;
use super::table_dump::TableDump;

/// The result of an audit of VPP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VppAuditReport {
    /// Routes under our source that VPP showed.
    pub dumped: usize,
    /// Differences, by [`VppDrift::index`].
    pub counts: [usize; VppDrift::ALL.len()],
    /// VPP table, prefix and kind of the first of them.
    pub examples: Vec<(u32, Prefix, VppDrift)>,
}

/// Settings of an audit.
#[derive(Clone, Debug)]
pub struct AuditSettings {
    /// Our FIB source.
    pub source: u8,
    /// The sources that VPP prefers to ours: if one of them forwards a prefix, as VPP's own does
    /// with `0.0.0.0/0`, ours is not shown.
    pub better: Vec<u8>,
    /// Whether to correct differences in the table, and so in VPP.
    pub repair: bool,
    /// Maximum number of differences named in the report.
    pub limit: usize,
}

/// An audit in progress: first VPP's routes under our source; then, if prefixes are missing, all of
/// VPP's routes: a better source's route hides ours.
pub(in crate::vpp) struct Audit {
    settings: AuditSettings,
    tables: Vec<(u32, Family)>,
    shown: Shown,
    /// Prefixes not shown; none until the first dump is complete.
    missing: Option<AHashMap<(u32, Prefix), Handle>>,
    report: VppAuditReport,
}

impl Audit {
    pub(in crate::vpp) fn new(settings: AuditSettings) -> Self {
        Self {
            settings,
            tables: Vec::new(),
            shown: Shown::default(),
            missing: None,
            report: VppAuditReport::default(),
        }
    }

    /// The dump of what may hide the prefixes that were not shown under our source.
    fn dump_of_all_sources(&mut self, shared: &EngineState) -> TableDump {
        let table = shared.table();
        let keyed = |handle: Handle| {
            let (vpp_table, prefix, _) = table.vpp_prefix(handle)?;
            Some(((vpp_table, prefix), handle))
        };
        let missing: AHashMap<_, _> = table
            .not_shown(&self.shown)
            .into_iter()
            .filter_map(keyed)
            .collect();
        let concerned = |(table, family): &(u32, Family)| {
            let is = |(vpp_table, prefix): &(u32, Prefix)| {
                vpp_table == table && prefix.family() == *family
            };
            missing.keys().any(is)
        };
        let tables: Vec<_> = self.tables.iter().copied().filter(concerned).collect();
        self.missing = Some(missing);
        TableDump::new(0, &tables)
    }

    fn compare(&mut self, shared: &EngineState, details: &RouteDetails<'_>) {
        self.report.dumped += 1;
        let (vpp_table, prefix) = (details.route.table, details.route.prefix);
        let shown = shown_paths(details);
        let faults = shared.faults();
        let equals = |installed: &PathSet| faults.shows_as(vpp_table, &prefix, installed, &shown);
        let drift = shared
            .table()
            .compare_shown(vpp_table, &prefix, &mut self.shown, equals);
        if let Some(drift) = drift {
            self.record(vpp_table, prefix, drift);
            if self.settings.repair {
                shared.change(|table| {
                    adopt(table, faults, details);
                    // Known by now, and shown.
                    table.compare_shown(vpp_table, &prefix, &mut self.shown, |_| true)
                });
            }
        }
    }

    fn record(&mut self, vpp_table: u32, prefix: Prefix, drift: VppDrift) {
        if let Some(count) = self.report.counts.get_mut(drift.index()) {
            *count += 1;
        }
        if self.report.examples.len() < self.settings.limit {
            self.report.examples.push((vpp_table, prefix, drift));
        }
    }
}

impl DumpReader for Audit {
    type Report = VppAuditReport;

    fn begin(&mut self, shared: &EngineState) -> TableDump {
        self.tables = shared.table().vpp_tables().collect();
        TableDump::new(self.settings.source, &self.tables)
    }

    fn next_dump(&mut self, shared: &EngineState) -> Option<TableDump> {
        let first = self.missing.is_none();
        first.then(|| self.dump_of_all_sources(shared))
    }

    fn on_route(&mut self, shared: &EngineState, details: &RouteDetails<'_>) {
        let Some(missing) = &mut self.missing else {
            return self.compare(shared, details);
        };
        let route = &details.route;
        let better = |source: u8| self.settings.better.contains(&source);
        if route.source.is_some_and(better)
            && missing.remove(&(route.table, route.prefix)).is_some()
        {
            self.record(route.table, route.prefix, VppDrift::Overridden);
        }
    }

    /// What no dump showed is missing, if VPP had acknowledged it.
    fn complete(mut self, shared: &EngineState) -> VppAuditReport {
        for ((vpp_table, prefix), handle) in self.missing.take().unwrap_or_default() {
            let acknowledged = matches!(shared.table().vpp_prefix(handle), Some((_, _, true)));
            if !acknowledged {
                continue;
            }
            self.record(vpp_table, prefix, VppDrift::Missing);
            if self.settings.repair {
                shared.change(|table| table.lost(handle));
            }
        }
        self.report.examples.sort_unstable();
        self.report
    }
}
