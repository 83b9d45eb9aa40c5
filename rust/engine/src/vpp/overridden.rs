//! Which of our routes VPP has and does not forward by, because another source has a better one.

use bgpreflector_core::route::{Family, Prefix};
use crossbeam_channel::Sender;

use crate::error::VppError;
use crate::shared::Shared;

use super::ids::Ids;
use super::table_dump::TableDump;

/// Our prefixes that other FIB sources' routes override.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overridden {
    /// How many there are.
    pub count: usize,
    /// Some of them: VPP table, prefix, and the id of the source that VPP forwards by.
    pub some: Vec<(u32, Prefix, u8)>,
}

/// Dumps of other sources' routes under way. A dump by source shows a prefix only where that
/// source's route is the best.
pub(super) struct OverriddenJob {
    dump: TableDump,
    limit: usize,
    found: Overridden,
    reply: Sender<Result<Overridden, VppError>>,
}

impl OverriddenJob {
    pub(super) fn new(
        sources: &[u8],
        tables: &[(u32, Family)],
        limit: usize,
        reply: Sender<Result<Overridden, VppError>>,
    ) -> Self {
        Self {
            dump: TableDump::of_sources(sources, tables),
            limit,
            found: Overridden::default(),
            reply,
        }
    }

    pub(super) fn done(&self) -> bool {
        self.dump.done()
    }

    pub(super) fn encode(&mut self, ids: &Ids, client_index: u32, out: &mut Vec<u8>) {
        self.dump.encode(ids, client_index, out);
    }

    pub(super) fn take(
        &mut self,
        shared: &Shared,
        ids: &Ids,
        id: u16,
        message: &[u8],
    ) -> Result<(), VppError> {
        let Some(details) = self.dump.take(ids, id, message)? else {
            return Ok(());
        };
        let route = details.route;
        if !shared.table().has_installed(route.table, &route.prefix) {
            return Ok(());
        }
        self.found.count += 1;
        if self.found.some.len() < self.limit {
            let source = route.source.unwrap_or_default();
            self.found.some.push((route.table, route.prefix, source));
        }
        Ok(())
    }

    pub(super) fn report(self) {
        // Whoever asked may have gone meanwhile.
        let _ = self.reply.send(Ok(self.found));
    }

    pub(super) fn break_off(self, error: VppError) {
        let _ = self.reply.send(Err(error));
    }
}
