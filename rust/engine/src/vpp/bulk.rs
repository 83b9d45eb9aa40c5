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
use crate::shared::Shared;
use crate::waiting::Ticket;

use super::adopt::AdoptJob;
use super::audit::{AuditJob, AuditSettings, VppAudit};
use super::commit::CommitJob;
use super::connect::connect;
use super::desk::Desk;
use super::flush::{FlushJob, FlushSettings, Flushed};
use super::orders::Orders;
use super::overridden::{Overridden, OverriddenJob};
use super::work::Work;
use super::worker::Worker;

/// How the bulk connection behaves.
#[derive(Clone, Debug)]
pub struct BulkSettings {
    /// VPP's API socket.
    pub socket: PathBuf,
    /// Name under which VPP lists the client.
    pub name: String,
    /// The most requests without an answer.
    pub window: usize,
    /// How long the handshake may take.
    pub connect_timeout: Duration,
    /// How long VPP may leave requests unanswered before it counts as unresponsive.
    pub request_timeout: Duration,
    /// How long VPP may have nothing to say before it is pinged; zero never.
    pub keepalive_interval: Duration,
    /// The most route requests a second; none for as many as VPP takes.
    pub rate_limit: Option<u32>,
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitReport {
    /// Prefixes that VPP added.
    pub added: usize,
    /// Prefixes whose paths VPP replaced.
    pub replaced: usize,
    /// Prefixes that VPP deleted.
    pub deleted: usize,
    /// Prefixes for which nothing was to be done any more.
    pub unchanged: usize,
    /// Prefixes that VPP refused.
    pub failed: usize,
    /// Prefixes that were not sent, as they were not to be.
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

/// What was read of VPP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Routes under our source that are installed state now.
    pub routes: usize,
    /// Routes under our source in VPP tables that are not ours.
    pub elsewhere: usize,
}

/// An API connection of its own for routes, served by a thread of its own.
pub struct BulkConnection {
    shared: Arc<Shared>,
    desk: Arc<Desk>,
    orders: Arc<Orders>,
    thread: Option<JoinHandle<()>>,
}

impl BulkConnection {
    /// Connects, checks that VPP has the messages that are needed, and starts the thread.
    ///
    /// # Errors
    /// [`VppError::Connect`], [`VppError::Handshake`], or [`VppError::Message`] where VPP's
    /// messages differ from those this encoder knows.
    pub fn connect(shared: Arc<Shared>, settings: &BulkSettings) -> Result<Self, VppError> {
        let session = connect(&settings.socket, &settings.name, settings.connect_timeout)?;
        let failed = |error: io::Error| VppError::Handshake(error.to_string());
        let stream = session.stream.try_clone().map_err(failed)?;
        let (jobs, received) = unbounded();
        let orders = Arc::new(Orders::default());
        let worker = Worker::new(
            Arc::clone(&shared),
            session,
            settings.clone(),
            received,
            Arc::clone(&orders),
        )?;
        let desk = Arc::new(Desk::new(jobs, worker).map_err(failed)?);
        let served = Arc::clone(&desk);
        let thread = std::thread::Builder::new()
            .name("vpp-bulk".into())
            .spawn(move || served.serve(stream))
            .map_err(failed)?;
        Ok(Self {
            shared,
            desk,
            orders,
            thread: Some(thread),
        })
    }

    /// Sends what the batch's prefixes need and waits for all answers. Prefixes are left out whose
    /// difference has gone meanwhile.
    ///
    /// # Errors
    /// [`VppError`] if the connection ends first; all prefixes without an answer are dirty again.
    pub fn commit(&self, batch: Batch, source: u8) -> Result<CommitReport, VppError> {
        let shared = Arc::clone(&self.shared);
        let (handles, ticket) = batch.into_parts(&self.shared.table());
        let report = self.ask(|reply| CommitJob::new(shared, handles, source, reply))?;
        if report.unsent == 0 {
            ticket.map(Ticket::answered).unwrap_or_default();
        }
        Ok(report)
    }

    /// Reads what VPP has under `source` in our tables and takes it as installed, in place of all
    /// that was taken as installed before. Where one of the `better` sources has a route, VPP does
    /// not show ours: what the kernel lacks there is deleted unseen.
    ///
    /// # Errors
    /// [`VppError`] if the connection ends first; nothing is taken as installed then.
    pub fn adopt(&self, source: u8, better: Vec<u8>) -> Result<Adopted, VppError> {
        self.ask(|reply| AdoptJob::new(source, better, reply))
    }

    /// Compares what VPP has with what it has acknowledged.
    ///
    /// # Errors
    /// [`VppError`] if the connection ends first.
    pub fn audit(&self, settings: AuditSettings) -> Result<VppAudit, VppError> {
        self.ask(|reply| AuditJob::new(settings, reply))
    }

    /// Which of our routes are overridden by those of other sources; `limit` of them are named.
    ///
    /// # Errors
    /// [`VppError`] if the connection ends first.
    pub fn overridden(&self, sources: Vec<u8>, limit: usize) -> Result<Overridden, VppError> {
        self.ask(|reply| OverriddenJob::new(sources, limit, reply))
    }

    /// Deletes everything under a FIB source from VPP tables. The engine's own table is not told.
    ///
    /// # Errors
    /// [`VppError`] if the connection ends first.
    pub fn flush(&self, settings: FlushSettings) -> Result<Flushed, VppError> {
        self.ask(|reply| FlushJob::new(settings, reply))
    }

    /// Has the worker do a piece of work, and waits for its end.
    fn ask<T, W: Work + 'static>(
        &self,
        work: impl FnOnce(Sender<Result<T, VppError>>) -> W,
    ) -> Result<T, VppError> {
        let (reply, answer) = bounded(1);
        self.desk.order(Box::new(work(reply)));
        // Where the connection has ended, the reply channel ends with the work.
        answer
            .recv()
            .unwrap_or_else(|_| Err(self.lost().unwrap_or(VppError::Closed)))
    }

    /// Why the connection ended, once it has.
    #[must_use]
    pub fn lost(&self) -> Option<VppError> {
        self.desk.lost().get()
    }

    /// Waits until the connection has ended, and says why.
    #[must_use]
    pub fn wait_lost(&self) -> VppError {
        self.desk.lost().wait()
    }

    /// Has batches end early from now on, what of them is not sent yet staying dirty; or no
    /// longer.
    pub fn hold(&self, on: bool) {
        self.orders.hold(on);
        self.desk.wake();
    }

    /// Ends the connection at once, also for those who wait for its end or for a batch.
    pub fn hang_up(&self) {
        self.orders.close();
        self.desk.wake();
    }

    /// Ends the connection; twice is fine.
    pub fn close(&mut self) {
        self.hang_up();
        if let Some(thread) = self.thread.take() {
            if thread.join().is_err() {
                log::error!("the bulk connection's thread broke off");
            }
        }
    }
}

impl Drop for BulkConnection {
    fn drop(&mut self) {
        self.close();
    }
}
