//! A client's connection.

use std::io::{ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use bgpreflector_core::vpp::FrameReader;

/// Bytes of unread replies after which a client's requests have to wait.
const MAX_BACKLOG: usize = 1 << 20;

pub(crate) struct Client {
    pub(crate) stream: UnixStream,
    pub(crate) reader: FrameReader,
    pub(crate) index: u32,
    pub(crate) out: Vec<u8>,
    written: usize,
    /// The process id of its registration for interface events.
    pub(crate) events: Option<u32>,
    pub(crate) leaving: bool,
    pub(crate) last_heard: Instant,
    pub(crate) keepalive_sent: Option<Instant>,
    pub(crate) run: u64,
    /// A request that waits for the rate limit.
    pub(crate) delayed: Option<Vec<u8>>,
    /// Whether requests may remain in the reader because the client does not read replies.
    pub(crate) paused: bool,
}

impl Client {
    pub(crate) fn new(stream: UnixStream, index: u32, run: u64) -> Self {
        Self {
            stream,
            reader: FrameReader::default(),
            index,
            out: Vec::new(),
            written: 0,
            events: None,
            leaving: false,
            last_heard: Instant::now(),
            keepalive_sent: None,
            run,
            delayed: None,
            paused: false,
        }
    }

    pub(crate) fn backlog(&self) -> usize {
        self.out.len() - self.written
    }

    /// Whether more of its requests may be read.
    pub(crate) fn accepts_requests(&self) -> bool {
        self.backlog() < MAX_BACKLOG
    }

    /// Writes what the client accepts; false once it has disconnected.
    pub(crate) fn flush(&mut self) -> bool {
        while let Some(rest) = self.out.get(self.written..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        self.out.clear();
        self.written = 0;
        !self.leaving
    }
}
