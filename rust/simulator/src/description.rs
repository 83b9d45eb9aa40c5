//! The API's description and message table: what `get_api_json` and the handshake hand out.

use std::collections::BTreeMap;

use bgpreflector_core::vpp::MessageName;
use bgpreflector_core::vpp::messages::{
    ALL, SOCKCLNT_CREATE, SOCKCLNT_CREATE_ID, SOCKCLNT_CREATE_REPLY, SOCKCLNT_CREATE_REPLY_ID,
};

const API: &str = include_str!("api.json");
/// Where the ids of messages without a fixed one begin.
const FIRST_ID: u16 = 100;

/// The messages' ids, and their CRCs where they are not the right ones.
#[derive(Debug, Default)]
pub(crate) struct Description {
    changed: BTreeMap<String, String>,
}

impl Description {
    pub(crate) fn change_crc(&mut self, message: String, crc: String) {
        self.changed.insert(message, crc);
    }

    /// `name_crc` and id of every message.
    pub(crate) fn table(&self) -> Vec<(u16, String)> {
        ALL.iter()
            .filter_map(|message| Some((id(*message)?, self.name(*message))))
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
        // Messages may share a CRC, so a changed one is looked for on its message's own line.
        let line = |line: &str| {
            let name = line.trim_start().strip_prefix("[\"");
            let name = name.and_then(|rest| rest.split('"').next());
            let message = ALL.iter().find(|message| Some(message.name) == name);
            match message.and_then(|m| Some((m.crc, self.changed.get(m.name)?))) {
                Some((crc, changed)) => line.replace(&format!("0x{crc}"), &format!("0x{changed}")),
                None => line.to_owned(),
            }
        };
        let text = API.lines().map(line).collect::<Vec<_>>().join("\n");
        format!("[{text}]")
    }
}

/// Id of a message here.
pub(crate) fn id(message: MessageName) -> Option<u16> {
    match message {
        SOCKCLNT_CREATE => Some(SOCKCLNT_CREATE_ID),
        SOCKCLNT_CREATE_REPLY => Some(SOCKCLNT_CREATE_REPLY_ID),
        _ => {
            let place = ALL.iter().position(|other| *other == message)?;
            u16::try_from(place).ok()?.checked_add(FIRST_ID)
        }
    }
}

/// The message of an id here.
pub(crate) fn message(id: u16) -> Option<MessageName> {
    match id {
        SOCKCLNT_CREATE_ID => Some(SOCKCLNT_CREATE),
        _ => ALL.get(usize::from(id.checked_sub(FIRST_ID)?)).copied(),
    }
}
