//! Operations of the connection, which run one after another.

use std::sync::Arc;

use crate::error::VppError;
use crate::state::EngineState;

use super::encoder::Encoder;
use super::ids::Ids;

/// What every operation needs.
pub(super) struct Context {
    pub(super) shared: Arc<EngineState>,
    pub(super) ids: Ids,
    pub(super) client_index: u32,
    pub(super) encoder: Encoder,
}

/// An operation of the connection. Its caller waits for the end: [`Operation::complete`] or
/// [`Operation::fail`], the latter perhaps before it began.
pub(super) trait Operation: Send {
    /// Starts the operation.
    fn begin(&mut self, _context: &mut Context) {}

    /// The number of unanswered requests.
    fn pending(&self) -> usize;

    /// Whether there is more to send now, with at most `max_in_flight` unanswered requests.
    fn can_send(&self, max_in_flight: usize) -> bool;

    /// Appends up to `limit` route requests, or a dump; returns the number of route requests.
    fn encode(
        &mut self,
        context: &mut Context,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<usize, VppError>;

    /// Processes a message from VPP.
    fn on_message(&mut self, context: &Context, id: u16, message: &[u8]) -> Result<(), VppError>;

    /// Everything received so far has been processed.
    fn on_read_end(&mut self, _context: &Context) {}

    /// Ends early: requests that are not sent yet are dropped.
    fn cancel_unsent(&mut self) {}

    fn done(&self) -> bool;

    /// The operation has finished.
    fn complete(self: Box<Self>, context: &Context);

    /// The connection has ended.
    fn fail(self: Box<Self>, context: &Context, error: VppError);
}
