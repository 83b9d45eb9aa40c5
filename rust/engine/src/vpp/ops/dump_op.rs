//! An operation that only reads VPP's routes: what the adoption, the audit and the search for
//! overridden routes have in common.

use bgpreflector_core::vpp::RouteDetails;
use crossbeam_channel::Sender;

use crate::error::VppError;
use crate::state::EngineState;

use super::table_dump::TableDump;
use crate::vpp::operation::{Context, Operation};

/// What the routes of one or more dumps are read for.
pub(in crate::vpp) trait DumpReader: Send {
    /// The result.
    type Report: Send;

    /// The first dump.
    fn begin(&mut self, shared: &EngineState) -> TableDump;

    /// The dump that follows a complete one; none after the last.
    fn next_dump(&mut self, _shared: &EngineState) -> Option<TableDump> {
        None
    }

    /// Processes a route of the dump.
    fn on_route(&mut self, shared: &EngineState, details: &RouteDetails<'_>);

    /// All dumps are complete.
    fn complete(self, shared: &EngineState) -> Self::Report;

    /// The connection has ended.
    fn fail(self, _shared: &EngineState)
    where
        Self: Sized,
    {
    }
}

/// The operation for a reader. Its caller waits for the report.
pub(in crate::vpp) struct DumpOp<R: DumpReader> {
    reader: R,
    dump: TableDump,
    done: bool,
    reply: Sender<Result<R::Report, VppError>>,
}

impl<R: DumpReader> DumpOp<R> {
    pub(in crate::vpp) fn new(reader: R, reply: Sender<Result<R::Report, VppError>>) -> Self {
        Self {
            reader,
            dump: TableDump::of_sources(&[], &[]),
            done: false,
            reply,
        }
    }
}

impl<R: DumpReader> Operation for DumpOp<R> {
    fn begin(&mut self, context: &mut Context) {
        self.dump = self.reader.begin(&context.shared);
    }

    fn pending(&self) -> usize {
        1
    }

    fn can_send(&self, _max_in_flight: usize) -> bool {
        !self.dump.in_progress() && !self.done
    }

    fn encode(
        &mut self,
        context: &mut Context,
        out: &mut Vec<u8>,
        _limit: usize,
    ) -> Result<usize, VppError> {
        self.dump.encode(context, out);
        while self.dump.done() && !self.done {
            match self.reader.next_dump(&context.shared) {
                Some(next) => {
                    self.dump = next;
                    self.dump.encode(context, out);
                }
                None => self.done = true,
            }
        }
        Ok(0)
    }

    fn on_message(&mut self, context: &Context, id: u16, message: &[u8]) -> Result<(), VppError> {
        if let Some(details) = self.dump.read(&context.ids, id, message)? {
            self.reader.on_route(&context.shared, &details);
        }
        Ok(())
    }

    fn done(&self) -> bool {
        self.done
    }

    fn complete(self: Box<Self>, context: &Context) {
        let Self { reader, reply, .. } = *self;
        // The caller may have given up; the table has the result.
        let _ = reply.send(Ok(reader.complete(&context.shared)));
    }

    fn fail(self: Box<Self>, context: &Context, error: VppError) {
        let Self { reader, reply, .. } = *self;
        reader.fail(&context.shared);
        let _ = reply.send(Err(error));
    }
}
