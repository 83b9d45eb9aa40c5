//! Messages without fields of their own.

use super::WireError;
use super::bytes::Reader;
use super::frame::put_words;

/// A request without fields: `control_ping`, `get_api_json`, `show_version`, `ip_table_dump`,
/// `fib_source_dump`, and `memclnt_keepalive`, which VPP sends to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmptyRequest {
    /// The client's index.
    pub client_index: u32,
    /// Repeated in the reply.
    pub context: u32,
}

impl EmptyRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::TrailingBytes`].
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::message("request without fields", payload)?;
        let request = Self {
            client_index: reader.u32()?,
            context: reader.u32()?,
        };
        reader.finish()?;
        Ok(request)
    }

    /// Appends the whole frame.
    pub fn encode(&self, message_id: u16, out: &mut Vec<u8>) {
        put_words(out, message_id, &[self.client_index, self.context]);
    }
}

/// A reply with a return code alone: `ip_table_add_del_reply`, `want_interface_events_reply`,
/// `sw_interface_set_flags_reply`, and `memclnt_keepalive_reply`, which clients send to VPP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainReply {
    /// The request's context.
    pub context: u32,
    /// 0, or why it was refused: see [`Retval`](super::retval::Retval).
    pub retval: i32,
}

impl PlainReply {
    /// Reads a reply.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::TrailingBytes`].
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::message("reply without fields", payload)?;
        let reply = Self {
            context: reader.u32()?,
            retval: reader.i32()?,
        };
        reader.finish()?;
        Ok(reply)
    }

    /// Appends the whole frame.
    pub fn encode(&self, message_id: u16, out: &mut Vec<u8>) {
        put_words(out, message_id, &[self.context, self.retval as u32]);
    }
}
