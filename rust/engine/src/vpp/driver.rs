//! Submits operations to the connection, and runs the thread that waits for VPP.
//!
//! The thread does nearly all of the work. A caller that submits an operation while the connection
//! is idle starts it inline: the first requests are sent without a switch to another thread.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::Sender;
use nix::poll::{PollFd, PollFlags};
use parking_lot::Mutex;

use crate::error::VppError;
use crate::heartbeat::{Heartbeat, Liveness};
use crate::panics;
use crate::ready::{wait_readable, wait_ready};
use crate::waker::Waker;

use super::connection::Connection;
use super::disconnected::Disconnected;
use super::operation::Operation;

/// The connection, shared by submitters and the waiting thread.
pub(super) struct Driver {
    operations: Sender<Box<dyn Operation>>,
    /// None once the connection has ended.
    connection: Mutex<Option<Connection>>,
    waker: Waker,
    lost: Disconnected,
    heartbeat: Arc<Heartbeat>,
}

impl Driver {
    pub(super) fn new(
        operations: Sender<Box<dyn Operation>>,
        connection: Connection,
    ) -> io::Result<Self> {
        Ok(Self {
            operations,
            connection: Mutex::new(Some(connection)),
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

    /// The thread's liveness. Does not block.
    pub(super) fn liveness(&self) -> Liveness {
        self.heartbeat.liveness(|| {
            let connection = self.connection.try_lock();
            // The holder of the lock is running.
            connection.is_none_or(|connection| {
                let has_work = |connection: &Connection| connection.has_work(Instant::now());
                connection.as_ref().is_some_and(has_work)
            })
        })
    }

    /// Submits an operation, and starts it if the connection is idle. If the connection has ended,
    /// the operation is dropped.
    pub(super) fn submit(&self, operation: Box<dyn Operation>) {
        // Fails if the connection is gone; the operation is dropped then, which its caller sees.
        let _ = self.operations.send(operation);
        if let Some(mut connection) = self.connection.try_lock() {
            let _running = self.heartbeat.running();
            if let Some(connection) = connection.as_mut() {
                // A panic must not reach the submitter: the thread ends the connection.
                if let Err(reason) = panics::guarded(|| connection.start()) {
                    connection.fail(panicked(&reason));
                }
            }
        }
        self.wake();
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
        if let Some(connection) = self.connection.lock().take() {
            let ended = panics::guarded(|| connection.fail_all(&error));
            if let Err(reason) = ended {
                log::error!(
                    event = "thread panicked", thread = "bulk connection", reason:%;
                    "an operation of the bulk connection panicked as it ended: {reason}"
                );
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
        let Some((flags, timeout, pause)) = self.connection.lock().as_ref().map(|connection| {
            let timeout = connection.next_timeout(Instant::now());
            (connection.interest(), timeout, connection.rx_delay())
        }) else {
            return Ok(false);
        };
        let until = timeout.and_then(|longest| Instant::now().checked_add(longest));
        drop(running);
        let lost = |error: io::Error| VppError::Lost(error.to_string());
        if pause.is_some() {
            wait_readable(&self.waker, pause).map_err(lost)?;
        }
        let longest = until.map(|at| at.saturating_duration_since(Instant::now()));
        let mut waited = [
            PollFd::new(stream.as_fd(), flags),
            PollFd::new(self.waker.as_fd(), PollFlags::POLLIN),
        ];
        wait_ready(&mut waited, longest).map_err(lost)?;
        let _running = self.heartbeat.running();
        self.waker.reset();
        let mut connection = self.connection.lock();
        connection.as_mut().map_or(Ok(false), Connection::poll_once)
    }
}

fn panicked(reason: &str) -> VppError {
    log::error!(
        event = "thread panicked", thread = "bulk connection", reason:%;
        "the bulk connection panicked, which is a bug: {reason}"
    );
    VppError::Lost(reason.to_owned())
}
