//! Compares VPP's routes with what VPP has acknowledged.

use ahash::AHashMap;
use bgpreflector_core::route::{Family, PathSet, Prefix};
use bgpreflector_core::table::{Handle, Shown, VppDrift};
use bgpreflector_core::vpp::RouteDetails;
use crossbeam_channel::Sender;

use crate::error::VppError;
use crate::state::EngineState;

use super::adopt::{adopt, shown_paths};
use super::table_dump::TableDump;
use crate::vpp::operation::{Context, Operation};

/// The result of an audit of VPP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VppAudit {
    /// Routes under our source that VPP showed.
    pub shown: usize,
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
pub(in crate::vpp) struct AuditOp {
    settings: AuditSettings,
    tables: Vec<(u32, Family)>,
    dump: TableDump,
    shown: Shown,
    /// Prefixes not shown; none until the first dump is complete.
    missing: Option<AHashMap<(u32, Prefix), Handle>>,
    report: VppAudit,
    reply: Sender<Result<VppAudit, VppError>>,
}

impl AuditOp {
    pub(in crate::vpp) fn new(
        settings: AuditSettings,
        reply: Sender<Result<VppAudit, VppError>>,
    ) -> Self {
        Self {
            dump: TableDump::new(settings.source, Vec::new()),
            settings,
            tables: Vec::new(),
            shown: Shown::default(),
            missing: None,
            report: VppAudit::default(),
            reply,
        }
    }

    /// Everything under our source has been shown: what hides the missing prefixes?
    fn look_for_others(&mut self, shared: &EngineState) {
        let table = shared.table();
        let place = |handle: Handle| {
            let (vpp_table, prefix, _) = table.place(handle)?;
            Some(((vpp_table, prefix), handle))
        };
        let missing: AHashMap<_, _> = table
            .not_shown(&self.shown)
            .into_iter()
            .filter_map(place)
            .collect();
        let concerned = |(table, family): &(u32, Family)| {
            let is = |(vpp_table, prefix): &(u32, Prefix)| {
                vpp_table == table && prefix.family() == *family
            };
            missing.keys().any(is)
        };
        let tables = self.tables.iter().copied().filter(concerned).collect();
        self.dump = TableDump::new(0, tables);
        self.missing = Some(missing);
    }

    fn compare(&mut self, shared: &EngineState, details: &RouteDetails<'_>) {
        self.report.shown += 1;
        let (vpp_table, prefix) = (details.route.table, details.route.prefix);
        let shown = shown_paths(details);
        let faults = shared.faults();
        let equals = |installed: &PathSet| faults.shows_as(vpp_table, &prefix, installed, &shown);
        let drift = shared
            .table()
            .compare_shown(vpp_table, &prefix, &mut self.shown, equals);
        if let Some(drift) = drift {
            self.found(vpp_table, prefix, drift);
            if self.settings.repair {
                shared.change(|table| {
                    adopt(table, faults, details);
                    // Known by now, and shown.
                    table.compare_shown(vpp_table, &prefix, &mut self.shown, |_| true)
                });
            }
        }
    }

    fn found(&mut self, vpp_table: u32, prefix: Prefix, drift: VppDrift) {
        if let Some(count) = self.report.counts.get_mut(drift.index()) {
            *count += 1;
        }
        if self.report.examples.len() < self.settings.limit {
            self.report.examples.push((vpp_table, prefix, drift));
        }
    }
}

impl Operation for AuditOp {
    fn begin(&mut self, context: &mut Context) {
        self.tables = context.shared.table().vpp_tables().collect();
        self.dump = TableDump::new(self.settings.source, self.tables.clone());
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
        if self.dump.done() && self.missing.is_none() {
            self.look_for_others(&context.shared);
            self.dump.encode(context, out);
        }
        Ok(0)
    }

    fn on_message(&mut self, context: &Context, id: u16, message: &[u8]) -> Result<(), VppError> {
        let Some(details) = self.dump.take(&context.ids, id, message)? else {
            return Ok(());
        };
        let (table, prefix) = (details.route.table, details.route.prefix);
        match &mut self.missing {
            None => self.compare(&context.shared, &details),
            Some(missing) => {
                let source = details.route.source;
                if source.is_some_and(|source| self.settings.better.contains(&source))
                    && missing.remove(&(table, prefix)).is_some()
                {
                    self.found(table, prefix, VppDrift::Overridden);
                }
            }
        }
        Ok(())
    }

    fn done(&self) -> bool {
        self.missing.is_some() && self.dump.done()
    }

    /// What no dump showed is missing, if VPP had acknowledged it.
    fn complete(mut self: Box<Self>, context: &Context) {
        let shared = &context.shared;
        for ((vpp_table, prefix), handle) in self.missing.take().unwrap_or_default() {
            let acknowledged = matches!(shared.table().place(handle), Some((_, _, true)));
            if !acknowledged {
                continue;
            }
            self.found(vpp_table, prefix, VppDrift::Missing);
            if self.settings.repair {
                shared.change(|table| table.lost(handle));
            }
        }
        self.report.examples.sort_unstable();
        // The caller may have given up; the table has the result.
        let _ = self.reply.send(Ok(self.report));
    }

    fn fail(self: Box<Self>, _context: &Context, error: VppError) {
        let _ = self.reply.send(Err(error));
    }
}
