//! Signs of life in both directions: `control_ping` asks VPP, `memclnt_keepalive` asks us.
//!
//! A `control_ping` is answered after everything sent before it. So it also marks the end of a
//! dump, whose own messages have no last one.

use super::WireError;
use super::bytes::Reader;
use super::empty_request::{EmptyRequest, PlainReply};
use super::frame::put_words;

/// `control_ping_reply`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlPingReply {
    /// The request's context.
    pub context: u32,
    /// 0.
    pub retval: i32,
    /// The client's index.
    pub client_index: u32,
    /// Process id of VPP: a different one means that VPP restarted.
    pub vpe_pid: u32,
}

impl ControlPingReply {
    /// Reads a reply.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::TrailingBytes`].
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::message("control_ping_reply", payload)?;
        let reply = Self {
            context: reader.u32()?,
            retval: reader.i32()?,
            client_index: reader.u32()?,
            vpe_pid: reader.u32()?,
        };
        reader.finish()?;
        Ok(reply)
    }

    /// Appends the whole frame.
    pub fn encode(&self, message_id: u16, out: &mut Vec<u8>) {
        let (index, pid) = (self.client_index, self.vpe_pid);
        let words = [self.context, self.retval as u32, index, pid];
        put_words(out, message_id, &words);
    }
}

/// Appends the `memclnt_keepalive_reply` to a `memclnt_keepalive`. VPP finds the client by the
/// context, and drops one that does not answer.
///
/// # Errors
/// [`WireError`] if `payload` is no `memclnt_keepalive`: nothing is appended.
pub fn answer_keepalive(payload: &[u8], reply_id: u16, out: &mut Vec<u8>) -> Result<(), WireError> {
    let EmptyRequest { context, .. } = EmptyRequest::decode(payload)?;
    PlainReply { context, retval: 0 }.encode(reply_id, out);
    Ok(())
}
