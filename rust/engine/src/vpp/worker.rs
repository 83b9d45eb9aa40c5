//! The thread that owns the bulk connection.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bgpreflector_core::vpp::ping::answer_keepalive;
use bgpreflector_core::vpp::{ControlPingReply, PlainRequest};
use crossbeam_channel::Receiver;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::error::VppError;
use crate::kernel::Wake;
use crate::shared::Shared;

use super::adopt::AdoptJob;
use super::audit::AuditJob;
use super::bulk::{BulkSettings, Job};
use super::commit::{CHUNK, CommitJob, Encoder};
use super::connect::Session;
use super::ids::Ids;
use super::lost::Lost;
use super::orders::Orders;
use super::overridden::OverriddenJob;
use super::pace::Pace;
use super::silence::Silence;

enum Active {
    Commit(CommitJob),
    Adopt(AdoptJob),
    Overridden(OverriddenJob),
    Audit(AuditJob),
}

pub(super) struct Worker {
    shared: Arc<Shared>,
    session: Session,
    settings: BulkSettings,
    ids: Ids,
    encoder: Encoder,
    jobs: Receiver<Job>,
    wake: Arc<Wake>,
    lost: Arc<Lost>,
    orders: Arc<Orders>,
    active: Option<Active>,
    out: Vec<u8>,
    written: usize,
    silence: Silence,
    pace: Pace,
}

/// Bytes written but not yet taken by VPP before no more requests are encoded.
const OUT: usize = 256 * 1024;
/// Context of the ping to an idle VPP; that which ends a dump has another.
const KEEPALIVE: u32 = u32::MAX;

impl Worker {
    pub(super) fn new(
        shared: Arc<Shared>,
        session: Session,
        settings: BulkSettings,
        jobs: Receiver<Job>,
        wake: Arc<Wake>,
        lost: Arc<Lost>,
        orders: Arc<Orders>,
    ) -> Result<Self, VppError> {
        let ids = Ids::of(&session.messages)?;
        let encoder = Encoder::new(ids.route, session.client_index);
        let (interval, patience) = (settings.keepalive_interval, settings.request_timeout);
        let silence = Silence::new(interval, patience, Instant::now());
        let pace = Pace::new(settings.rate_limit, Instant::now());
        Ok(Self {
            shared,
            session,
            settings,
            ids,
            encoder,
            jobs,
            wake,
            lost,
            orders,
            active: None,
            out: Vec::with_capacity(OUT * 2),
            written: 0,
            silence,
            pace,
        })
    }

    pub(super) fn run(mut self) {
        let error = loop {
            match self.turn() {
                Ok(true) => {}
                Ok(false) => break VppError::Closed,
                Err(error) => break error,
            }
        };
        match self.active.take() {
            Some(Active::Commit(job)) => job.break_off(&self.shared, error.clone()),
            Some(Active::Adopt(job)) => job.break_off(&self.shared, error.clone()),
            Some(Active::Overridden(job)) => job.break_off(error.clone()),
            Some(Active::Audit(job)) => job.break_off(error.clone()),
            None => {}
        }
        // Jobs that nobody will do: their prefixes are dirty again.
        while let Ok(job) = self.jobs.try_recv() {
            if let Job::Commit { handles, .. } = job {
                self.shared.change(|table| table.put_back(handles));
            }
        }
        self.lost.set(error);
    }

    /// One round: wait, read, work, write. False once the connection shall be closed.
    fn turn(&mut self) -> Result<bool, VppError> {
        self.wait()?;
        self.wake.silence();
        if self.orders.closes() {
            return Ok(false);
        }
        self.read()?;
        self.begin();
        self.advance()?;
        self.write()?;
        self.finish();
        Ok(true)
    }

    fn wait(&self) -> Result<(), VppError> {
        let mut flags = PollFlags::POLLIN;
        flags.set(PollFlags::POLLOUT, self.written < self.out.len());
        let mut waited = [
            PollFd::new(self.session.stream.as_fd(), flags),
            PollFd::new(self.wake.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut waited, self.sleep(Instant::now())) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(VppError::Lost(error.to_string())),
        }
    }

    /// How long to wait for VPP or for a job, at most.
    fn sleep(&self, now: Instant) -> PollTimeout {
        // Replies that have been read let the window go on: there is something to do at once.
        let next = match &self.active {
            Some(Active::Commit(job)) if self.can_send(job) => Some(self.pace.wait(now)),
            None if !self.jobs.is_empty() => Some(Duration::ZERO),
            _ => None,
        };
        let given_up = self.silence.sleep(now, self.pending());
        match next.into_iter().chain(given_up).min() {
            None => PollTimeout::NONE,
            Some(Duration::ZERO) => PollTimeout::ZERO,
            // Rounded up: woken too early, the thread would turn with nothing to do.
            Some(sleep) => PollTimeout::try_from(sleep.as_millis().saturating_add(1))
                .unwrap_or(PollTimeout::MAX),
        }
    }

    fn can_send(&self, job: &CommitJob) -> bool {
        self.out.len() - self.written < OUT && job.can_send(self.settings.window)
    }

    fn read(&mut self) -> Result<(), VppError> {
        loop {
            match (&self.session.stream).read(self.session.reader.spare()) {
                Ok(0) => return Err(VppError::Lost("VPP closed it".into())),
                Ok(count) => {
                    self.session.reader.advance(count);
                    self.silence.broken(Instant::now());
                    self.take_messages()?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return self.silence.check(Instant::now(), self.pending());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(VppError::Lost(error.to_string())),
            }
        }
    }

    fn pending(&self) -> usize {
        match &self.active {
            Some(Active::Commit(job)) => job.pending(),
            Some(Active::Adopt(_) | Active::Overridden(_) | Active::Audit(_)) => 1,
            None => 0,
        }
    }

    fn take_messages(&mut self) -> Result<(), VppError> {
        loop {
            let message = self.session.reader.next_message();
            let Some(message) = message.map_err(|error| VppError::Lost(error.to_string()))? else {
                break;
            };
            let Some((id, _)) = message.split_first_chunk::<2>() else {
                continue;
            };
            let id = u16::from_be_bytes(*id);
            if id == self.ids.keepalive {
                answer_keepalive(message, self.ids.keepalive_reply, &mut self.out)
                    .map_err(|error| VppError::Lost(error.to_string()))?;
                continue;
            }
            if id == self.ids.control_ping_reply && is_keepalive(message)? {
                self.silence.answered();
                continue;
            }
            match &mut self.active {
                Some(Active::Commit(job)) => job.take(&self.ids, id, message)?,
                Some(Active::Adopt(job)) => job.take(&self.shared, &self.ids, id, message)?,
                Some(Active::Overridden(job)) => job.take(&self.shared, &self.ids, id, message)?,
                Some(Active::Audit(job)) => job.take(&self.shared, &self.ids, id, message)?,
                None => log::debug!("VPP sent message {id} that nobody asked for"),
            }
        }
        if let Some(Active::Commit(job)) = &mut self.active {
            job.apply(&self.shared);
        }
        Ok(())
    }

    /// Takes the next job if there is none under way.
    fn begin(&mut self) {
        if self.active.is_some() {
            return;
        }
        let Ok(job) = self.jobs.try_recv() else {
            return;
        };
        self.silence.broken(Instant::now());
        self.active = Some(match job {
            Job::Commit {
                handles,
                source,
                reply,
            } => {
                self.encoder.set_source(source);
                Active::Commit(CommitJob::new(handles, reply))
            }
            Job::Adopt { source, reply } => {
                let tables: Vec<_> = self.shared.table().vpp_tables().collect();
                Active::Adopt(AdoptJob::new(&self.shared, source, tables, reply))
            }
            Job::Overridden {
                sources,
                limit,
                reply,
            } => {
                let tables: Vec<_> = self.shared.table().vpp_tables().collect();
                Active::Overridden(OverriddenJob::new(&sources, &tables, limit, reply))
            }
            Job::Audit { settings, reply } => {
                let tables: Vec<_> = self.shared.table().vpp_tables().collect();
                Active::Audit(AuditJob::new(settings, tables, reply))
            }
        });
    }

    fn advance(&mut self) -> Result<(), VppError> {
        match &mut self.active {
            Some(Active::Commit(job)) if self.orders.holds() => job.put_back(&self.shared),
            Some(Active::Commit(job)) => {
                let (shared, encoder) = (&self.shared, &mut self.encoder);
                while self.out.len() - self.written < OUT && job.can_send(self.settings.window) {
                    let now = Instant::now();
                    let room = self.settings.window - job.pending();
                    let limit = self.pace.allowed(now, room.min(CHUNK));
                    if limit == 0 {
                        break;
                    }
                    let sent = job.encode(shared, encoder, &mut self.out, limit)?;
                    self.pace.spend(now, sent);
                }
            }
            Some(Active::Adopt(job)) => {
                job.encode(&self.ids, self.session.client_index, &mut self.out);
            }
            Some(Active::Overridden(job)) => {
                job.encode(&self.ids, self.session.client_index, &mut self.out);
            }
            Some(Active::Audit(job)) => {
                let client_index = self.session.client_index;
                job.encode(&self.shared, &self.ids, client_index, &mut self.out);
            }
            None if self.silence.ping(Instant::now()) => PlainRequest {
                client_index: self.session.client_index,
                context: KEEPALIVE,
            }
            .encode(self.ids.control_ping, &mut self.out),
            None => {}
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), VppError> {
        while let Some(rest) = self.out.get(self.written..).filter(|rest| !rest.is_empty()) {
            match (&self.session.stream).write(rest) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(VppError::Lost(error.to_string())),
            }
        }
        self.out.clear();
        self.written = 0;
        Ok(())
    }

    fn finish(&mut self) {
        let done = match &self.active {
            Some(Active::Commit(job)) => job.done(),
            Some(Active::Adopt(job)) => job.done(),
            Some(Active::Overridden(job)) => job.done(),
            Some(Active::Audit(job)) => job.done(),
            None => false,
        };
        if !done {
            return;
        }
        match self.active.take() {
            Some(Active::Commit(job)) => job.report(),
            Some(Active::Adopt(job)) => job.report(),
            Some(Active::Overridden(job)) => job.report(),
            Some(Active::Audit(job)) => job.report(&self.shared),
            None => {}
        }
    }
}

fn is_keepalive(message: &[u8]) -> Result<bool, VppError> {
    let reply = ControlPingReply::decode(message);
    let reply = reply.map_err(|error| VppError::Lost(error.to_string()))?;
    Ok(reply.context == KEEPALIVE)
}
