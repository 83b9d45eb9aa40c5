//! The bulk connection: its buffers, and the operation in progress.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bgpreflector_core::vpp::keepalive::answer_keepalive;
use bgpreflector_core::vpp::{ControlPingReply, EmptyRequest, SockclntDelete};
use crossbeam_channel::Receiver;
use nix::poll::{PollFd, PollFlags};

use crate::error::VppError;
use crate::ready::wait_ready;
use crate::state::EngineState;

use super::connect::Session;
use super::control::Control;
use super::encoder::{CHUNK, Encoder};
use super::ids::Ids;
use super::keepalive::Keepalive;
use super::operation::{Context, Operation};
use super::rate_limit::TokenBucket;
use super::rx_coalesce::{RxCoalescer, sent_requests};
use super::types::BulkSettings;

pub(super) struct Connection {
    context: Context,
    session: Session,
    settings: BulkSettings,
    operations: Receiver<Box<dyn Operation>>,
    control: Arc<Control>,
    active: Option<Box<dyn Operation>>,
    failed: Option<VppError>,
    send_buffer: Vec<u8>,
    written: usize,
    keepalive: Keepalive,
    rate_limit: TokenBucket,
    rx_coalescer: RxCoalescer,
    /// Bytes of a request, by those encoded last.
    request_length: usize,
}

/// Unsent bytes above which no further requests are encoded.
const SEND_HIGH_WATER: usize = 256 * 1024;
/// Context of the keepalive ping; the pings that end a dump have others.
const PING_CONTEXT: u32 = u32::MAX;
/// Maximum consecutive reads before a write: VPP may send without a pause.
const MAX_READS: usize = 64;
/// Unsent bytes at which VPP counts as not reading.
const SEND_LIMIT: usize = 16 * SEND_HIGH_WATER;
/// How long VPP may take to end the session.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(500);

impl Connection {
    pub(super) fn new(
        shared: Arc<EngineState>,
        session: Session,
        settings: BulkSettings,
        operations: Receiver<Box<dyn Operation>>,
        control: Arc<Control>,
    ) -> Result<Self, VppError> {
        let ids = Ids::of(&session.messages)?;
        let client_index = session.client_index;
        let context = Context {
            shared,
            ids,
            client_index,
            encoder: Encoder::new(ids.route, client_index),
        };
        let (interval, patience) = (settings.keepalive_interval, settings.request_timeout);
        let keepalive = Keepalive::new(interval, patience, Instant::now());
        let rate_limit = TokenBucket::new(settings.rate_limit, Instant::now());
        let rx_coalescer = RxCoalescer::new(settings.max_in_flight);
        Ok(Self {
            context,
            session,
            settings,
            operations,
            control,
            active: None,
            failed: None,
            send_buffer: Vec::with_capacity(SEND_HIGH_WATER * 2),
            written: 0,
            keepalive,
            rate_limit,
            rx_coalescer,
            request_length: 1,
        })
    }

    /// One round: read, process, write. False once the connection is to be closed.
    ///
    /// # Errors
    /// The reason why the connection ended.
    pub(super) fn poll_once(&mut self) -> Result<bool, VppError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if self.control.close_requested() {
            self.shutdown();
            return Ok(false);
        }
        let pending = self.pending();
        self.read()?;
        let answers = pending.saturating_sub(self.pending());
        self.work()?;
        self.rx_coalescer
            .answered(answers, self.pending(), Instant::now());
        Ok(true)
    }

    /// The part of a round that needs nothing from VPP. If it fails, so does the next round.
    pub(super) fn start(&mut self) {
        if self.failed.is_none() && !self.control.close_requested() {
            self.failed = self.work().err();
        }
    }

    /// Makes the next round fail.
    pub(super) fn fail(&mut self, error: VppError) {
        self.failed = Some(error);
    }

    fn work(&mut self) -> Result<(), VppError> {
        self.start_next();
        self.fill_send_buffer()?;
        self.write()?;
        self.complete();
        Ok(())
    }

    /// Fails the operation in progress and the queued ones.
    pub(super) fn fail_all(mut self, error: &VppError) {
        let queued = std::iter::from_fn(|| self.operations.try_recv().ok());
        for operation in self.active.take().into_iter().chain(queued) {
            operation.fail(&self.context, error.clone());
        }
    }

    /// Asks VPP to end the session. After a plain close VPP may keep the connection and read its
    /// end forever: `vl_socket_read_ready` mistakes the end for `EAGAIN` if `errno` still has that
    /// value from an earlier call.
    fn shutdown(&mut self) {
        let index = self.context.client_index;
        let delete = SockclntDelete {
            client_index: index,
            context: 0,
            index,
        };
        delete.encode(self.context.ids.sockclnt_delete, &mut self.send_buffer);
        let deadline = Instant::now() + SHUTDOWN_TIMEOUT;
        while self.write().and_then(|()| self.read()).is_ok() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.await_vpp(left).is_err() {
                log::debug!(event = "no answer"; "VPP did not answer the end of the session");
                return;
            }
        }
    }

    fn await_vpp(&self, longest: Duration) -> Result<(), VppError> {
        let mut waited = [PollFd::new(self.session.stream.as_fd(), self.interest())];
        wait_ready(&mut waited, Some(longest)).map_err(|error| VppError::Lost(error.to_string()))
    }

    /// The poll flags to wait for.
    pub(super) fn interest(&self) -> PollFlags {
        let mut flags = PollFlags::POLLIN;
        flags.set(PollFlags::POLLOUT, self.written < self.send_buffer.len());
        flags
    }

    /// How long to leave VPP alone while it has enough requests.
    pub(super) fn rx_delay(&self) -> Option<Duration> {
        let unsent = self.send_buffer.len() - self.written;
        self.rx_coalescer
            .delay(sent_requests(self.pending(), unsent, self.request_length))
    }

    /// The maximum wait for VPP or for an operation; none for no limit.
    pub(super) fn next_timeout(&self, now: Instant) -> Option<Duration> {
        // Replies that were read make room for more requests: continue at once.
        let next = match &self.active {
            _ if self.failed.is_some() => Some(Duration::ZERO),
            Some(operation) if self.can_send(operation.as_ref()) => Some(self.rate_limit.wait(now)),
            None if !self.operations.is_empty() => Some(Duration::ZERO),
            _ => None,
        };
        let keepalive = self.keepalive.timeout(now, self.pending());
        next.into_iter().chain(keepalive).min()
    }

    /// Whether there is work to do, or VPP's answer is overdue.
    pub(super) fn has_work(&self, now: Instant) -> bool {
        self.active.is_some() || self.next_timeout(now) == Some(Duration::ZERO)
    }

    fn can_send(&self, operation: &dyn Operation) -> bool {
        self.send_buffer.len() - self.written < SEND_HIGH_WATER
            && operation.can_send(self.settings.max_in_flight)
    }

    fn read(&mut self) -> Result<(), VppError> {
        for _ in 0..MAX_READS {
            match (&self.session.stream).read(self.session.reader.spare()) {
                Ok(0) => return Err(VppError::HungUp("VPP closed it".into())),
                Ok(count) => {
                    self.session.reader.advance(count);
                    self.keepalive.on_rx(Instant::now());
                    if self.active.is_some() {
                        self.context.shared.beat();
                    }
                    self.take_messages()?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return self.keepalive.check(Instant::now(), self.pending());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(connection_error(&error)),
            }
        }
        Ok(())
    }

    fn pending(&self) -> usize {
        self.active
            .as_ref()
            .map_or(0, |operation| operation.pending())
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
            if id == self.context.ids.keepalive {
                answer_keepalive(
                    message,
                    self.context.ids.keepalive_reply,
                    &mut self.send_buffer,
                )
                .map_err(|error| VppError::Lost(error.to_string()))?;
                if self.send_buffer.len() - self.written > SEND_LIMIT {
                    return Err(VppError::Lost(
                        "the send buffer is full: VPP does not read".into(),
                    ));
                }
                continue;
            }
            if id == self.context.ids.sockclnt_delete_reply {
                return Err(VppError::Closed);
            }
            if id == self.context.ids.control_ping_reply && is_keepalive(message)? {
                self.keepalive.answered();
                continue;
            }
            match &mut self.active {
                Some(operation) => operation.on_message(&self.context, id, message)?,
                None => log::debug!(
                    event = "unexpected message", message = id; "unexpected message {id} from VPP"
                ),
            }
        }
        if let Some(operation) = &mut self.active {
            operation.on_read_end(&self.context);
        }
        Ok(())
    }

    /// Takes the next operation if none is in progress.
    fn start_next(&mut self) {
        if self.active.is_some() {
            return;
        }
        let Ok(mut operation) = self.operations.try_recv() else {
            return;
        };
        self.keepalive.on_rx(Instant::now());
        operation.begin(&mut self.context);
        self.active = Some(operation);
    }

    fn fill_send_buffer(&mut self) -> Result<(), VppError> {
        let Some(operation) = &mut self.active else {
            if self.keepalive.ping(Instant::now()) {
                EmptyRequest {
                    client_index: self.context.client_index,
                    context: PING_CONTEXT,
                }
                .encode(self.context.ids.control_ping, &mut self.send_buffer);
            }
            return Ok(());
        };
        if self.control.paused() {
            operation.cancel_unsent();
        }
        while self.send_buffer.len() - self.written < SEND_HIGH_WATER
            && operation.can_send(self.settings.max_in_flight)
        {
            let now = Instant::now();
            let room = self
                .settings
                .max_in_flight
                .saturating_sub(operation.pending());
            let limit = self.rate_limit.allowed(now, room.clamp(1, CHUNK));
            if limit == 0 {
                break;
            }
            let before = self.send_buffer.len();
            let sent = operation.encode(&mut self.context, &mut self.send_buffer, limit)?;
            if let Some(length) = (self.send_buffer.len() - before).checked_div(sent) {
                self.request_length = length.max(1);
            }
            self.rate_limit.spend(now, sent);
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), VppError> {
        while let Some(rest) = self
            .send_buffer
            .get(self.written..)
            .filter(|rest| !rest.is_empty())
        {
            match (&self.session.stream).write(rest) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(connection_error(&error)),
            }
        }
        self.send_buffer.clear();
        self.written = 0;
        Ok(())
    }

    fn complete(&mut self) {
        if let Some(operation) = self.active.take_if(|operation| operation.done()) {
            operation.complete(&self.context);
        }
    }
}

/// Whether VPP has hung up, or only the connection failed: in the latter case the requests in
/// flight are no suspects.
fn connection_error(error: &std::io::Error) -> VppError {
    match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => VppError::HungUp(error.to_string()),
        _ => VppError::Lost(error.to_string()),
    }
}

fn is_keepalive(message: &[u8]) -> Result<bool, VppError> {
    let reply = ControlPingReply::decode(message);
    let reply = reply.map_err(|error| VppError::Lost(error.to_string()))?;
    Ok(reply.context == PING_CONTEXT)
}
