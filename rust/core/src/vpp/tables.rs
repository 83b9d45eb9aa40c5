//! VPP's tables (`ip_table_add_del`, `ip_table_dump` in `ip.api`). The dump's request is a
//! [`EmptyRequest`](super::empty_request::EmptyRequest), the reply to adding a
//! [`PlainReply`](super::empty_request::PlainReply).

use std::borrow::Cow;

use super::WireError;
use super::address::{family_number, family_of};
use super::bytes::{Reader, put_name};
use super::frame::put_message;
use crate::route::Family;

/// A table (`vl_api_ip_table_t`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpTable<'a> {
    /// VPP table (`table_id`).
    pub table: u32,
    /// Family: each has its own tables.
    pub family: Family,
    /// The name its maker gave, at most 63 bytes.
    pub name: Cow<'a, str>,
}

impl<'a> IpTable<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, WireError> {
        Ok(Self {
            table: reader.u32()?,
            family: family_of(reader.bool()?),
            name: reader.name()?,
        })
    }

    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        out.extend_from_slice(&self.table.to_be_bytes());
        out.push(family_number(self.family));
        put_name(out, "table name", &self.name)
    }
}

/// `ip_table_add_del`: adding a table that exists already is no error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpTableAddDel<'a> {
    /// The client's index.
    pub client_index: u32,
    /// Repeated in the reply.
    pub context: u32,
    /// Add, else delete.
    pub is_add: bool,
    /// The table.
    pub table: IpTable<'a>,
}

impl<'a> IpTableAddDel<'a> {
    /// Reads a request.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::TrailingBytes`].
    pub fn decode(payload: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader::message("ip_table_add_del", payload)?;
        let request = Self {
            client_index: reader.u32()?,
            context: reader.u32()?,
            is_add: reader.bool()?,
            table: IpTable::read(&mut reader)?,
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
        put_message(out, message_id, &words, |out| {
            out.push(self.is_add.into());
            self.table.put(out)
        })
    }
}

/// `ip_table_details`: one table of a dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpTableDetails<'a> {
    /// The dump's context.
    pub context: u32,
    /// The table.
    pub table: IpTable<'a>,
}

impl<'a> IpTableDetails<'a> {
    /// Reads a details message.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::TrailingBytes`].
    pub fn decode(payload: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader::message("ip_table_details", payload)?;
        let details = Self {
            context: reader.u32()?,
            table: IpTable::read(&mut reader)?,
        };
        reader.finish()?;
        Ok(details)
    }

    /// Appends the whole frame.
    ///
    /// # Errors
    /// [`WireError::Text`] if the name does not fit: nothing is appended.
    pub fn encode(&self, message_id: u16, out: &mut Vec<u8>) -> Result<(), WireError> {
        put_message(out, message_id, &[self.context], |out| self.table.put(out))
    }
}
