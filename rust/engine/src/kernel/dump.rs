//! One dump: the request, its replies, and how it ended.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use bgpreflector_core::netlink::{Body, DecodeError, RawMessage, RawMessages, Shallow};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::error::KernelError;
use crate::shared::Shared;

use super::follow;
use super::socket::RouteSocket;

/// The kernel fills at most 32 KiB a read.
const BUFFER: usize = 64 * 1024;
const TIMEOUT: Duration = Duration::from_secs(30);
const TIMEOUT_MS: u16 = 30_000;

/// How a dump ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The kernel showed everything.
    Whole,
    /// The kernel says that the dump is not consistent (`NLM_F_DUMP_INTR`).
    Interrupted,
}

/// What a buffer of a dump shows.
pub(super) struct Replies<'a> {
    messages: RawMessages<'a>,
    shared: &'a Shared,
    sequence: u32,
    ended: Ended,
    done: Option<i32>,
}

impl Replies<'_> {
    /// What cannot be decoded may have been any route, so the dump does not tell what is gone.
    pub(super) fn malformed(&mut self, error: &DecodeError) {
        follow::malformed(self.shared, error);
        self.ended = Ended::Interrupted;
    }
}

impl<'a> Iterator for Replies<'a> {
    type Item = (RawMessage<'a>, Shallow<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let read = |raw: RawMessage<'a>| Ok((raw, raw.read_shallow()?));
            match self.messages.next()?.and_then(read) {
                Ok((raw, _)) if raw.header.sequence != self.sequence => {}
                Ok((raw, message)) => {
                    if raw.header.dump_interrupted() {
                        self.ended = Ended::Interrupted;
                    }
                    match message {
                        Shallow::Other(Body::Done(errno) | Body::Error { errno, .. }) => {
                            self.done = Some(errno);
                        }
                        message => return Some((raw, message)),
                    }
                }
                Err(error) => self.malformed(&error),
            }
        }
    }
}

/// A socket for dumps, one after the other.
pub(super) struct Dumper {
    socket: RouteSocket,
    buffer: Vec<u8>,
    sequence: u32,
}

impl Dumper {
    pub(super) fn open() -> Result<Self, KernelError> {
        let socket = RouteSocket::open(0)?;
        socket.check_strictly()?;
        Ok(Self {
            socket,
            buffer: vec![0; BUFFER],
            sequence: 0,
        })
    }

    /// Sends the request that `request` makes of a sequence number and gives the reply's messages,
    /// a buffer at a time, to `take`.
    pub(super) fn dump(
        &mut self,
        shared: &Shared,
        what: &'static str,
        request: impl FnOnce(u32) -> Vec<u8>,
        mut take: impl FnMut(&mut Replies<'_>) -> Result<(), KernelError>,
    ) -> Result<Ended, KernelError> {
        self.sequence = self.sequence.wrapping_add(1);
        let failed = |source: io::Error| KernelError::Dump { what, source };
        self.socket.send(&request(self.sequence)).map_err(failed)?;
        let mut ended = Ended::Whole;
        loop {
            let length = self.receive(what)?;
            let mut replies = Replies {
                messages: RawMessages::new(self.buffer.get(..length).unwrap_or_default()),
                shared,
                sequence: self.sequence,
                ended,
                done: None,
            };
            take(&mut replies)?;
            ended = replies.ended;
            if let Some(errno) = replies.done {
                return outcome(errno).map(|()| ended).map_err(failed);
            }
        }
    }

    fn receive(&mut self, what: &'static str) -> Result<usize, KernelError> {
        loop {
            match self.socket.receive(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let mut waited = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
                    let ready = poll(&mut waited, PollTimeout::from(TIMEOUT_MS));
                    match ready {
                        Ok(0) => {
                            return Err(KernelError::DumpTimeout {
                                what,
                                timeout: TIMEOUT,
                            });
                        }
                        Ok(_) | Err(Errno::EINTR) => {}
                        Err(error) => {
                            return Err(KernelError::Dump {
                                what,
                                source: error.into(),
                            });
                        }
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(KernelError::Dump { what, source }),
                Ok(length) => return Ok(length),
            }
        }
    }
}

/// A table or an interface that does not exist has no routes: the kernel says so with `ENOENT`
/// and `ENODEV`.
fn outcome(errno: i32) -> io::Result<()> {
    match errno.saturating_abs() {
        0 | libc::ENOENT | libc::ENODEV => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}
