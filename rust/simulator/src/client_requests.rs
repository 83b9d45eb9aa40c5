//! Reads a client's requests and serves them.

use std::io::{ErrorKind, Read};
use std::time::Instant;

use bgpreflector_core::vpp::FrameReader;

use crate::client::Client;
use crate::serve;
use crate::state::State;

/// Reads of one client before the others are served.
const MAX_READS: usize = 8;

/// Why serving a client stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// Nothing is left to do.
    Idle,
    /// The client has disconnected.
    Disconnected,
    /// A rate limit holds requests back.
    RateLimited,
    /// A fault drops all connections.
    DropAll,
    /// A request has crashed VPP.
    Crashed,
}

impl Client {
    /// Reads and serves pending requests.
    pub(crate) fn serve_pending(&mut self, state: &mut State) -> StopReason {
        self.paused = !self.accepts_requests();
        for _ in 0..MAX_READS {
            if self.paused {
                return StopReason::Idle;
            }
            match self.serve(state) {
                StopReason::Idle => {}
                other => return other,
            }
            if self.paused {
                return StopReason::Idle;
            }
            match self.stream.read(self.reader.spare()) {
                Ok(0) => return StopReason::Disconnected,
                Ok(count) => {
                    self.reader.advance(count);
                    self.last_heard = Instant::now();
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return StopReason::Idle,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return StopReason::Disconnected,
            }
        }
        self.serve(state)
    }

    fn serve(&mut self, state: &mut State) -> StopReason {
        if let Some(delayed) = self.delayed.take() {
            if !state.faults.allows_request() {
                self.delayed = Some(delayed);
                return StopReason::RateLimited;
            }
            match self.serve_one(state, &delayed) {
                StopReason::Idle => {}
                other => return other,
            }
        }
        // Taken out to serve its messages without a copy.
        let mut reader = std::mem::take(&mut self.reader);
        let pause = self.serve_all(state, &mut reader);
        self.reader = reader;
        pause
    }

    fn serve_all(&mut self, state: &mut State, reader: &mut FrameReader) -> StopReason {
        loop {
            let message = match reader.next_message() {
                Ok(Some(message)) => message,
                Ok(None) => return StopReason::Idle,
                Err(_) => return StopReason::Disconnected,
            };
            if state.faults.mute {
                continue;
            }
            if !state.faults.allows_request() {
                self.delayed = Some(message.to_vec());
                return StopReason::RateLimited;
            }
            match self.serve_one(state, message) {
                StopReason::Idle => {}
                other => return other,
            }
            self.paused = !self.accepts_requests();
            if self.paused {
                return StopReason::Idle;
            }
        }
    }

    fn serve_one(&mut self, state: &mut State, message: &[u8]) -> StopReason {
        let before = state.statistics.route_requests;
        if !serve::serve(state, self, message) {
            return StopReason::Disconnected;
        }
        if state.crashed {
            return StopReason::Crashed;
        }
        if state.statistics.route_requests == before {
            return StopReason::Idle;
        }
        match state.faults.drops_now() {
            Some(mid_frame) => {
                if mid_frame {
                    self.out.truncate(self.out.len().saturating_sub(5));
                }
                StopReason::DropAll
            }
            None => StopReason::Idle,
        }
    }
}
