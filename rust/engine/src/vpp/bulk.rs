//! The bulk connection's handle.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bgpreflector_core::route::Prefix;
use crossbeam_channel::{Sender, bounded, unbounded};

use crate::batch::Batch;
use crate::error::VppError;
use crate::heartbeat::{Heartbeat, Pulse};
use crate::latency::BatchTimer;
use crate::state::EngineState;

use super::connect::{Session, connect};
use super::connection::Connection;
use super::control::Control;
use super::driver::Driver;
use super::operation::Operation;
use super::ops::adopt::AdoptOp;
use super::ops::audit::{AuditOp, AuditSettings, VppAudit};
use super::ops::commit::CommitOp;
use super::ops::flush::{FlushOp, FlushSettings, Flushed};
use super::ops::overridden::{Overridden, OverriddenOp};

/// Settings of the bulk connection.
#[derive(Clone, Debug)]
pub struct BulkSettings {
    /// VPP's API socket.
    pub socket: PathBuf,
    /// The client name shown by VPP.
    pub name: String,
    /// The maximum number of unanswered requests.
    pub window: usize,
    /// How long the handshake may take.
    pub connect_timeout: Duration,
    /// How long requests may be unanswered before VPP counts as unresponsive.
    pub request_timeout: Duration,
    /// How long VPP may be silent before it is pinged; zero disables the ping.
    pub keepalive_interval: Duration,
    /// Maximum route requests a second; none for no limit.
    pub rate_limit: Option<u32>,
}

/// The result of a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitReport {
    /// Routes added.
    pub added: usize,
    /// Routes whose paths were replaced.
    pub replaced: usize,
    /// Routes deleted.
    pub deleted: usize,
    /// Prefixes that no longer needed a request.
    pub unchanged: usize,
    /// Prefixes that VPP refused.
    pub failed: usize,
    /// Prefixes not sent, because the batch ended early.
    pub unsent: usize,
    /// Some of the refusals.
    pub failures: Vec<Failure>,
}

/// A prefix that VPP refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// VPP table.
    pub vpp_table: u32,
    /// The prefix.
    pub prefix: Prefix,
    /// VPP's `retval`.
    pub retval: i32,
}

/// The result of an adoption.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Routes under our source that are now recorded as installed.
    pub routes: usize,
    /// Routes under our source in VPP tables that are not ours.
    pub elsewhere: usize,
}

/// An API connection for routes only, with its own thread.
pub struct BulkConnection {
    shared: Arc<EngineState>,
    driver: Arc<Driver>,
    control: Arc<Control>,
    thread: Option<JoinHandle<()>>,
}

impl BulkConnection {
    /// Connects, checks that VPP has the required messages, and starts the thread.
    ///
    /// # Errors
    /// [`VppError::Connect`], [`VppError::Handshake`], or [`VppError::Message`] if VPP's messages
    /// differ from those that this encoder knows.
    pub fn connect(shared: Arc<EngineState>, settings: &BulkSettings) -> Result<Self, VppError> {
        let session = connect(&settings.socket, &settings.name, settings.connect_timeout)?;
        Self::start(shared, session, settings)
    }

    fn start(
        shared: Arc<EngineState>,
        session: Session,
        settings: &BulkSettings,
    ) -> Result<Self, VppError> {
        let failed = |error: io::Error| VppError::Handshake(error.to_string());
        let stream = session.stream.try_clone().map_err(failed)?;
        let (operations, received) = unbounded();
        let control = Arc::new(Control::default());
        let connection = Connection::new(
            Arc::clone(&shared),
            session,
            settings.clone(),
            received,
            Arc::clone(&control),
        )?;
        let driver = Arc::new(Driver::new(operations, connection).map_err(failed)?);
        let served = Arc::clone(&driver);
        let thread = std::thread::Builder::new()
            .name("vpp-bulk".into())
            .spawn(move || served.run(stream))
            .map_err(failed)?;
        Ok(Self {
            shared,
            driver,
            control,
            thread: Some(thread),
        })
    }

    /// Sends the requests of the batch's prefixes and waits for all answers. Prefixes that no
    /// longer differ are left out.
    ///
    /// # Errors
    /// [`VppError`] if the connection ends first; all prefixes without an answer are dirty again.
    pub fn commit(&self, batch: Batch, source: u8) -> Result<CommitReport, VppError> {
        let shared = Arc::clone(&self.shared);
        let (handles, ticket) = batch.into_parts(&self.shared.table());
        let report = self.ask(|reply| CommitOp::new(shared, handles, source, reply))?;
        if report.unsent == 0 {
            ticket.map(BatchTimer::answered).unwrap_or_default();
        }
        Ok(report)
    }

    /// Reads VPP's routes under `source` in our tables and records them as installed, in place of
    /// all that was recorded before. Where one of the `better` sources has a route, VPP does not
    /// show ours: what the kernel does not have there is deleted unseen.
    ///
    /// # Errors
    /// [`VppError`] if the connection ends first; nothing is recorded as installed then.
    pub fn adopt(&self, source: u8, better: Vec<u8>) -> Result<Adopted, VppError> {
        self.ask(|reply| AdoptOp::new(source, better, reply))
    }

    /// Compares VPP's routes with what VPP has acknowledged.
    ///
    /// # Errors
    /// [`VppError`] if the connection ends first.
    pub fn audit(&self, settings: AuditSettings) -> Result<VppAudit, VppError> {
        self.ask(|reply| AuditOp::new(settings, reply))
    }

    /// Our routes that those of other sources override; names up to `limit` of them.
    ///
    /// # Errors
    /// [`VppError`] if the connection ends first.
    pub fn overridden(&self, sources: Vec<u8>, limit: usize) -> Result<Overridden, VppError> {
        self.ask(|reply| OverriddenOp::new(sources, limit, reply))
    }

    /// Deletes everything under a FIB source from VPP tables. The engine's own table does not
    /// change.
    ///
    /// # Errors
    /// [`VppError`] if the connection ends first.
    pub fn flush(&self, settings: FlushSettings) -> Result<Flushed, VppError> {
        self.ask(|reply| FlushOp::new(settings, reply))
    }

    /// Submits an operation and waits for its end.
    fn ask<T, W: Operation + 'static>(
        &self,
        work: impl FnOnce(Sender<Result<T, VppError>>) -> W,
    ) -> Result<T, VppError> {
        let (reply, answer) = bounded(1);
        self.driver.submit(Box::new(work(reply)));
        // If the connection has ended, the reply channel ends with the operation.
        answer
            .recv()
            .unwrap_or_else(|_| Err(self.lost().unwrap_or(VppError::Closed)))
    }

    /// The thread's heartbeat, also after it was hung up.
    pub(crate) fn heartbeat(&self) -> Arc<Heartbeat> {
        Arc::clone(self.driver.heartbeat())
    }

    /// The thread's pulse.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        self.driver.pulse()
    }

    /// The reason for the connection's end; none while it is open.
    #[must_use]
    pub fn lost(&self) -> Option<VppError> {
        self.driver.lost().get()
    }

    /// Waits for the end of the connection; returns the reason.
    #[must_use]
    pub fn wait_lost(&self) -> VppError {
        self.driver.lost().wait()
    }

    /// Ends batches early from now on (what is not sent stays dirty), or no longer.
    pub fn hold(&self, on: bool) {
        self.control.set_paused(on);
        self.driver.wake();
    }

    /// Ends the connection at once, which wakes all waiting callers.
    pub fn hang_up(&self) {
        self.control.request_close();
        self.driver.wake();
    }

    /// Ends the connection. Further calls have no effect.
    pub fn close(&mut self) {
        self.hang_up();
        if let Some(thread) = self.thread.take() {
            if thread.join().is_err() {
                log::error!("the bulk connection's thread panicked");
            }
        }
    }
}

impl Drop for BulkConnection {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::time::Instant;

    use bgpreflector_core::route::{
        Family, NextHop, NextHopSet, NextHopSource, Route, RouteKey, RouteType,
    };
    use bgpreflector_core::table::{InsertMode, Interfaces, Scope, Unmapped};
    use bgpreflector_core::vpp::retval::Retval;
    use bgpreflector_core::vpp::{FrameReader, MessageTable, messages};

    use crossbeam_channel::Receiver;

    use super::super::operation::Context;
    use super::*;

    /// A connection, and VPP's silent end of it.
    fn connection() -> (BulkConnection, UnixStream) {
        let (stream, vpp) = UnixStream::pair().unwrap();
        stream.set_nonblocking(true).unwrap();
        let mut table = MessageTable::default();
        for (id, message) in (100..).zip(messages::ALL) {
            table.insert(&message.to_string(), id);
        }
        let session = Session {
            stream,
            reader: FrameReader::default(),
            client_index: 0,
            messages: table,
        };
        let settings = BulkSettings {
            socket: PathBuf::new(),
            name: String::new(),
            window: 16,
            connect_timeout: Duration::from_secs(1),
            request_timeout: Duration::from_secs(60),
            keepalive_interval: Duration::ZERO,
            rate_limit: None,
        };
        let shared = Arc::new(EngineState::new(Scope::default()));
        shared.synchronised();
        (
            BulkConnection::start(shared, session, &settings).unwrap(),
            vpp,
        )
    }

    /// Where an operation panics.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum At {
        Encode,
        Hold,
        Change,
        BreakOff,
    }

    struct Faulty {
        at: At,
        reply: Sender<Result<(), VppError>>,
    }

    impl Operation for Faulty {
        fn pending(&self) -> usize {
            1
        }

        fn can_send(&self, _window: usize) -> bool {
            self.at != At::Hold
        }

        fn encode(
            &mut self,
            context: &mut Context,
            _out: &mut Vec<u8>,
            _limit: usize,
        ) -> Result<usize, VppError> {
            match self.at {
                At::Change => context.shared.change(|_| panic!("injected")),
                At::BreakOff => Err(VppError::Lost("as asked".into())),
                At::Encode | At::Hold => panic!("injected"),
            }
        }

        fn on_message(&mut self, _: &Context, _: u16, _: &[u8]) -> Result<(), VppError> {
            Ok(())
        }

        fn cancel_unsent(&mut self) {
            panic!("injected");
        }

        fn done(&self) -> bool {
            false
        }

        fn complete(self: Box<Self>, _context: &Context) {}

        fn fail(self: Box<Self>, _context: &Context, error: VppError) {
            assert_ne!(self.at, At::BreakOff, "injected");
            let _ = self.reply.send(Err(error));
        }
    }

    #[test]
    fn work_that_breaks_off_ends_the_connection_with_the_reason() {
        for at in [At::Encode, At::Hold, At::Change, At::BreakOff] {
            let (connection, _vpp) = connection();
            let ended = std::thread::scope(|scope| {
                let ask = scope.spawn(|| connection.ask(|reply| Faulty { at, reply }));
                if at == At::Hold {
                    // The connection's own thread runs it.
                    connection.hold(true);
                }
                ask.join().unwrap()
            });
            assert!(ended.is_err(), "{at:?}: {ended:?}");
            let lost = connection.wait_lost().to_string();
            let said = match at {
                At::BreakOff => "as asked",
                _ => "panicked: injected",
            };
            assert!(lost.contains(said), "{at:?}: {lost}");
            let failure = connection.shared.failure().unwrap_or_default();
            // A new connection reads what VPP has, so a panic outside of the table only ends the
            // connection; a half-changed table ends the engine.
            assert_eq!(failure.contains(said), at == At::Change, "{failure}");
        }
    }

    /// An operation that blocks until the sender is dropped.
    struct Hanging {
        end: Receiver<()>,
        reply: Sender<Result<(), VppError>>,
    }

    impl Operation for Hanging {
        fn pending(&self) -> usize {
            0
        }

        fn can_send(&self, _window: usize) -> bool {
            true
        }

        fn encode(
            &mut self,
            _: &mut Context,
            _out: &mut Vec<u8>,
            _limit: usize,
        ) -> Result<usize, VppError> {
            let _ = self.end.recv();
            Err(VppError::Lost("it went on".into()))
        }

        fn on_message(&mut self, _: &Context, _: u16, _: &[u8]) -> Result<(), VppError> {
            Ok(())
        }

        fn cancel_unsent(&mut self) {}

        fn done(&self) -> bool {
            false
        }

        fn complete(self: Box<Self>, _context: &Context) {}

        fn fail(self: Box<Self>, _context: &Context, error: VppError) {
            let _ = self.reply.send(Err(error));
        }
    }

    fn still(pulse: impl Fn() -> Pulse, has_to_do: bool) -> Pulse {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let seen = pulse();
            std::thread::sleep(Duration::from_millis(20));
            if seen.has_to_do == has_to_do && pulse() == seen {
                return seen;
            }
            assert!(Instant::now() < deadline, "{seen:?}");
        }
    }

    #[test]
    fn a_connection_that_hangs_is_seen_to_have_something_to_do() {
        let (connection, _vpp) = connection();
        let rest = still(|| connection.pulse(), false);
        let (end, hangs) = bounded::<()>(0);
        std::thread::scope(|scope| {
            let ask = scope.spawn(|| connection.ask(|reply| Hanging { end: hangs, reply }));
            let hung = still(|| connection.pulse(), true);
            // It hangs even after a hang-up, and the pulse shows it.
            connection.hang_up();
            assert_eq!(connection.heartbeat().pulse(|| false), hung);
            drop(end);
            assert!(ask.join().unwrap().is_err());
        });
        drop(connection.wait_lost());
        assert!(still(|| connection.pulse(), false).beats > rest.beats);
    }

    fn enter(shared: &EngineState, number: u32, labels: &[u32]) {
        let hop = NextHop {
            labels: labels.iter().copied().collect(),
            ..NextHop::new("10.0.0.1".parse().ok(), 2)
        };
        let set = NextHopSet::new(
            Family::V4,
            RouteType::Unicast,
            NextHopSource::Inline([hop].into_iter().collect()),
        );
        let key = RouteKey::new(254, Prefix::v4(number << 8, 24));
        let route = Route {
            key,
            protocol: 12,
            set,
        };
        shared.change(|table| table.announce(route, InsertMode::Replace));
    }

    #[test]
    fn a_route_that_has_no_message_is_refused_alone() {
        let (connection, _vpp) = connection();
        let shared = Arc::clone(&connection.shared);
        shared.change(|table| {
            table.set_interfaces(Interfaces {
                unmapped: Unmapped::Interface(1),
                ..Interfaces::default()
            });
        });
        // A label has 20 bits; the kernel sends no larger ones.
        enter(&shared, 1, &[1 << 20]);
        enter(&shared, 2, &[1 << 20]);
        let report = connection.commit(Batch::take(&shared, 10), 8).unwrap();
        let Retval(retval) = Retval::NOT_ENCODABLE;
        let retvals: Vec<i32> = report.failures.iter().map(|f| f.retval).collect();
        assert_eq!((report.failed, retvals), (2, vec![retval; 2]));
        assert_eq!(shared.table().counts(Family::V4).failed, 2);
        assert!(connection.lost().is_none());
    }
}
