//! Opening and closing a session (`memclnt.api`): the two messages with fixed ids, and the
//! message table.

use std::borrow::Cow;

use super::bytes::{NAME_LENGTH, Reader, put_name};
use super::frame::{put_message, put_words};
use super::messages::{SOCKCLNT_CREATE_ID, SOCKCLNT_CREATE_REPLY_ID};
use super::{MessageTable, WireError};

/// `sockclnt_create`: the first message of a client. It has no client index yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SockclntCreate<'a> {
    /// Repeated in the reply.
    pub context: u32,
    /// The client's name in `show api clients`, at most 63 bytes.
    pub name: Cow<'a, str>,
}

impl<'a> SockclntCreate<'a> {
    /// Reads a request.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::TrailingBytes`].
    pub fn decode(payload: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader::message("sockclnt_create", payload)?;
        let request = Self {
            context: reader.u32()?,
            name: reader.name()?,
        };
        reader.finish()?;
        Ok(request)
    }

    /// Appends the whole frame.
    ///
    /// # Errors
    /// [`WireError::Text`] if the name does not fit: nothing is appended.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        put_message(out, SOCKCLNT_CREATE_ID, &[self.context], |out| {
            put_name(out, "client name", &self.name)
        })
    }
}

/// `sockclnt_create_reply`.
#[derive(Clone, Debug)]
pub struct SockclntCreateReply {
    /// The request's context.
    pub context: u32,
    /// 0 or more: accepted.
    pub response: i32,
    /// The client index that every later request must carry.
    pub index: u32,
    /// The messages of this VPP.
    pub table: MessageTable,
}

impl SockclntCreateReply {
    /// Reads a reply.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::TrailingBytes`].
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::message("sockclnt_create_reply", payload)?;
        let _client_index = reader.u32()?;
        let (context, response, index) = (reader.u32()?, reader.i32()?, reader.u32()?);
        let mut table = MessageTable::default();
        for _ in 0..reader.u16()? {
            let id = reader.u16()?;
            table.insert(&reader.name()?, id);
        }
        reader.finish()?;
        Ok(Self {
            context,
            response,
            index,
            table,
        })
    }

    /// Appends the whole frame of a reply that accepts the client and lists `messages` in the
    /// order given, each as its id and `name_crc`.
    ///
    /// # Errors
    /// [`WireError::Text`] if a name does not fit: nothing is appended.
    pub fn encode<'n>(
        out: &mut Vec<u8>,
        context: u32,
        index: u32,
        messages: impl IntoIterator<Item = (u16, &'n str)>,
    ) -> Result<(), WireError> {
        let mut entries = Vec::new();
        for (id, name) in messages {
            entries.extend_from_slice(&id.to_be_bytes());
            put_name(&mut entries, "message name", name)?;
        }
        // Ids are u16, so there are no more entries than a u16 can count.
        let count = (entries.len() / (NAME_LENGTH + 2)) as u16;
        let words = [0, context, 0, index];
        put_message(out, SOCKCLNT_CREATE_REPLY_ID, &words, |out| {
            out.extend_from_slice(&count.to_be_bytes());
            out.extend_from_slice(&entries);
            Ok(())
        })
    }
}

/// `sockclnt_delete`: closes the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SockclntDelete {
    /// The client's index.
    pub client_index: u32,
    /// Repeated in the reply.
    pub context: u32,
    /// The client's index again.
    pub index: u32,
}

impl SockclntDelete {
    /// Reads a request.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::TrailingBytes`].
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::message("sockclnt_delete", payload)?;
        let request = Self {
            client_index: reader.u32()?,
            context: reader.u32()?,
            index: reader.u32()?,
        };
        reader.finish()?;
        Ok(request)
    }

    /// Appends the whole frame. The reply is a [`PlainReply`](super::empty_request::PlainReply) whose
    /// code (`response`) is 1.
    pub fn encode(&self, message_id: u16, out: &mut Vec<u8>) {
        let words = [self.client_index, self.context, self.index];
        put_words(out, message_id, &words);
    }
}
