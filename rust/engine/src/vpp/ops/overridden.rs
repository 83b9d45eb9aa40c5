//! Our routes that VPP has but does not forward by, because another source has a better one.

use bgpreflector_core::route::Prefix;
use crossbeam_channel::Sender;

use crate::error::VppError;

use super::table_dump::TableDump;
use crate::vpp::operation::{Context, Operation};

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
pub(in crate::vpp) struct OverriddenOp {
    sources: Vec<u8>,
    dump: TableDump,
    limit: usize,
    found: Overridden,
    reply: Sender<Result<Overridden, VppError>>,
}

impl OverriddenOp {
    pub(in crate::vpp) fn new(
        sources: Vec<u8>,
        limit: usize,
        reply: Sender<Result<Overridden, VppError>>,
    ) -> Self {
        Self {
            sources,
            dump: TableDump::of_sources(&[], &[]),
            limit,
            found: Overridden::default(),
            reply,
        }
    }
}

impl Operation for OverriddenOp {
    fn begin(&mut self, context: &mut Context) {
        let tables: Vec<_> = context.shared.table().vpp_tables().collect();
        self.dump = TableDump::of_sources(&self.sources, &tables);
    }

    fn pending(&self) -> usize {
        1
    }

    fn can_send(&self, _window: usize) -> bool {
        !self.dump.asking() && !self.dump.done()
    }

    fn encode(
        &mut self,
        context: &mut Context,
        out: &mut Vec<u8>,
        _limit: usize,
    ) -> Result<usize, VppError> {
        self.dump.encode(context, out);
        Ok(0)
    }

    fn on_message(&mut self, context: &Context, id: u16, message: &[u8]) -> Result<(), VppError> {
        let Some(details) = self.dump.take(&context.ids, id, message)? else {
            return Ok(());
        };
        let route = details.route;
        let table = context.shared.table();
        if !table.has_installed(route.table, &route.prefix) {
            return Ok(());
        }
        self.found.count += 1;
        if self.found.some.len() < self.limit {
            let source = route.source.unwrap_or_default();
            self.found.some.push((route.table, route.prefix, source));
        }
        Ok(())
    }

    fn done(&self) -> bool {
        self.dump.done()
    }

    fn complete(self: Box<Self>, _context: &Context) {
        // The caller may have given up.
        let _ = self.reply.send(Ok(self.found));
    }

    fn fail(self: Box<Self>, _context: &Context, error: VppError) {
        let _ = self.reply.send(Err(error));
    }
}
