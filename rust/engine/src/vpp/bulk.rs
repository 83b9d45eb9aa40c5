//! The bulk connection's handle.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, bounded, unbounded};

use crate::batch::Batch;
use crate::batch_timer::BatchTimer;
use crate::error::VppError;
use crate::heartbeat::{Heartbeat, Liveness};
use crate::state::EngineState;

use super::connect::{Session, open_session};
use super::connection::Connection;
use super::control::Control;
use super::driver::Driver;
use super::operation::Operation;
use super::ops::adopt::Adoption;
use super::ops::audit::{Audit, AuditSettings, VppAuditReport};
use super::ops::commit::CommitOp;
use super::ops::dump_op::{DumpOp, DumpReader};
use super::ops::flush::{FlushOp, FlushReport, FlushSettings};
use super::ops::overridden::{Overridden, OverriddenSearch};
use super::types::{AdoptReport, BulkSettings, CommitReport};

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
        let session = open_session(&settings.socket, &settings.name, settings.connect_timeout)?;
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
        let (handles, timer) = batch.into_parts(&self.shared.table());
        let report = self.run(|reply| CommitOp::new(shared, handles, source, reply))?;
        if report.unsent == 0 {
            timer.map(BatchTimer::answered).unwrap_or_default();
        }
        Ok(report)
    }

    /// Reads VPP's routes under `source` in our tables and records them as installed, in place of
    /// all that was recorded before. Where one of the `better` sources has a route, VPP does not
    /// show ours: what the kernel does not have there is deleted unseen.
    ///
    /// # Errors
    /// [`VppError`] if the connection ends first; nothing is recorded as installed then.
    pub fn adopt(&self, source: u8, better: Vec<u8>) -> Result<AdoptReport, VppError> {
        self.read_dump(Adoption::new(source, better))
    }

    /// Compares VPP's routes with what VPP has acknowledged.
    ///
    /// # Errors
    /// [`VppError`] if the connection ends first.
    pub fn audit(&self, settings: AuditSettings) -> Result<VppAuditReport, VppError> {
        self.read_dump(Audit::new(settings))
    }

    /// Our routes that those of other sources override; names up to `limit` of them.
    ///
    /// # Errors
    /// [`VppError`] if the connection ends first.
    pub fn overridden(&self, sources: Vec<u8>, limit: usize) -> Result<Overridden, VppError> {
        self.read_dump(OverriddenSearch::new(sources, limit))
    }

    /// Deletes everything under a FIB source from VPP tables. The engine's own table does not
    /// change.
    ///
    /// # Errors
    /// [`VppError`] if the connection ends first.
    pub fn flush(&self, settings: FlushSettings) -> Result<FlushReport, VppError> {
        self.run(|reply| FlushOp::new(settings, reply))
    }

    fn read_dump<R: DumpReader + 'static>(&self, reader: R) -> Result<R::Report, VppError> {
        self.run(|reply| DumpOp::new(reader, reply))
    }

    /// Submits an operation and waits for its end.
    fn run<T, W: Operation + 'static>(
        &self,
        operation: impl FnOnce(Sender<Result<T, VppError>>) -> W,
    ) -> Result<T, VppError> {
        let (reply, answer) = bounded(1);
        self.driver.submit(Box::new(operation(reply)));
        // If the connection has ended, the reply channel ends with the operation.
        answer
            .recv()
            .unwrap_or_else(|_| Err(self.lost().unwrap_or(VppError::Closed)))
    }

    /// The thread's heartbeat, also after it was hung up.
    pub(crate) fn heartbeat(&self) -> Arc<Heartbeat> {
        Arc::clone(self.driver.heartbeat())
    }

    /// The thread's liveness.
    #[must_use]
    pub fn liveness(&self) -> Liveness {
        self.driver.liveness()
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
    pub fn set_paused(&self, on: bool) {
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
                log::error!(
                    event = "thread panicked", thread = "bulk connection";
                    "the bulk connection's thread panicked"
                );
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
mod tests;
