//! What the worker works on, one after the other.

use std::sync::Arc;

use crate::error::VppError;
use crate::shared::Shared;

use super::commit::Encoder;
use super::ids::Ids;

/// What every piece of work needs.
pub(super) struct Tools {
    pub(super) shared: Arc<Shared>,
    pub(super) ids: Ids,
    pub(super) client_index: u32,
    pub(super) encoder: Encoder,
}

/// A piece of work. Whoever ordered it waits for its end; it ends with [`Work::report`] or
/// [`Work::break_off`], the latter perhaps before it began.
pub(super) trait Work: Send {
    /// Its turn has come.
    fn begin(&mut self, _tools: &mut Tools) {}

    /// Requests without an answer.
    fn pending(&self) -> usize;

    /// Whether there is more to ask VPP for now, with so many unanswered requests at most.
    fn can_send(&self, window: usize) -> bool;

    /// Appends up to `limit` route requests, or a dump; returns how many route requests.
    fn encode(
        &mut self,
        tools: &mut Tools,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<usize, VppError>;

    /// Takes a message from VPP.
    fn take(&mut self, tools: &Tools, id: u16, message: &[u8]) -> Result<(), VppError>;

    /// Everything that VPP has said so far has been taken.
    fn apply(&mut self, _tools: &Tools) {}

    /// To end early: what has not been sent shall not be.
    fn hold(&mut self) {}

    fn done(&self) -> bool;

    /// It is done.
    fn report(self: Box<Self>, tools: &Tools);

    /// The connection has ended.
    fn break_off(self: Box<Self>, tools: &Tools, error: VppError);
}
