//! The message ids that this VPP assigned to the messages of the bulk connection.

use bgpreflector_core::vpp::{MessageTable, messages};

use crate::error::VppError;

/// Message ids of this VPP.
#[derive(Clone, Copy)]
pub(super) struct Ids {
    pub(super) route: u16,
    pub(super) route_reply: u16,
    pub(super) route_dump: u16,
    pub(super) route_details: u16,
    pub(super) control_ping: u16,
    pub(super) control_ping_reply: u16,
    pub(super) keepalive: u16,
    pub(super) keepalive_reply: u16,
    pub(super) sockclnt_delete: u16,
    pub(super) sockclnt_delete_reply: u16,
}

impl Ids {
    /// Looks them up.
    ///
    /// # Errors
    /// [`VppError::Message`] for the first that is missing or has another layout.
    pub(super) fn of(table: &MessageTable) -> Result<Self, VppError> {
        let id = |name| {
            let id = table.id(name);
            id.map_err(|error| VppError::Message(error.to_string()))
        };
        Ok(Self {
            route: id(messages::IP_ROUTE_ADD_DEL_V2)?,
            route_reply: id(messages::IP_ROUTE_ADD_DEL_V2_REPLY)?,
            route_dump: id(messages::IP_ROUTE_V2_DUMP)?,
            route_details: id(messages::IP_ROUTE_V2_DETAILS)?,
            control_ping: id(messages::CONTROL_PING)?,
            control_ping_reply: id(messages::CONTROL_PING_REPLY)?,
            keepalive: id(messages::MEMCLNT_KEEPALIVE)?,
            keepalive_reply: id(messages::MEMCLNT_KEEPALIVE_REPLY)?,
            sockclnt_delete: id(messages::SOCKCLNT_DELETE)?,
            sockclnt_delete_reply: id(messages::SOCKCLNT_DELETE_REPLY)?,
        })
    }
}
