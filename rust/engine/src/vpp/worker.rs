//! The work on the bulk connection.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bgpreflector_core::vpp::ping::answer_keepalive;
use bgpreflector_core::vpp::{ControlPingReply, PlainRequest, SockclntDelete};
use crossbeam_channel::Receiver;
use nix::poll::{PollFd, PollFlags};

use crate::error::VppError;
use crate::ready::wait_ready;
use crate::shared::Shared;

use super::bulk::BulkSettings;
use super::commit::{CHUNK, Encoder};
use super::connect::Session;
use super::gather::Gather;
use super::ids::Ids;
use super::orders::Orders;
use super::pace::Pace;
use super::silence::Silence;
use super::work::{Tools, Work};

pub(super) struct Worker {
    tools: Tools,
    session: Session,
    settings: BulkSettings,
    jobs: Receiver<Box<dyn Work>>,
    orders: Arc<Orders>,
    active: Option<Box<dyn Work>>,
    failed: Option<VppError>,
    out: Vec<u8>,
    written: usize,
    silence: Silence,
    pace: Pace,
    gather: Gather,
}

/// Bytes written but not yet taken by VPP before no more requests are encoded.
const OUT: usize = 256 * 1024;
/// Context of the ping to an idle VPP; that which ends a dump has another.
const KEEPALIVE: u32 = u32::MAX;
/// Reads in a row before something is written: VPP may send without a pause.
const READS: usize = 64;
/// Bytes that wait to be written before VPP counts as one that does not read.
const UNREAD: usize = 16 * OUT;
/// How long VPP may take to hang up when it is asked to.
const FAREWELL: Duration = Duration::from_millis(500);

impl Worker {
    pub(super) fn new(
        shared: Arc<Shared>,
        session: Session,
        settings: BulkSettings,
        jobs: Receiver<Box<dyn Work>>,
        orders: Arc<Orders>,
    ) -> Result<Self, VppError> {
        let ids = Ids::of(&session.messages)?;
        let client_index = session.client_index;
        let tools = Tools {
            shared,
            ids,
            client_index,
            encoder: Encoder::new(ids.route, client_index),
        };
        let (interval, patience) = (settings.keepalive_interval, settings.request_timeout);
        let silence = Silence::new(interval, patience, Instant::now());
        let pace = Pace::new(settings.rate_limit, Instant::now());
        let gather = Gather::new(settings.window);
        Ok(Self {
            tools,
            session,
            settings,
            jobs,
            orders,
            active: None,
            failed: None,
            out: Vec::with_capacity(OUT * 2),
            written: 0,
            silence,
            pace,
            gather,
        })
    }

    /// One round: read, work, write. False once the connection shall be closed.
    ///
    /// # Errors
    /// Why the connection has ended.
    pub(super) fn turn(&mut self) -> Result<bool, VppError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if self.orders.closes() {
            self.farewell();
            return Ok(false);
        }
        let pending = self.pending();
        self.read()?;
        let answers = pending.saturating_sub(self.pending());
        self.work()?;
        self.gather
            .answered(answers, self.pending(), Instant::now());
        Ok(true)
    }

    /// What of a round needs nothing from VPP. If it fails, so does the next round.
    pub(super) fn start(&mut self) {
        if self.failed.is_none() && !self.orders.closes() {
            self.failed = self.work().err();
        }
    }

    /// Has the next round fail.
    pub(super) fn fail(&mut self, error: VppError) {
        self.failed = Some(error);
    }

    fn work(&mut self) -> Result<(), VppError> {
        self.begin();
        self.advance()?;
        self.write()?;
        self.finish();
        Ok(())
    }

    /// Ends what is under way and what is ordered.
    pub(super) fn break_off(mut self, error: &VppError) {
        let left = std::iter::from_fn(|| self.jobs.try_recv().ok());
        for work in self.active.take().into_iter().chain(left) {
            work.break_off(&self.tools, error.clone());
        }
    }

    /// Asks VPP to end the session. A VPP that is only hung up on may keep the connection and read
    /// its end for ever: `vl_socket_read_ready` takes the end for an `EAGAIN` where `errno` is
    /// still that of an earlier call.
    fn farewell(&mut self) {
        let index = self.tools.client_index;
        let delete = SockclntDelete {
            client_index: index,
            context: 0,
            index,
        };
        delete.encode(self.tools.ids.sockclnt_delete, &mut self.out);
        let deadline = Instant::now() + FAREWELL;
        while self.write().and_then(|()| self.read()).is_ok() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.await_vpp(left).is_err() {
                log::debug!("VPP did not answer to the end of the session");
                return;
            }
        }
    }

    fn await_vpp(&self, longest: Duration) -> Result<(), VppError> {
        let mut waited = [PollFd::new(self.session.stream.as_fd(), self.wants())];
        wait_ready(&mut waited, Some(longest)).map_err(|error| VppError::Lost(error.to_string()))
    }

    /// What to wait for on the connection.
    pub(super) fn wants(&self) -> PollFlags {
        let mut flags = PollFlags::POLLIN;
        flags.set(PollFlags::POLLOUT, self.written < self.out.len());
        flags
    }

    /// How long to leave VPP alone, as it has enough to do.
    pub(super) fn pause(&self) -> Option<Duration> {
        let all_written = self.written == self.out.len();
        self.gather.pause(self.pending()).filter(|_| all_written)
    }

    /// How long to wait for VPP or for a job, at most; none for ever.
    pub(super) fn sleep(&self, now: Instant) -> Option<Duration> {
        // Replies that have been read let the window go on: there is something to do at once.
        let next = match &self.active {
            _ if self.failed.is_some() => Some(Duration::ZERO),
            Some(work) if self.can_send(work.as_ref()) => Some(self.pace.wait(now)),
            None if !self.jobs.is_empty() => Some(Duration::ZERO),
            _ => None,
        };
        let given_up = self.silence.sleep(now, self.pending());
        next.into_iter().chain(given_up).min()
    }

    /// Whether there is something to do, or VPP's answer to be waited for no longer.
    pub(super) fn has_to_do(&self, now: Instant) -> bool {
        self.active.is_some() || self.sleep(now) == Some(Duration::ZERO)
    }

    fn can_send(&self, work: &dyn Work) -> bool {
        self.out.len() - self.written < OUT && work.can_send(self.settings.window)
    }

    fn read(&mut self) -> Result<(), VppError> {
        for _ in 0..READS {
            match (&self.session.stream).read(self.session.reader.spare()) {
                Ok(0) => return Err(VppError::Gone("VPP closed it".into())),
                Ok(count) => {
                    self.session.reader.advance(count);
                    self.silence.broken(Instant::now());
                    if self.active.is_some() {
                        self.tools.shared.step();
                    }
                    self.take_messages()?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return self.silence.check(Instant::now(), self.pending());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(ended(&error)),
            }
        }
        Ok(())
    }

    fn pending(&self) -> usize {
        self.active.as_ref().map_or(0, |work| work.pending())
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
            if id == self.tools.ids.keepalive {
                answer_keepalive(message, self.tools.ids.keepalive_reply, &mut self.out)
                    .map_err(|error| VppError::Lost(error.to_string()))?;
                if self.out.len() - self.written > UNREAD {
                    return Err(VppError::Lost("VPP sends, but does not read".into()));
                }
                continue;
            }
            if id == self.tools.ids.sockclnt_delete_reply {
                return Err(VppError::Closed);
            }
            if id == self.tools.ids.control_ping_reply && is_keepalive(message)? {
                self.silence.answered();
                continue;
            }
            match &mut self.active {
                Some(work) => work.take(&self.tools, id, message)?,
                None => log::debug!("VPP sent message {id} that nobody asked for"),
            }
        }
        if let Some(work) = &mut self.active {
            work.apply(&self.tools);
        }
        Ok(())
    }

    /// Takes the next job if there is none under way.
    fn begin(&mut self) {
        if self.active.is_some() {
            return;
        }
        let Ok(mut work) = self.jobs.try_recv() else {
            return;
        };
        self.silence.broken(Instant::now());
        work.begin(&mut self.tools);
        self.active = Some(work);
    }

    fn advance(&mut self) -> Result<(), VppError> {
        let Some(work) = &mut self.active else {
            if self.silence.ping(Instant::now()) {
                PlainRequest {
                    client_index: self.tools.client_index,
                    context: KEEPALIVE,
                }
                .encode(self.tools.ids.control_ping, &mut self.out);
            }
            return Ok(());
        };
        if self.orders.holds() {
            work.hold();
        }
        while self.out.len() - self.written < OUT && work.can_send(self.settings.window) {
            let now = Instant::now();
            let room = self.settings.window.saturating_sub(work.pending());
            let limit = self.pace.allowed(now, room.clamp(1, CHUNK));
            if limit == 0 {
                break;
            }
            let sent = work.encode(&mut self.tools, &mut self.out, limit)?;
            self.pace.spend(now, sent);
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), VppError> {
        while let Some(rest) = self.out.get(self.written..).filter(|rest| !rest.is_empty()) {
            match (&self.session.stream).write(rest) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(ended(&error)),
            }
        }
        self.out.clear();
        self.written = 0;
        Ok(())
    }

    fn finish(&mut self) {
        if let Some(work) = self.active.take_if(|work| work.done()) {
            work.report(&self.tools);
        }
    }
}

/// Whether VPP has hung up, or only the connection fails: what was under way is no suspect then.
fn ended(error: &std::io::Error) -> VppError {
    match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => VppError::Gone(error.to_string()),
        _ => VppError::Lost(error.to_string()),
    }
}

fn is_keepalive(message: &[u8]) -> Result<bool, VppError> {
    let reply = ControlPingReply::decode(message);
    let reply = reply.map_err(|error| VppError::Lost(error.to_string()))?;
    Ok(reply.context == KEEPALIVE)
}
