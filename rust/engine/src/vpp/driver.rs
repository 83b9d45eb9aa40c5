//! Submits operations to the connection, and runs the thread that waits for VPP.
//!
//! The thread does nearly all of the work. A caller that submits an operation while the connection
//! is idle starts it inline: the first requests are sent without a switch to another thread. The
//! thread is woken only if it would miss something otherwise.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::Sender;
use nix::poll::{PollFd, PollFlags};
use parking_lot::Mutex;

use crate::error::VppError;
use crate::heartbeat::{Heartbeat, Pulse};
use crate::kernel::Waker;
use crate::panics;
use crate::ready::{wait_readable, wait_ready};

use super::connection::Connection;
use super::disconnected::Disconnected;
use super::operation::Operation;

/// What the thread waits for.
#[derive(Clone, Copy, Debug)]
struct Interest {
    flags: PollFlags,
    /// None for no limit.
    until: Option<Instant>,
}

impl Interest {
    fn of(connection: &Connection) -> Self {
        let now = Instant::now();
        let sleep = connection.next_timeout(now);
        Self {
            flags: connection.interest(),
            until: sleep.and_then(|longest| now.checked_add(longest)),
        }
    }

    /// Whether a thread that waits for this also wakes in time for the other.
    fn covers(self, other: Self) -> bool {
        let in_time = match (self.until, other.until) {
            (Some(this), Some(other)) => this <= other,
            (_, None) => true,
            (None, Some(_)) => false,
        };
        in_time && self.flags.contains(other.flags)
    }
}

/// The connection, and what the thread currently waits for.
struct State {
    connection: Connection,
    interest: Interest,
}

/// The connection, shared by submitters and the waiting thread.
pub(super) struct Driver {
    operations: Sender<Box<dyn Operation>>,
    /// None once the connection has ended.
    state: Mutex<Option<State>>,
    waker: Waker,
    lost: Disconnected,
    heartbeat: Arc<Heartbeat>,
}

impl Driver {
    pub(super) fn new(
        operations: Sender<Box<dyn Operation>>,
        connection: Connection,
    ) -> io::Result<Self> {
        let interest = Interest::of(&connection);
        Ok(Self {
            operations,
            state: Mutex::new(Some(State {
                connection,
                interest,
            })),
            waker: Waker::new()?,
            lost: Disconnected::default(),
            heartbeat: Arc::default(),
        })
    }

    /// The reason for the connection's end.
    pub(super) fn lost(&self) -> &Disconnected {
        &self.lost
    }

    /// The thread's heartbeat.
    pub(super) fn heartbeat(&self) -> &Arc<Heartbeat> {
        &self.heartbeat
    }

    /// The thread's pulse. Does not block.
    pub(super) fn pulse(&self) -> Pulse {
        self.heartbeat.pulse(|| match self.state.try_lock() {
            // The holder of the lock is running.
            None => true,
            Some(state) => {
                let connection = state.as_ref().map(|state| &state.connection);
                connection.is_some_and(|connection| connection.has_to_do(Instant::now()))
            }
        })
    }

    /// Submits an operation, and starts it if the connection is idle. If the connection has ended,
    /// the operation is dropped.
    pub(super) fn submit(&self, operation: Box<dyn Operation>) {
        // Fails if the connection is gone; the operation is dropped then, which its caller sees.
        let _ = self.operations.send(operation);
        let started = self.state.try_lock().is_some_and(|mut state| {
            let _running = self.heartbeat.running();
            state.as_mut().is_none_or(|state| {
                // A panic must not reach the submitter: the thread ends the connection.
                if let Err(reason) = panics::guarded(|| state.connection.start()) {
                    state.connection.fail(panicked(&reason));
                    return false;
                }
                state.interest.covers(Interest::of(&state.connection))
            })
        });
        if !started {
            self.wake();
        }
    }

    /// Wakes the thread to check for work.
    pub(super) fn wake(&self) {
        self.waker.wake();
    }

    /// Waits for VPP and for operations, until the connection ends. `stream` is the connection's.
    ///
    /// A panic ends only the connection: the state of the operation in progress counts as unknown,
    /// as after any other end. A panic in a change of the table ends the engine
    /// ([`EngineState::change`](crate::EngineState::change)).
    pub(super) fn run(&self, stream: UnixStream) {
        let ended = panics::guarded(|| self.poll(&stream));
        let error = ended.unwrap_or_else(|reason| panicked(&reason));
        let _running = self.heartbeat.running();
        if let Some(state) = self.state.lock().take() {
            let ended = panics::guarded(|| state.connection.fail_all(&error));
            if let Err(reason) = ended {
                log::error!("an operation of the bulk connection panicked as it ended: {reason}");
            }
        }
        self.lost.set(error);
    }

    /// The reason for the connection's end.
    fn poll(&self, stream: &UnixStream) -> VppError {
        loop {
            match self.poll_once(stream) {
                Ok(true) => {}
                Ok(false) => return VppError::Closed,
                Err(error) => return error,
            }
        }
    }

    fn poll_once(&self, stream: &UnixStream) -> Result<bool, VppError> {
        let running = self.heartbeat.running();
        let Some((interest, pause)) = self.state.lock().as_mut().map(|state| {
            state.interest = Interest::of(&state.connection);
            (state.interest, state.connection.rx_delay())
        }) else {
            return Ok(false);
        };
        drop(running);
        let lost = |error: io::Error| VppError::Lost(error.to_string());
        if pause.is_some() {
            wait_readable(&self.waker, pause).map_err(lost)?;
        }
        let longest = interest
            .until
            .map(|at| at.saturating_duration_since(Instant::now()));
        let mut waited = [
            PollFd::new(stream.as_fd(), interest.flags),
            PollFd::new(self.waker.as_fd(), PollFlags::POLLIN),
        ];
        wait_ready(&mut waited, longest).map_err(lost)?;
        let _running = self.heartbeat.running();
        self.waker.reset();
        let mut state = self.state.lock();
        state
            .as_mut()
            .map_or(Ok(false), |state| state.connection.poll_once())
    }
}

fn panicked(reason: &str) -> VppError {
    log::error!("the bulk connection panicked, which is a bug: {reason}");
    VppError::Lost(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use nix::poll::PollFlags;

    use super::Interest;

    #[test]
    fn an_interest_covers_what_comes_later_and_no_more() {
        let soon = Instant::now();
        let later = soon + Duration::from_secs(1);
        let (read, both) = (PollFlags::POLLIN, PollFlags::POLLIN | PollFlags::POLLOUT);
        let interest = |flags, until| Interest { flags, until };
        for (known, wanted, covered) in [
            (
                interest(read, Some(soon)),
                interest(read, Some(later)),
                true,
            ),
            (
                interest(read, Some(later)),
                interest(read, Some(soon)),
                false,
            ),
            (interest(read, Some(soon)), interest(read, None), true),
            (interest(read, None), interest(read, Some(later)), false),
            (interest(read, None), interest(read, None), true),
            (interest(both, None), interest(read, None), true),
            (interest(read, None), interest(both, None), false),
        ] {
            assert_eq!(known.covers(wanted), covered, "{known:?} {wanted:?}");
        }
    }
}
