//! One dump: the request, its replies, and how it ended.

use std::io;
use std::thread;

use ahash::AHashSet;
use bgpreflector_core::netlink::{DecodeError, PartialMessage, Payload, RawMessage, RawMessages};
use bgpreflector_core::route::Prefix;

use crate::error::KernelError;
use crate::state::EngineState;

use super::apply;
use super::presence::{self, Consulted, Presence};
use super::read_ahead::ReadAhead;
use super::socket::RouteSocket;

/// The result of a dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The kernel showed everything.
    Complete,
    /// The kernel marked the dump as inconsistent (`NLM_F_DUMP_INTR`).
    Interrupted,
}

/// The messages in a buffer of a dump.
pub(super) struct Replies<'a> {
    messages: RawMessages<'a>,
    shared: &'a EngineState,
    sequence: u32,
    ended: Ended,
    done: Option<i32>,
}

impl Replies<'_> {
    /// An undecodable message may have been any route, so the dump does not show what is gone.
    pub(super) fn malformed(&mut self, error: &DecodeError) {
        apply::malformed(self.shared, error);
        self.ended = Ended::Interrupted;
    }
}

impl<'a> Iterator for Replies<'a> {
    type Item = (RawMessage<'a>, PartialMessage<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let read = |raw: RawMessage<'a>| Ok((raw, raw.read_partial()?));
            match self.messages.next()?.and_then(read) {
                Ok((raw, _)) if raw.header.sequence != self.sequence => {}
                Ok((raw, message)) => {
                    if raw.header.dump_interrupted() {
                        self.ended = Ended::Interrupted;
                    }
                    match end(&message) {
                        None => return Some((raw, message)),
                        errno => self.done = errno,
                    }
                }
                Err(error) => self.malformed(&error),
            }
        }
    }
}

/// The error number of a message that ends a dump.
fn end(message: &PartialMessage<'_>) -> Option<i32> {
    let PartialMessage::Other(payload) = message else {
        return None;
    };
    match **payload {
        Payload::Done(errno) | Payload::Error { errno, .. } => Some(errno),
        _ => None,
    }
}

/// A socket for successive dumps.
pub(super) struct Dumper {
    socket: RouteSocket,
    sequence: u32,
}

impl Dumper {
    pub(super) fn open() -> Result<Self, KernelError> {
        let socket = RouteSocket::open(0)?;
        socket.check_strictly()?;
        let sequence = 0;
        Ok(Self { socket, sequence })
    }

    #[cfg(test)]
    pub(super) fn of(socket: RouteSocket) -> Self {
        let sequence = 0;
        Self { socket, sequence }
    }

    /// Sends the request that `request` builds from a sequence number and passes the reply's
    /// messages, one buffer at a time, to `take`. The next buffers are read concurrently, since the
    /// kernel needs longer to fill one than `take` to process it.
    pub(super) fn dump(
        &mut self,
        shared: &EngineState,
        what: &'static str,
        request: impl FnOnce(u32) -> Vec<u8>,
        mut take: impl FnMut(&mut Replies<'_>) -> Result<(), KernelError>,
    ) -> Result<Ended, KernelError> {
        let result = self.run(shared, what, request, &mut take);
        self.socket.count_senders(&shared.kernel);
        result
    }

    fn run(
        &mut self,
        shared: &EngineState,
        what: &'static str,
        request: impl FnOnce(u32) -> Vec<u8>,
        take: &mut impl FnMut(&mut Replies<'_>) -> Result<(), KernelError>,
    ) -> Result<Ended, KernelError> {
        self.sequence = self.sequence.wrapping_add(1);
        let (socket, sequence) = (&self.socket, self.sequence);
        let failed = |source: io::Error| KernelError::Dump { what, source };
        socket.send(&request(sequence)).map_err(failed)?;
        thread::scope(|scope| {
            let ahead = ReadAhead::start(scope, socket, what, sequence).map_err(failed)?;
            let mut ended = Ended::Complete;
            loop {
                let buffer = ahead.next()?;
                shared.beat_in_resync();
                let mut replies = Replies {
                    messages: RawMessages::new(&buffer),
                    shared,
                    sequence,
                    ended,
                    done: None,
                };
                take(&mut replies)?;
                ended = replies.ended;
                if let Some(errno) = replies.done {
                    return outcome(errno).map(|()| ended).map_err(failed);
                }
                ahead.give_back(buffer);
            }
        })
    }
}

impl Dumper {
    /// The tables that every lookup consults.
    pub(super) fn consulted(&mut self) -> Result<Consulted, KernelError> {
        presence::consulted(&self.socket, &mut self.sequence)
    }

    /// Looks up each of the prefixes, by kernel table ([`presence::look_up_prefixes`]).
    pub(super) fn look_up_prefixes(
        &mut self,
        shared: &EngineState,
        prefixes: &[(u32, Prefix)],
        cached: &AHashSet<(u32, Prefix)>,
        consulted: &Consulted,
    ) -> Result<Presence, KernelError> {
        let (socket, sequence) = (&self.socket, &mut self.sequence);
        let on_progress = || shared.beat_in_resync();
        presence::look_up_prefixes(socket, sequence, prefixes, cached, consulted, &on_progress)
    }
}

/// A table or an interface that does not exist has no routes: the kernel answers `ENOENT` or
/// `ENODEV`.
fn outcome(errno: i32) -> io::Result<()> {
    match errno.saturating_abs() {
        0 | libc::ENOENT | libc::ENODEV => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

#[cfg(test)]
mod tests {
    use bgpreflector_core::netlink::link_dump;
    use bgpreflector_core::table::Scope;

    use super::{Dumper, Ended, EngineState};

    #[test]
    fn a_dump_whose_reading_breaks_off_fails_with_the_reason() {
        let shared = EngineState::new(Scope::default());
        let dump = |what| {
            let mut dumper = Dumper::open().unwrap();
            let taken = |replies: &mut super::Replies<'_>| {
                replies.for_each(drop);
                Ok(())
            };
            dumper.dump(&shared, what, link_dump, taken)
        };
        let failed = dump("what breaks off").unwrap_err().to_string();
        assert!(failed.contains("thread bgpr-dump panicked"), "{failed}");
        let failed = dump("what gets no thread").unwrap_err().to_string();
        assert!(failed.contains("what gets no thread"), "{failed}");
        assert_eq!(dump("links").unwrap(), Ended::Complete);
    }
}
