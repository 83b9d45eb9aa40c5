//! One dump: the request, its replies, and how it ended.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use bgpreflector_core::netlink::{Body, Message, Messages};
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
        mut take: impl FnMut(Vec<Message>) -> Result<(), KernelError>,
    ) -> Result<Ended, KernelError> {
        self.sequence = self.sequence.wrapping_add(1);
        let failed = |source: io::Error| KernelError::Dump { what, source };
        self.socket.send(&request(self.sequence)).map_err(failed)?;
        let mut ended = Ended::Whole;
        loop {
            let length = self.receive(what)?;
            let bytes = self.buffer.get(..length).unwrap_or_default();
            let mut messages = Vec::with_capacity(512);
            let mut done = None;
            for message in Messages::new(bytes) {
                match message {
                    Ok(message) if message.header.sequence != self.sequence => {}
                    Ok(message) => {
                        if message.header.dump_interrupted() {
                            ended = Ended::Interrupted;
                        }
                        match message.body {
                            Body::Done(errno) => done = Some(errno),
                            Body::Error { errno, .. } => done = Some(errno),
                            _ => messages.push(message),
                        }
                    }
                    Err(error) => {
                        follow::malformed(shared, &error);
                        ended = Ended::Interrupted;
                    }
                }
            }
            take(messages)?;
            if let Some(errno) = done {
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
