//! The bulk connection's handle.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bgpreflector_core::route::Prefix;
use bgpreflector_core::table::Handle;
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use crate::batch::Batch;
use crate::error::VppError;
use crate::kernel::Wake;
use crate::shared::Shared;

use super::audit::{AuditSettings, VppAudit};
use super::connect::connect;
use super::lost::Lost;
use super::orders::Orders;
use super::overridden::Overridden;
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

/// What the worker is asked to do.
pub(super) enum Job {
    Commit {
        handles: Vec<Handle>,
        source: u8,
        reply: Sender<Result<CommitReport, VppError>>,
    },
    Adopt {
        source: u8,
        reply: Sender<Result<Adopted, VppError>>,
    },
    Overridden {
        sources: Vec<u8>,
        limit: usize,
        reply: Sender<Result<Overridden, VppError>>,
    },
    Audit {
        settings: AuditSettings,
        reply: Sender<Result<VppAudit, VppError>>,
    },
}

/// An API connection of its own for routes, served by a thread of its own.
pub struct BulkConnection {
    jobs: Sender<Job>,
    wake: Arc<Wake>,
    lost: Arc<Lost>,
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
        let wake = Wake::new().map_err(|error| VppError::Handshake(error.to_string()))?;
        let wake = Arc::new(wake);
        let (jobs, received): (Sender<Job>, Receiver<Job>) = unbounded();
        let lost = Arc::new(Lost::default());
        let orders = Arc::new(Orders::default());
        let worker = Worker::new(
            shared,
            session,
            settings.clone(),
            received,
            Arc::clone(&wake),
            Arc::clone(&lost),
            Arc::clone(&orders),
        )?;
        let thread = std::thread::Builder::new()
            .name("vpp-bulk".into())
            .spawn(move || worker.run())
            .map_err(|error| VppError::Handshake(error.to_string()))?;
        Ok(Self {
            jobs,
            wake,
            lost,
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
        let (reply, answer) = bounded(1);
        if let Some(lost) = self.lost() {
            return Err(lost);
        }
        let handles = batch.into_handles();
        self.send(Job::Commit {
            handles,
            source,
            reply,
        });
        answer
            .recv()
            .unwrap_or_else(|_| Err(self.lost().unwrap_or(VppError::Closed)))
    }

    /// Reads what VPP has under `source` in our tables and takes it as installed, in place of all
    /// that was taken as installed before.
    ///
    /// # Errors
    /// [`VppError`] if the connection ends first; nothing is taken as installed then.
    pub fn adopt(&self, source: u8) -> Result<Adopted, VppError> {
        let (reply, answer) = bounded(1);
        self.send(Job::Adopt { source, reply });
        answer
            .recv()
            .unwrap_or_else(|_| Err(self.lost().unwrap_or(VppError::Closed)))
    }

    /// Compares what VPP has with what it has acknowledged.
    ///
    /// # Errors
    /// [`VppError`] if the connection ends first.
    pub fn audit(&self, settings: AuditSettings) -> Result<VppAudit, VppError> {
        let (reply, answer) = bounded(1);
        self.send(Job::Audit { settings, reply });
        answer
            .recv()
            .unwrap_or_else(|_| Err(self.lost().unwrap_or(VppError::Closed)))
    }

    /// Which of our routes are overridden by those of other sources; `limit` of them are named.
    ///
    /// # Errors
    /// [`VppError`] if the connection ends first.
    pub fn overridden(&self, sources: Vec<u8>, limit: usize) -> Result<Overridden, VppError> {
        let (reply, answer) = bounded(1);
        self.send(Job::Overridden {
            sources,
            limit,
            reply,
        });
        answer
            .recv()
            .unwrap_or_else(|_| Err(self.lost().unwrap_or(VppError::Closed)))
    }

    fn send(&self, job: Job) {
        // Where the worker has ended, the job's reply channel ends with the job.
        let _ = self.jobs.send(job);
        self.wake.ring();
    }

    /// Why the connection ended, once it has.
    #[must_use]
    pub fn lost(&self) -> Option<VppError> {
        self.lost.get()
    }

    /// Waits until the connection has ended, and says why.
    #[must_use]
    pub fn wait_lost(&self) -> VppError {
        self.lost.wait()
    }

    /// Has batches end early from now on, what of them is not sent yet staying dirty; or no
    /// longer.
    pub fn hold(&self, on: bool) {
        self.orders.hold(on);
        self.wake.ring();
    }

    /// Ends the connection at once, also for those who wait for its end or for a batch.
    pub fn hang_up(&self) {
        self.orders.close();
        self.wake.ring();
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
