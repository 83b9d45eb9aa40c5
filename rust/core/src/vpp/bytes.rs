//! Reading and writing the API's fields: big-endian, packed.

use std::borrow::Cow;

use super::WireError;

/// Bytes of a `string name[64]` field, its closing NUL included.
pub const NAME_LENGTH: usize = 64;

/// Takes fields off the front of a message.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    message: &'static str,
    length: usize,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads `bytes`; `message` is the name that errors give.
    #[must_use]
    pub const fn new(message: &'static str, bytes: &'a [u8]) -> Self {
        Self {
            message,
            length: bytes.len(),
            rest: bytes,
        }
    }

    /// Reads a message's bytes behind its u16 id.
    ///
    /// # Errors
    /// [`WireError::Truncated`] if there is no id.
    pub fn message(message: &'static str, payload: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Self::new(message, payload);
        reader.u16()?;
        Ok(reader)
    }

    fn truncated(&self, wanted: usize) -> WireError {
        WireError::Truncated {
            message: self.message,
            length: self.length,
            needed: (self.length - self.rest.len()).saturating_add(wanted),
        }
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`WireError::Truncated`] if fewer are left; so for every other field.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (head, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or_else(|| self.truncated(N))?;
        self.rest = rest;
        Ok(*head)
    }

    /// The next `count` bytes, borrowed.
    ///
    /// # Errors
    /// [`WireError::Truncated`]
    pub fn slice(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let (head, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| self.truncated(count))?;
        self.rest = rest;
        Ok(head)
    }

    /// A u8.
    ///
    /// # Errors
    /// [`WireError::Truncated`]
    pub fn u8(&mut self) -> Result<u8, WireError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// A bool: any byte but 0 is true, as VPP takes it.
    ///
    /// # Errors
    /// [`WireError::Truncated`]
    pub fn bool(&mut self) -> Result<bool, WireError> {
        self.u8().map(|byte| byte != 0)
    }

    /// A u16.
    ///
    /// # Errors
    /// [`WireError::Truncated`]
    pub fn u16(&mut self) -> Result<u16, WireError> {
        self.array().map(u16::from_be_bytes)
    }

    /// A u32.
    ///
    /// # Errors
    /// [`WireError::Truncated`]
    pub fn u32(&mut self) -> Result<u32, WireError> {
        self.array().map(u32::from_be_bytes)
    }

    /// An i32.
    ///
    /// # Errors
    /// [`WireError::Truncated`]
    pub fn i32(&mut self) -> Result<i32, WireError> {
        self.array().map(i32::from_be_bytes)
    }

    /// A `string name[64]` up to its NUL. What is not UTF-8 is replaced: names are other
    /// clients' texts, and one of them must not make a dump unreadable.
    ///
    /// # Errors
    /// [`WireError::Truncated`]
    pub fn name(&mut self) -> Result<Cow<'a, str>, WireError> {
        let field = self.slice(NAME_LENGTH)?;
        let text = field.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok(String::from_utf8_lossy(text))
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    /// [`WireError::TrailingBytes`] if something is.
    pub const fn finish(self) -> Result<(), WireError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(WireError::TrailingBytes {
                message: self.message,
                extra: self.rest.len(),
            })
        }
    }
}

/// Appends a `string name[64]`.
///
/// # Errors
/// [`WireError::Text`] if `text` has more than 63 bytes or a NUL: nothing is appended.
pub fn put_name(out: &mut Vec<u8>, field: &'static str, text: &str) -> Result<(), WireError> {
    let padding = NAME_LENGTH.saturating_sub(text.len());
    if padding == 0 || text.bytes().any(|byte| byte == 0) {
        return Err(WireError::Text {
            field,
            text: text.to_owned(),
            limit: NAME_LENGTH - 1,
        });
    }
    out.extend_from_slice(text.as_bytes());
    out.resize(out.len() + padding, 0);
    Ok(())
}

/// The id that leads a message, none if there are not even two bytes.
#[must_use]
pub fn message_id(payload: &[u8]) -> Option<u16> {
    payload.first_chunk().copied().map(u16::from_be_bytes)
}

/// Client index and context of a request: the two u32 behind the id.
///
/// # Errors
/// [`WireError::Truncated`]
pub fn request_header(payload: &[u8]) -> Result<(u32, u32), WireError> {
    let mut reader = Reader::message("request", payload)?;
    Ok((reader.u32()?, reader.u32()?))
}
