//! The thread that owns the bulk connection.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bgpreflector_core::vpp::messages;
use bgpreflector_core::vpp::ping::answer_keepalive;
use bgpreflector_core::vpp::{ControlPingReply, PlainRequest};
use crossbeam_channel::Receiver;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::error::VppError;
use crate::kernel::Wake;
use crate::shared::Shared;

use super::adopt::AdoptJob;
use super::bulk::{BulkSettings, Job};
use super::commit::{CommitJob, Encoder};
use super::connect::Session;
use super::lost::Lost;
use super::silence::Silence;

/// Message ids of this VPP.
#[derive(Clone, Copy)]
pub(super) struct Ids {
    pub(super) route_reply: u16,
    pub(super) route_dump: u16,
    pub(super) route_details: u16,
    pub(super) control_ping: u16,
    pub(super) control_ping_reply: u16,
    keepalive: u16,
    keepalive_reply: u16,
}

enum Active {
    Commit(CommitJob),
    Adopt(AdoptJob),
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
    active: Option<Active>,
    out: Vec<u8>,
    written: usize,
    silence: Silence,
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
    ) -> Result<Self, VppError> {
        let id = |name| {
            session
                .messages
                .id(name)
                .map_err(|e| VppError::Message(e.to_string()))
        };
        let ids = Ids {
            route_reply: id(messages::IP_ROUTE_ADD_DEL_V2_REPLY)?,
            route_dump: id(messages::IP_ROUTE_V2_DUMP)?,
            route_details: id(messages::IP_ROUTE_V2_DETAILS)?,
            control_ping: id(messages::CONTROL_PING)?,
            control_ping_reply: id(messages::CONTROL_PING_REPLY)?,
            keepalive: id(messages::MEMCLNT_KEEPALIVE)?,
            keepalive_reply: id(messages::MEMCLNT_KEEPALIVE_REPLY)?,
        };
        let encoder = Encoder::new(id(messages::IP_ROUTE_ADD_DEL_V2)?, session.client_index);
        let (interval, patience) = (settings.keepalive_interval, settings.request_timeout);
        let silence = Silence::new(interval, patience, Instant::now());
        Ok(Self {
            shared,
            session,
            settings,
            ids,
            encoder,
            jobs,
            wake,
            lost,
            active: None,
            out: Vec::with_capacity(OUT * 2),
            written: 0,
            silence,
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
        self.read()?;
        if !self.begin() {
            return Ok(false);
        }
        self.advance()?;
        self.write()?;
        self.finish();
        Ok(true)
    }

    fn wait(&self) -> Result<(), VppError> {
        // Replies that have been read let the window go on: there is something to do at once.
        let busy = matches!(&self.active, Some(Active::Commit(job)) if self.can_send(job));
        let timeout = if busy || (self.active.is_none() && !self.jobs.is_empty()) {
            PollTimeout::ZERO
        } else {
            let sleep = self.silence.sleep(Instant::now(), self.pending());
            sleep.map_or(PollTimeout::NONE, poll_timeout)
        };
        let mut flags = PollFlags::POLLIN;
        flags.set(PollFlags::POLLOUT, self.written < self.out.len());
        let mut waited = [
            PollFd::new(self.session.stream.as_fd(), flags),
            PollFd::new(self.wake.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut waited, timeout) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(VppError::Lost(error.to_string())),
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
            Some(Active::Adopt(_)) => 1,
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
                None => log::debug!("VPP sent message {id} that nobody asked for"),
            }
        }
        if let Some(Active::Commit(job)) = &mut self.active {
            job.apply(&self.shared);
        }
        Ok(())
    }

    /// Takes the next job if there is none under way; false if it is to close.
    fn begin(&mut self) -> bool {
        if self.active.is_some() {
            return true;
        }
        match self.jobs.try_recv() {
            Ok(Job::Commit {
                handles,
                source,
                reply,
            }) => {
                self.silence.broken(Instant::now());
                self.encoder.set_source(source);
                self.active = Some(Active::Commit(CommitJob::new(handles, reply)));
                true
            }
            Ok(Job::Adopt { source, reply }) => {
                self.silence.broken(Instant::now());
                let tables: Vec<_> = self.shared.table().vpp_tables().collect();
                self.active = Some(Active::Adopt(AdoptJob::new(
                    &self.shared,
                    source,
                    tables,
                    reply,
                )));
                true
            }
            Ok(Job::Close) => false,
            Err(_) => true,
        }
    }

    fn advance(&mut self) -> Result<(), VppError> {
        match &mut self.active {
            Some(Active::Commit(job)) => {
                while self.out.len() - self.written < OUT && job.can_send(self.settings.window) {
                    job.encode(
                        &self.shared,
                        &mut self.encoder,
                        &mut self.out,
                        self.settings.window,
                    )?;
                }
            }
            Some(Active::Adopt(job)) => {
                job.encode(&self.ids, self.session.client_index, &mut self.out);
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
            None => false,
        };
        if !done {
            return;
        }
        match self.active.take() {
            Some(Active::Commit(job)) => job.report(),
            Some(Active::Adopt(job)) => job.report(),
            None => {}
        }
    }
}

/// Rounded up: woken too early, the thread would turn without having anything to do.
fn poll_timeout(sleep: Duration) -> PollTimeout {
    PollTimeout::try_from(sleep.as_millis().saturating_add(1)).unwrap_or(PollTimeout::MAX)
}

fn is_keepalive(message: &[u8]) -> Result<bool, VppError> {
    let reply = ControlPingReply::decode(message);
    let reply = reply.map_err(|error| VppError::Lost(error.to_string()))?;
    Ok(reply.context == KEEPALIVE)
}
