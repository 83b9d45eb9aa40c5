//! Reads a dump's next buffers while one is processed.

use std::io;
use std::thread::{Builder, Scope};
use std::time::Duration;

use bgpreflector_core::netlink::RawMessages;
use bgpreflector_core::netlink::constants::{NLMSG_DONE, NLMSG_ERROR};
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::error::KernelError;
use crate::panics;

use super::socket::RouteSocket;

/// The kernel fills at most 32 KiB per read.
const READ_LENGTH: usize = 64 * 1024;
/// Bytes of several reads, since waking the other thread costs as much as a hundred routes.
const BUFFER: usize = 256 * 1024;
/// Buffers in flight.
const BUFFERS_AHEAD: usize = 4;
const TIMEOUT: Duration = Duration::from_secs(30);

type Filled = Result<Vec<u8>, KernelError>;

/// The buffers of one dump. Dropping it ends its thread at the next buffer.
pub(super) struct ReadAhead {
    what: &'static str,
    filled: Receiver<Filled>,
    empty: Sender<Vec<u8>>,
}

impl ReadAhead {
    /// Starts to read the dump that was requested with `sequence`, to its end.
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        socket: &'scope RouteSocket,
        what: &'static str,
        sequence: u32,
    ) -> io::Result<Self> {
        let (fill, filled) = bounded(BUFFERS_AHEAD);
        let (empty, emptied) = bounded(BUFFERS_AHEAD);
        let read = move || read_all(socket, what, sequence, &fill, &emptied);
        let thread = Builder::new().name("bgpr-dump".into());
        #[cfg(test)]
        let thread = match what {
            // No address space has room for its stack.
            "what gets no thread" => thread.stack_size(usize::MAX >> 2),
            _ => thread,
        };
        thread.spawn_scoped(scope, read)?;
        let made = Self {
            what,
            filled,
            empty,
        };
        for _ in 0..BUFFERS_AHEAD {
            made.give_back(Vec::new());
        }
        Ok(made)
    }

    /// The next buffer.
    pub(super) fn next(&self) -> Filled {
        let gone = |_| KernelError::Dump {
            what: self.what,
            source: io::ErrorKind::UnexpectedEof.into(),
        };
        self.filled.recv().map_err(gone)?
    }

    /// Returns a buffer to be filled again.
    pub(super) fn give_back(&self, buffer: Vec<u8>) {
        // The thread ends with the dump; the buffer is then unused.
        let _ = self.empty.send(buffer);
    }
}

fn read_all(
    socket: &RouteSocket,
    what: &'static str,
    sequence: u32,
    fill: &Sender<Filled>,
    emptied: &Receiver<Vec<u8>>,
) {
    while let Ok(mut buffer) = emptied.recv() {
        let read = panics::guarded(|| read_many(socket, what, sequence, &mut buffer));
        // The dump fails and is retried, like one that the kernel refuses.
        let read = read.unwrap_or_else(|reason| {
            log::error!(
                event = "thread panicked", thread = "dump reader", reason:%;
                "the dump reader panicked, which is a bug: {reason}"
            );
            let source = io::Error::other(reason);
            Err(KernelError::Dump { what, source })
        });
        let last = *read.as_ref().unwrap_or(&true);
        if fill.send(read.map(|_| buffer)).is_err() || last {
            return;
        }
    }
}

/// Fills the buffer; returns whether the dump has ended.
fn read_many(
    socket: &RouteSocket,
    what: &'static str,
    sequence: u32,
    buffer: &mut Vec<u8>,
) -> Result<bool, KernelError> {
    #[cfg(test)]
    assert_ne!(what, "what breaks off", "injected");
    let mut filled = 0;
    let mut last = false;
    buffer.resize(BUFFER, 0);
    while let (false, Some(room)) = (last, buffer.get_mut(filled..filled + READ_LENGTH)) {
        let length = receive(socket, what, room)?;
        last = ends(room.get(..length).unwrap_or_default(), sequence);
        filled += length;
    }
    buffer.truncate(filled);
    Ok(last)
}

/// Whether these messages end the dump.
fn ends(buffer: &[u8], sequence: u32) -> bool {
    RawMessages::new(buffer).flatten().any(|message| {
        message.header.sequence == sequence
            && matches!(message.header.kind, NLMSG_DONE | NLMSG_ERROR)
    })
}

/// Waits for the next buffer that the kernel sends, [`TIMEOUT`] at most.
pub(super) fn receive(
    socket: &RouteSocket,
    what: &'static str,
    buffer: &mut [u8],
) -> Result<usize, KernelError> {
    let timeout = TIMEOUT;
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::TimedOut => KernelError::DumpTimeout { what, timeout },
        _ => KernelError::Dump {
            what,
            source: error,
        },
    };
    socket.await_one(buffer, timeout).map_err(failed)
}
