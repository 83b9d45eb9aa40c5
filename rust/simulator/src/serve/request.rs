//! What a handler gets, and the short answers.

use bgpreflector_core::vpp::{MessageName, PlainReply, WireError};

use crate::description::id;

/// What a handler gets.
pub(super) struct Request<'a> {
    pub(super) message: MessageName,
    pub(super) payload: &'a [u8],
    pub(super) context: u32,
}

pub(super) fn id_of(message: MessageName) -> u16 {
    // Every served message has an id.
    id(message).unwrap_or(u16::MAX)
}

/// A reply with only a return code.
pub(super) fn reply(out: &mut Vec<u8>, message: MessageName, context: u32, retval: i32) {
    PlainReply { context, retval }.encode(id_of(message), out);
}

/// VPP ignores bytes after a message, and silently drops one that is too short.
pub(super) fn without_surplus<T>(
    payload: &[u8],
    mut serve: impl FnMut(&[u8]) -> Result<T, WireError>,
) -> Result<T, WireError> {
    match serve(payload) {
        Err(WireError::TrailingBytes { extra, .. }) => {
            let length = payload.len().saturating_sub(extra);
            serve(payload.get(..length).unwrap_or_default())
        }
        result => result,
    }
}
