//! The socket's framing: a header of 16 bytes, of which only the length is used, and one message
//! (`msgbuf_t`, VPP's `vlibapi/memory_shared.h`; `>QII`: 0, length, 0).
//!
//! VPP sends its struct as it is in memory: the fields around the length hold leftovers (on a real
//! VPP they are not zero) and are ignored.

use super::{FrameError, WireError};

/// Bytes of the socket header.
pub const HEADER_LENGTH: usize = 16;
/// The default maximum message length of a [`FrameReader`], in bytes. The longest that VPP sends is
/// the reply of `get_api_json`, 1.3 MB in VPP 26.10.
pub const MAX_MESSAGE_LENGTH: u32 = 64 << 20;

const MIN_MESSAGE_LENGTH: u32 = 2;
const READ_LENGTH: usize = 64 << 10;
const KEPT_LENGTH: usize = 4 * READ_LENGTH;

/// The header of a message of `length` bytes.
#[must_use]
pub const fn header(length: u32) -> [u8; HEADER_LENGTH] {
    ((length as u128) << 32).to_be_bytes()
}

/// A frame whose message is being written.
#[must_use = "the frame has no length until it is finished"]
#[derive(Debug)]
pub struct FrameStart {
    at: usize,
}

/// Begins a frame at the end of `out`: append the message, then call [`FrameStart::finish`].
pub fn begin_frame(out: &mut Vec<u8>) -> FrameStart {
    let at = out.len();
    out.extend_from_slice(&header(0));
    FrameStart { at }
}

impl FrameStart {
    /// Writes the length of what was appended to `out` since the frame began.
    ///
    /// Messages are far below 4 GiB; a length that a u32 cannot hold is written as the largest,
    /// which every reader refuses.
    pub fn finish(self, out: &mut [u8]) {
        let Some(frame) = out.get_mut(self.at..) else {
            return;
        };
        let length = u32::try_from(frame.len().saturating_sub(HEADER_LENGTH)).unwrap_or(u32::MAX);
        if let Some(field) = frame.first_chunk_mut::<HEADER_LENGTH>() {
            *field = header(length);
        }
    }

    /// Takes back everything appended to `out` since the frame began.
    pub fn abandon(self, out: &mut Vec<u8>) {
        out.truncate(self.at);
    }
}

/// Appends a whole frame: the message's id, `words`, and what `fields` appends.
///
/// # Errors
/// What `fields` returns: nothing is appended then.
pub(super) fn put_message(
    out: &mut Vec<u8>,
    message_id: u16,
    words: &[u32],
    fields: impl FnOnce(&mut Vec<u8>) -> Result<(), WireError>,
) -> Result<(), WireError> {
    let frame = begin_message(out, message_id, words);
    if let Err(error) = fields(out) {
        frame.abandon(out);
        return Err(error);
    }
    frame.finish(out);
    Ok(())
}

/// The same for fields that can always be written.
pub(super) fn put_fields(
    out: &mut Vec<u8>,
    message_id: u16,
    words: &[u32],
    fields: impl FnOnce(&mut Vec<u8>),
) {
    let frame = begin_message(out, message_id, words);
    fields(out);
    frame.finish(out);
}

/// The same for a message of words alone.
pub(super) fn put_words(out: &mut Vec<u8>, message_id: u16, words: &[u32]) {
    begin_message(out, message_id, words).finish(out);
}

fn begin_message(out: &mut Vec<u8>, message_id: u16, words: &[u32]) -> FrameStart {
    let frame = begin_frame(out);
    out.extend_from_slice(&message_id.to_be_bytes());
    for word in words {
        out.extend_from_slice(&word.to_be_bytes());
    }
    frame
}

/// Cuts received bytes into messages.
///
/// The caller reads into [`FrameReader::spare`] and reports the length with
/// [`FrameReader::advance`]; [`FrameReader::next_message`] returns slices of the buffer.
#[derive(Debug)]
pub struct FrameReader {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    limit: u32,
}

impl Default for FrameReader {
    fn default() -> Self {
        Self::new(MAX_MESSAGE_LENGTH)
    }
}

impl FrameReader {
    /// A reader that accepts messages of up to `limit` bytes.
    #[must_use]
    pub const fn new(limit: u32) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            end: 0,
            limit,
        }
    }

    /// Room to read into, at least 64 KiB.
    pub fn spare(&mut self) -> &mut [u8] {
        self.make_room(READ_LENGTH);
        self.buffer.get_mut(self.end..).unwrap_or_default()
    }

    /// Reports that `count` bytes were read into [`FrameReader::spare`].
    pub fn advance(&mut self, count: usize) {
        self.end = self.end.saturating_add(count).min(self.buffer.len());
    }

    /// The next complete message, including its id; none until more bytes arrive.
    ///
    /// # Errors
    /// [`FrameError::Length`] at an impossible header, and at every later call: the rest of the
    /// stream cannot be framed.
    pub fn next_message(&mut self) -> Result<Option<&[u8]>, FrameError> {
        let received = self.buffer.get(self.start..self.end).unwrap_or_default();
        let Some((header, rest)) = received.split_first_chunk::<HEADER_LENGTH>() else {
            return Ok(None);
        };
        let [.., a, b, c, d, _, _, _, _] = *header;
        let length = u32::from_be_bytes([a, b, c, d]);
        if length < MIN_MESSAGE_LENGTH || length > self.limit {
            return Err(FrameError::Length {
                length,
                limit: self.limit,
            });
        }
        let message = rest.get(..length as usize);
        if message.is_some() {
            self.start += HEADER_LENGTH + length as usize;
        }
        Ok(message)
    }

    fn make_room(&mut self, wanted: usize) {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            if self.buffer.len() > KEPT_LENGTH {
                self.buffer.truncate(KEPT_LENGTH);
                self.buffer.shrink_to_fit();
            }
        }
        if self.buffer.len() - self.end >= wanted {
            return;
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let needed = self.end + wanted;
        if self.buffer.len() < needed {
            let length = needed.max(2 * self.buffer.len()).max(KEPT_LENGTH);
            self.buffer.resize(length, 0);
        }
    }
}
