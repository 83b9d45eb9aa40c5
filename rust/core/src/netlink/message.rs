//! Messages (`struct nlmsghdr`, `linux/netlink.h`) in a buffer.

use super::address;
use super::attributes::{Attributes, align};
use super::constants::{
    NLM_F_ACK_TLVS, NLM_F_APPEND, NLM_F_CAPPED, NLM_F_DUMP_INTR, NLM_F_REPLACE, NLMSG_DONE,
    NLMSG_ERROR, NLMSG_NOOP, NLMSG_OVERRUN, NLMSGERR_ATTR_MSG, RTM_DELADDR, RTM_DELLINK,
    RTM_DELNEXTHOP, RTM_DELROUTE, RTM_NEWADDR, RTM_NEWLINK, RTM_NEWNEXTHOP, RTM_NEWROUTE,
    RTM_NEWRULE,
};
use super::error::{DecodeError, DecodeErrorKind, SkipReason};
use super::link;
use super::nexthop_object;
use super::route::{self, EncodedRoute, PartialMessage};
use super::rule;
use super::types::{Action, Payload};

const NLMSGHDR: usize = 16;

/// `struct nlmsghdr` without its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// `nlmsg_type`.
    pub kind: u16,
    /// `nlmsg_flags`.
    pub flags: u16,
    /// `nlmsg_seq`: that of the request which this answers.
    pub sequence: u32,
    /// `nlmsg_pid`: the port id of the process that caused it.
    pub port: u32,
}

impl Header {
    /// `NLM_F_DUMP_INTR`: the dumped data changed, so the dump is inconsistent.
    #[must_use]
    pub const fn dump_interrupted(&self) -> bool {
        self.flags & NLM_F_DUMP_INTR != 0
    }

    /// `NLM_F_REPLACE`: a new route replaces another.
    #[must_use]
    pub const fn replace(&self) -> bool {
        self.flags & NLM_F_REPLACE != 0
    }

    /// `NLM_F_APPEND`: a new route follows others with its key.
    #[must_use]
    pub const fn append(&self) -> bool {
        self.flags & NLM_F_APPEND != 0
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its header.
    pub header: Header,
    /// The decoded payload.
    pub payload: Payload,
}

/// A message with its payload not yet decoded.
#[derive(Clone, Copy, Debug)]
pub struct RawMessage<'a> {
    /// Its header.
    pub header: Header,
    offset: usize,
    payload: &'a [u8],
}

impl<'a> RawMessage<'a> {
    /// Decodes the payload.
    ///
    /// # Errors
    /// [`DecodeError`] if it is malformed.
    pub fn read(&self) -> Result<Payload, DecodeError> {
        decode_payload(&self.header, self.payload).map_err(|problem| self.error(problem))
    }

    /// Reads the payload, but for the next hops of a route that comes.
    ///
    /// # Errors
    /// [`DecodeError`] where it is malformed.
    // A call would hand the route over in memory, written in pieces and read as a whole, for which
    // the processor waits: twice a route, longer than the reading takes.
    #[inline(always)]
    pub fn read_partial(&self) -> Result<PartialMessage<'a>, DecodeError> {
        if self.header.kind != RTM_NEWROUTE {
            return self
                .read()
                .map(|payload| PartialMessage::Other(Box::new(payload)));
        }
        EncodedRoute::read(self.payload).map_err(|problem| self.error(problem))
    }

    /// The error for a problem in this message.
    #[must_use]
    pub fn error(&self, problem: DecodeErrorKind) -> DecodeError {
        DecodeError {
            kind: self.header.kind,
            offset: self.offset,
            problem,
        }
    }
}

/// The messages of a buffer as `recvmsg` filled it, not yet decoded.
pub struct RawMessages<'a> {
    buffer: &'a [u8],
    offset: usize,
}

impl<'a> RawMessages<'a> {
    /// Starts at the beginning of the buffer.
    #[must_use]
    pub const fn new(buffer: &'a [u8]) -> Self {
        Self { buffer, offset: 0 }
    }

    /// Nobody knows where the next message begins.
    fn end(&mut self, kind: u16, problem: DecodeErrorKind) -> DecodeError {
        let offset = std::mem::replace(&mut self.offset, self.buffer.len());
        DecodeError {
            kind,
            offset,
            problem,
        }
    }
}

impl<'a> Iterator for RawMessages<'a> {
    type Item = Result<RawMessage<'a>, DecodeError>;

    /// The next message; one whose length does not fit ends the iteration.
    fn next(&mut self) -> Option<Self::Item> {
        let rest = self
            .buffer
            .get(self.offset..)
            .filter(|rest| !rest.is_empty())?;
        let Some((bytes, _)) = rest.split_first_chunk::<NLMSGHDR>() else {
            return Some(Err(self.end(0, DecodeErrorKind::Short("struct nlmsghdr"))));
        };
        let (length, header) = header(bytes);
        let Some(payload) = rest.get(NLMSGHDR..length) else {
            let left = rest.len();
            return Some(Err(
                self.end(header.kind, DecodeErrorKind::Length { length, left })
            ));
        };
        let offset = self.offset;
        self.offset = offset.saturating_add(align(length));
        Some(Ok(RawMessage {
            header,
            offset,
            payload,
        }))
    }
}

/// The messages of a buffer as `recvmsg` filled it.
pub struct Messages<'a>(RawMessages<'a>);

impl<'a> Messages<'a> {
    /// Starts at the beginning of the buffer.
    #[must_use]
    pub const fn new(buffer: &'a [u8]) -> Self {
        Self(RawMessages::new(buffer))
    }
}

impl Iterator for Messages<'_> {
    type Item = Result<Message, DecodeError>;

    /// The next message. A malformed one is an error and the iteration continues after it; one
    /// whose length does not fit ends it.
    fn next(&mut self) -> Option<Self::Item> {
        let raw = match self.0.next()? {
            Ok(raw) => raw,
            Err(error) => return Some(Err(error)),
        };
        Some(raw.read().map(|payload| Message {
            header: raw.header,
            payload,
        }))
    }
}

fn header(bytes: &[u8; NLMSGHDR]) -> (usize, Header) {
    let word = |at: usize| u32::from_ne_bytes(part(bytes, at));
    let half = |at: usize| u16::from_ne_bytes(part(bytes, at));
    let header = Header {
        kind: half(4),
        flags: half(6),
        sequence: word(8),
        port: word(12),
    };
    (word(0) as usize, header)
}

/// Some of the bytes, read with one load.
fn part<const N: usize>(bytes: &[u8; NLMSGHDR], at: usize) -> [u8; N] {
    let part = bytes.get(at..).and_then(<[u8]>::first_chunk);
    part.copied().unwrap_or([0; N])
}

fn decode_payload(header: &Header, payload: &[u8]) -> Result<Payload, DecodeErrorKind> {
    match header.kind {
        RTM_NEWROUTE => route::decode(Action::New, payload),
        RTM_DELROUTE => route::decode(Action::Delete, payload),
        RTM_NEWLINK => link::decode(Action::New, payload),
        RTM_DELLINK => link::decode(Action::Delete, payload),
        RTM_NEWADDR | RTM_DELADDR => address::decode(payload),
        RTM_NEWNEXTHOP => nexthop_object::decode(Action::New, payload),
        RTM_DELNEXTHOP => nexthop_object::decode(Action::Delete, payload),
        RTM_NEWRULE => rule::decode(payload),
        NLMSG_DONE => {
            // A dump whose end cannot be read must not count as a whole one.
            let errno = payload
                .first_chunk::<4>()
                .ok_or(DecodeErrorKind::Short("error number"))?;
            Ok(Payload::Done(i32::from_ne_bytes(*errno)))
        }
        NLMSG_ERROR => error(header, payload),
        NLMSG_OVERRUN => Ok(Payload::Overrun),
        NLMSG_NOOP => Ok(Payload::Noop),
        _ => Ok(Payload::Skipped(SkipReason::Type)),
    }
}

/// `struct nlmsgerr`: the error number, the request (only its header if capped), attributes.
fn error(header: &Header, payload: &[u8]) -> Result<Payload, DecodeErrorKind> {
    let short = DecodeErrorKind::Short("struct nlmsgerr");
    let (errno, request) = payload.split_first_chunk::<4>().ok_or(short)?;
    let errno = i32::from_ne_bytes(*errno);
    if header.flags & NLM_F_ACK_TLVS == 0 {
        return Ok(Payload::Error { errno, text: None });
    }
    let length = request.first_chunk::<4>().ok_or(short)?;
    let length = match header.flags & NLM_F_CAPPED {
        0 => align(u32::from_ne_bytes(*length) as usize),
        _ => NLMSGHDR,
    };
    let attributes = Attributes::new(request.get(length..).unwrap_or_default());
    let text = attributes
        .flatten()
        .find(|(kind, _)| *kind == NLMSGERR_ATTR_MSG);
    let text = text.map(|(_, value)| {
        String::from_utf8_lossy(value)
            .trim_end_matches('\0')
            .to_owned()
            .into_boxed_str()
    });
    Ok(Payload::Error { errno, text })
}
