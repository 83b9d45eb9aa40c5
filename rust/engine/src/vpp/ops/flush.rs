//! Removes everything under our source, in any VPP table.

use std::collections::VecDeque;

use bgpreflector_core::route::{Family, Prefix};
use bgpreflector_core::vpp::{InFlight, RouteEncoder};
use crossbeam_channel::Sender;

use crate::error::VppError;

use super::route_reply::take_request;
use super::table_dump::TableDump;
use crate::vpp::operation::{Context, Operation};
use crate::vpp::types::{Failure, MAX_FAILURES};

/// Settings of a flush.
#[derive(Clone, Debug)]
pub struct FlushSettings {
    /// Our FIB source.
    pub source: u8,
    /// Sources whose routes may hide ours: VPP does not show ours then, so they are deleted unseen
    /// wherever one of these has a route.
    pub better: Vec<u8>,
    /// VPP tables.
    pub tables: Vec<(u32, Family)>,
    /// Whether to delete nothing.
    pub dry_run: bool,
}

/// The result for a VPP table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlushedTable {
    /// VPP table.
    pub table: u32,
    /// Its family.
    pub family: Family,
    /// Routes under our source that VPP showed.
    pub dumped: usize,
    /// How many of them it deleted.
    pub deleted: usize,
    /// Refused deletions, including those of routes that it did not show.
    pub failed: usize,
}

/// The result of a flush.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlushReport {
    /// By VPP table.
    pub tables: Vec<FlushedTable>,
    /// Some of the refusals.
    pub failures: Vec<Failure>,
}

/// A route to delete: the index of its VPP table, and whether VPP showed it.
type Deletion = (usize, Prefix, bool);

/// A flush in progress: first the dumps, then the deletions. The engine's own table does not
/// change.
pub(in crate::vpp) struct FlushOp {
    settings: FlushSettings,
    dump: TableDump,
    /// Whether the dump is that of the better sources, which hide ours.
    hidden: bool,
    queued: VecDeque<Deletion>,
    pending: InFlight<Deletion>,
    report: FlushReport,
    reply: Sender<Result<FlushReport, VppError>>,
}

impl FlushOp {
    pub(in crate::vpp) fn new(
        settings: FlushSettings,
        reply: Sender<Result<FlushReport, VppError>>,
    ) -> Self {
        let table = |(table, family): &(u32, Family)| FlushedTable {
            table: *table,
            family: *family,
            dumped: 0,
            deleted: 0,
            failed: 0,
        };
        Self {
            dump: TableDump::new(settings.source, &settings.tables),
            hidden: false,
            queued: VecDeque::new(),
            pending: InFlight::default(),
            report: FlushReport {
                tables: settings.tables.iter().map(table).collect(),
                failures: Vec::new(),
            },
            settings,
            reply,
        }
    }

    fn dumped(&self) -> bool {
        self.dump.done() && (self.hidden || self.settings.dry_run)
    }

    fn on_route(&mut self, table: u32, prefix: Prefix) {
        let is = |counts: &FlushedTable| counts.table == table && counts.family == prefix.family();
        let Some(index) = self.report.tables.iter().position(is) else {
            return;
        };
        if !self.hidden {
            if let Some(counts) = self.report.tables.get_mut(index) {
                counts.dumped += 1;
            }
        }
        if !self.settings.dry_run {
            self.queued.push_back((index, prefix, !self.hidden));
        }
    }

    fn on_reply(&mut self, (index, prefix, shown): Deletion, retval: i32) {
        let Some(counts) = self.report.tables.get_mut(index) else {
            return;
        };
        if retval == 0 {
            counts.deleted += usize::from(shown);
            return;
        }
        counts.failed += 1;
        if self.report.failures.len() < MAX_FAILURES {
            let vpp_table = counts.table;
            self.report.failures.push(Failure {
                vpp_table,
                prefix,
                retval,
            });
        }
    }
}

impl Operation for FlushOp {
    fn pending(&self) -> usize {
        self.pending.len() + usize::from(self.dump.in_progress())
    }

    fn can_send(&self, max_in_flight: usize) -> bool {
        if self.dumped() {
            return !self.queued.is_empty() && self.pending.len() < max_in_flight;
        }
        !self.dump.in_progress()
    }

    fn encode(
        &mut self,
        context: &mut Context,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<usize, VppError> {
        if !self.dumped() {
            self.dump.encode(context, out);
            if self.dump.done() && !self.dumped() {
                self.hidden = true;
                let FlushSettings { better, tables, .. } = &self.settings;
                self.dump = TableDump::of_sources(better, tables);
                self.dump.encode(context, out);
            }
            return Ok(0);
        }
        let routes = RouteEncoder::new(
            context.ids.route,
            context.client_index,
            self.settings.source,
        );
        let mut sent = 0;
        while sent < limit {
            let Some(deletion) = self.queued.pop_front() else {
                break;
            };
            let (index, prefix, _) = deletion;
            if let Some(FlushedTable { table, .. }) = self.report.tables.get(index) {
                let context = self.pending.push(deletion);
                routes.delete(out, context, *table, &prefix);
                sent += 1;
            }
        }
        Ok(sent)
    }

    fn on_message(&mut self, context: &Context, id: u16, message: &[u8]) -> Result<(), VppError> {
        if id == context.ids.route_reply {
            let (deletion, retval) = take_request(&mut self.pending, message)?;
            self.on_reply(deletion, retval);
            return Ok(());
        }
        let details = self.dump.read(&context.ids, id, message)?;
        if let Some(route) = details.map(|details| details.route) {
            self.on_route(route.table, route.prefix);
        }
        Ok(())
    }

    fn cancel_unsent(&mut self) {
        self.queued.clear();
    }

    fn done(&self) -> bool {
        self.dumped() && self.queued.is_empty() && self.pending.is_empty()
    }

    fn complete(self: Box<Self>, _context: &Context) {
        // The caller may have given up.
        let _ = self.reply.send(Ok(self.report));
    }

    fn fail(self: Box<Self>, _context: &Context, error: VppError) {
        let _ = self.reply.send(Err(error));
    }
}
