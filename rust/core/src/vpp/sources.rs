//! FIB sources: whose a route is (`fib_source_add`, `fib_source_dump` in `fib.api`). The dump's
//! request is a [`EmptyRequest`](super::empty_request::EmptyRequest).
//!
//! Every `fib_source_add` makes a new source, also for a name that exists, and none is ever
//! freed: look the name up in a dump first.

use std::borrow::Cow;

use super::WireError;
use super::bytes::{Reader, put_name};
use super::frame::{put_fields, put_message};

/// A source (`vl_api_fib_source_t`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FibSource<'a> {
    /// The lowest value wins if several sources have a prefix.
    pub priority: u8,
    /// Id; ignored when a source is added.
    pub id: u8,
    /// Name, at most 63 bytes.
    pub name: Cow<'a, str>,
}

impl<'a> FibSource<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, WireError> {
        Ok(Self {
            priority: reader.u8()?,
            id: reader.u8()?,
            name: reader.name()?,
        })
    }

    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        out.extend_from_slice(&[self.priority, self.id]);
        put_name(out, "FIB source name", &self.name)
    }
}

/// `fib_source_add`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FibSourceAdd<'a> {
    /// The client's index.
    pub client_index: u32,
    /// Repeated in the reply.
    pub context: u32,
    /// The source wanted.
    pub source: FibSource<'a>,
}

impl<'a> FibSourceAdd<'a> {
    /// Reads a request.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::TrailingBytes`].
    pub fn decode(payload: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader::message("fib_source_add", payload)?;
        let request = Self {
            client_index: reader.u32()?,
            context: reader.u32()?,
            source: FibSource::read(&mut reader)?,
        };
        reader.finish()?;
        Ok(request)
    }

    /// Appends the whole frame.
    ///
    /// # Errors
    /// [`WireError::Text`] if the name does not fit: nothing is appended.
    pub fn encode(&self, message_id: u16, out: &mut Vec<u8>) -> Result<(), WireError> {
        let words = [self.client_index, self.context];
        put_message(out, message_id, &words, |out| self.source.put(out))
    }
}

/// `fib_source_add_reply`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FibSourceAddReply {
    /// The request's context.
    pub context: u32,
    /// 0.
    pub retval: i32,
    /// Id of the new source.
    pub id: u8,
}

impl FibSourceAddReply {
    /// Reads a reply.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::TrailingBytes`].
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::message("fib_source_add_reply", payload)?;
        let reply = Self {
            context: reader.u32()?,
            retval: reader.i32()?,
            id: reader.u8()?,
        };
        reader.finish()?;
        Ok(reply)
    }

    /// Appends the whole frame.
    pub fn encode(&self, message_id: u16, out: &mut Vec<u8>) {
        let words = [self.context, self.retval as u32];
        put_fields(out, message_id, &words, |out| out.push(self.id));
    }
}

/// `fib_source_details`: one source of a dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FibSourceDetails<'a> {
    /// The dump's context.
    pub context: u32,
    /// The source.
    pub source: FibSource<'a>,
}

impl<'a> FibSourceDetails<'a> {
    /// Reads a details message.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::TrailingBytes`].
    pub fn decode(payload: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader::message("fib_source_details", payload)?;
        let details = Self {
            context: reader.u32()?,
            source: FibSource::read(&mut reader)?,
        };
        reader.finish()?;
        Ok(details)
    }

    /// Appends the whole frame.
    ///
    /// # Errors
    /// [`WireError::Text`] if the name does not fit: nothing is appended.
    pub fn encode(&self, message_id: u16, out: &mut Vec<u8>) -> Result<(), WireError> {
        put_message(out, message_id, &[self.context], |out| self.source.put(out))
    }
}
