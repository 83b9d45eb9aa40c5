//! The API's description and message table, for `get_api_json` and the handshake.

use std::collections::{BTreeMap, BTreeSet};

use bgpreflector_core::vpp::MessageName;
use bgpreflector_core::vpp::messages::{
    ALL, SOCKCLNT_CREATE, SOCKCLNT_CREATE_ID, SOCKCLNT_CREATE_REPLY, SOCKCLNT_CREATE_REPLY_ID,
};

use crate::releases::Release;

macro_rules! messages {
    ($($constant:ident = $name:literal, $crc:literal;)*) => {
        $(pub(crate) const $constant: MessageName = MessageName { name: $name, crc: $crc };)*

        /// Messages that only the simulator uses.
        const MORE: &[MessageName] = &[$($constant),*];
    };
}

messages! {
    API_VERSIONS = "api_versions", "51077d14";
    API_VERSIONS_REPLY = "api_versions_reply", "5f0d99d6";
    CREATE_LOOPBACK_INSTANCE = "create_loopback_instance", "d36a3ee2";
    CREATE_LOOPBACK_INSTANCE_REPLY = "create_loopback_instance_reply", "5383d31f";
    SW_INTERFACE_ADD_DEL_ADDRESS = "sw_interface_add_del_address", "5463d73b";
    SW_INTERFACE_ADD_DEL_ADDRESS_REPLY = "sw_interface_add_del_address_reply", "e8d4e804";
    SW_INTERFACE_GET_TABLE = "sw_interface_get_table", "2d033de4";
    SW_INTERFACE_GET_TABLE_REPLY = "sw_interface_get_table_reply", "a6eb0109";
    IP_TABLE_ADD_DEL_V2 = "ip_table_add_del_v2", "14e5081f";
    IP_TABLE_ADD_DEL_V2_REPLY = "ip_table_add_del_v2_reply", "e8d4e804";
    IP_TABLE_ALLOCATE = "ip_table_allocate", "b9d2e09e";
    IP_TABLE_ALLOCATE_REPLY = "ip_table_allocate_reply", "1728303a";
}

const API: &str = include_str!("api.json");
/// Bytes before each message.
const FRAME_HEADER: usize = 16;
/// The first id of messages without a fixed one.
const FIRST_ID: u16 = 100;

/// The messages' ids, and deviations from VPP.
#[derive(Debug, Default)]
pub(crate) struct Description {
    /// CRCs replaced by faults.
    changed: BTreeMap<String, String>,
    removed: BTreeSet<String>,
    /// Ids of a release: our id to the id on the wire, and back.
    wire: BTreeMap<u16, u16>,
    own: BTreeMap<u16, u16>,
}

impl Description {
    /// The messages of a release, without those that it does not have.
    pub(crate) fn of(release: Option<&Release>) -> Self {
        let mut description = Self::default();
        let Some(release) = release else {
            return description;
        };
        for message in all() {
            match (id(message), release.messages.get(&message.to_string())) {
                (Some(own), Some(wire)) => {
                    description.wire.insert(own, *wire);
                    description.own.insert(*wire, own);
                }
                _ => description.remove(message.name.to_owned()),
            }
        }
        description
    }

    /// Whether ids on the wire differ from ours.
    pub(crate) fn translates(&self) -> bool {
        !self.wire.is_empty()
    }

    /// The id on the wire of one of our messages.
    pub(crate) fn to_wire(&self, own: u16) -> u16 {
        self.wire.get(&own).copied().unwrap_or(own)
    }

    /// The message with an id on the wire.
    pub(crate) fn message(&self, wire: u16) -> Option<MessageName> {
        let own = if self.translates() {
            *self.own.get(&wire)?
        } else {
            wire
        };
        message(own).filter(|message| !self.removed.contains(message.name))
    }

    /// Translates the frames' ids to those on the wire.
    pub(crate) fn translate(&self, mut frames: &mut [u8]) {
        if !self.translates() {
            return;
        }
        while let Some((head, rest)) = frames.split_at_mut_checked(FRAME_HEADER) {
            let length = head.get(8..12).and_then(|bytes| bytes.try_into().ok());
            let length = length.map_or(0, u32::from_be_bytes) as usize;
            let Some((message, later)) = rest.split_at_mut_checked(length) else {
                return;
            };
            if let Some(number) = message.first_chunk_mut::<2>() {
                *number = self.to_wire(u16::from_be_bytes(*number)).to_be_bytes();
            }
            frames = later;
        }
    }

    pub(crate) fn change_crc(&mut self, message: String, crc: String) {
        self.changed.insert(message, crc);
    }

    pub(crate) fn remove(&mut self, message: String) {
        self.removed.insert(message);
    }

    /// `name_crc` and id of every message.
    pub(crate) fn table(&self) -> Vec<(u16, String)> {
        all()
            .filter(|message| !self.removed.contains(message.name))
            .filter_map(|message| Some((self.to_wire(id(message)?), self.name(message))))
            .collect()
    }

    fn name(&self, message: MessageName) -> String {
        match self.changed.get(message.name) {
            Some(crc) => format!("{}_{crc}", message.name),
            None => message.to_string(),
        }
    }

    /// The description in VPP's format: a list of modules.
    pub(crate) fn json(&self) -> String {
        format!("[{}]", self.module())
    }

    /// The one module.
    pub(crate) fn module(&self) -> String {
        // Messages may share a CRC, so the changed one is located by its own line.
        let line = |line: &str| {
            let name = line.trim_start().strip_prefix("[\"");
            let name = name.and_then(|rest| rest.split('"').next());
            let message = all().find(|message| Some(message.name) == name);
            match message.and_then(|m| Some((m.crc, self.changed.get(m.name)?))) {
                Some((crc, changed)) => line.replace(&format!("0x{crc}"), &format!("0x{changed}")),
                None => line.to_owned(),
            }
        };
        API.lines().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// All messages.
pub(crate) fn all() -> impl Iterator<Item = MessageName> {
    ALL.iter().chain(MORE).copied()
}

/// The id of a message in the simulator.
pub(crate) fn id(message: MessageName) -> Option<u16> {
    match message {
        SOCKCLNT_CREATE => Some(SOCKCLNT_CREATE_ID),
        SOCKCLNT_CREATE_REPLY => Some(SOCKCLNT_CREATE_REPLY_ID),
        _ => {
            let position = all().position(|other| other == message)?;
            u16::try_from(position).ok()?.checked_add(FIRST_ID)
        }
    }
}

fn message(id: u16) -> Option<MessageName> {
    match id {
        SOCKCLNT_CREATE_ID => Some(SOCKCLNT_CREATE),
        _ => all().nth(usize::from(id.checked_sub(FIRST_ID)?)),
    }
}
