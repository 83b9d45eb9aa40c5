//! Which id each message has in the VPP at the other end.

use ahash::AHashMap;

use super::{MessageError, MessageName};

#[derive(Clone, Debug)]
struct Entry {
    id: u16,
    crc: Box<str>,
}

/// VPP's message ids by name, as `sockclnt_create_reply` lists them.
#[derive(Clone, Debug, Default)]
pub struct MessageTable {
    entries: AHashMap<Box<str>, Entry>,
}

impl MessageTable {
    /// The table's entry for a text `name_crc` and its id. The CRC is what follows the last
    /// underscore.
    pub fn insert(&mut self, name_crc: &str, id: u16) {
        let (name, crc) = name_crc.rsplit_once('_').unwrap_or((name_crc, ""));
        let crc = crc.into();
        self.entries.insert(name.into(), Entry { id, crc });
    }

    /// The id of `message` in this VPP.
    ///
    /// # Errors
    /// [`MessageError::Missing`] if VPP has no message of the name, [`MessageError::Crc`] if its
    /// layout is another one.
    pub fn id(&self, message: MessageName) -> Result<u16, MessageError> {
        let MessageName {
            name,
            crc: expected,
        } = message;
        match self.entries.get(name) {
            None => Err(MessageError::Missing { name, expected }),
            Some(entry) if &*entry.crc == expected => Ok(entry.id),
            Some(entry) => Err(MessageError::Crc {
                name,
                expected,
                found: entry.crc.to_string(),
            }),
        }
    }

    /// The message that has `id` here, as `(name, crc)`, for reports: it searches the table.
    #[must_use]
    pub fn name(&self, id: u16) -> Option<(&str, &str)> {
        self.entries
            .iter()
            .find(|(_, entry)| entry.id == id)
            .map(|(name, entry)| (&**name, &*entry.crc))
    }

    /// How many messages VPP has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no message at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<'a> FromIterator<(u16, &'a str)> for MessageTable {
    fn from_iter<I: IntoIterator<Item = (u16, &'a str)>>(entries: I) -> Self {
        let mut table = Self::default();
        for (id, name_crc) in entries {
            table.insert(name_crc, id);
        }
        table
    }
}
