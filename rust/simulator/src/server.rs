//! The thread that serves all clients.

use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bgpreflector_core::vpp::messages as m;
use bgpreflector_core::vpp::{EmptyRequest, begin_frame};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::EventFd;
use nix::time::{ClockId, clock_gettime};
use parking_lot::Mutex;

use crate::client::Client;
use crate::client_requests::StopReason;
use crate::description::id;
use crate::state::State;

/// The first client index of VPP's socket clients.
const FIRST_INDEX: u32 = 0x8000_0001;
/// Maximum number of unanswered keepalives.
const MAX_UNANSWERED: u32 = 2;

pub(crate) struct Server {
    pub(crate) listener: UnixListener,
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) waker: Arc<EventFd>,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) clients: Vec<Client>,
    pub(crate) next_index: u32,
    pub(crate) rate_limited: bool,
}

impl Server {
    pub(crate) fn new(
        listener: UnixListener,
        state: Arc<Mutex<State>>,
        waker: Arc<EventFd>,
        stop: Arc<AtomicBool>,
    ) -> Self {
        let clients = Vec::new();
        Self {
            listener,
            state,
            waker,
            stop,
            clients,
            next_index: FIRST_INDEX,
            rate_limited: false,
        }
    }

    pub(crate) fn run(mut self) {
        while !self.stop.load(Ordering::Acquire) {
            match self.wait() {
                Ok(()) | Err(Errno::EINTR) => self.poll_once(),
                Err(error) => {
                    log::error!("the simulator ends: {error}");
                    return;
                }
            }
        }
    }

    fn wait(&self) -> Result<(), Errno> {
        let (stalled, keepalive) = {
            let state = self.state.lock();
            (state.faults.stalled, state.settings.keepalive)
        };
        let mut waited = vec![
            PollFd::new(self.listener.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.waker.as_fd(), PollFlags::POLLIN),
        ];
        for client in &self.clients {
            let mut flags = PollFlags::empty();
            let reads = !stalled && !self.rate_limited && client.accepts_requests();
            flags.set(PollFlags::POLLIN, reads);
            flags.set(PollFlags::POLLOUT, client.backlog() > 0);
            waited.push(PollFd::new(client.stream.as_fd(), flags));
        }
        let unpaused = |client: &Client| client.paused && client.accepts_requests();
        let timeout = match keepalive {
            _ if !stalled && self.clients.iter().any(unpaused) => PollTimeout::ZERO,
            _ if self.rate_limited => PollTimeout::from(1_u8),
            Some(interval) => {
                PollTimeout::try_from(interval.as_millis() / 2 + 1).unwrap_or(PollTimeout::MAX)
            }
            None => PollTimeout::NONE,
        };
        poll(&mut waited, timeout).map(|_| ())
    }

    fn poll_once(&mut self) {
        // Fails only if it was not woken.
        let _ = self.waker.read();
        let shared = Arc::clone(&self.state);
        let mut state = shared.lock();
        let before = state.statistics.route_requests;
        self.clients.retain(|client| client.run == state.run);
        self.accept(&state);
        if !state.faults.stalled {
            self.serve_clients(&mut state);
        }
        self.send_interface_events(&mut state);
        self.keep_alive(&state);
        self.clients.retain_mut(Client::flush);
        state.statistics.clients = self.clients.len() as u64;
        if state.statistics.route_requests != before {
            state.statistics.answered_at = monotonic();
        }
    }

    fn accept(&mut self, state: &State) {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    if let Err(error) = stream.set_nonblocking(true) {
                        log::error!("cannot accept a client: {error}");
                        continue;
                    }
                    self.clients
                        .push(Client::new(stream, self.next_index, state.run));
                    self.next_index = self.next_index.wrapping_add(1);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    fn serve_clients(&mut self, state: &mut State) {
        self.rate_limited = false;
        let mut drop_all = false;
        let mut rate_limited = false;
        self.clients
            .retain_mut(|client| match serve_client(client, state) {
                StopReason::Idle => true,
                StopReason::Disconnected => false,
                StopReason::RateLimited => {
                    rate_limited = true;
                    true
                }
                StopReason::DropAll | StopReason::Crashed => {
                    drop_all = true;
                    true
                }
            });
        self.rate_limited = rate_limited;
        if drop_all {
            for client in &mut self.clients {
                client.flush();
            }
            self.clients.clear();
        }
        if std::mem::take(&mut state.crashed) {
            log::warn!("a request crashed this VPP; it restarts empty");
            state.statistics.crashes += 1;
            state.restart(0);
        }
    }

    fn send_interface_events(&mut self, state: &mut State) {
        let number = id(m::SW_INTERFACE_EVENT).unwrap_or(u16::MAX);
        let number = state.description.to_wire(number);
        for (sw_if_index, up, deleted) in state.events.drain(..) {
            for client in &mut self.clients {
                let Some(pid) = client.events else { continue };
                let flags = if up { 3_u32 } else { 0 };
                let frame = begin_frame(&mut client.out);
                client.out.extend_from_slice(&number.to_be_bytes());
                for word in [client.index, pid, sw_if_index, flags] {
                    client.out.extend_from_slice(&word.to_be_bytes());
                }
                client.out.push(deleted.into());
                frame.finish(&mut client.out);
            }
        }
    }

    fn keep_alive(&mut self, state: &State) {
        let Some(interval) = state.settings.keepalive else {
            return;
        };
        if state.faults.stalled || state.faults.mute {
            // No answers of its clients are read, so their silence is no sign of failure.
            for client in &mut self.clients {
                client.last_heard = Instant::now();
                client.keepalive_sent = None;
            }
            return;
        }
        let number = id(m::MEMCLNT_KEEPALIVE).unwrap_or(u16::MAX);
        let number = state.description.to_wire(number);
        self.clients
            .retain_mut(|client| match client.keepalive_sent {
                Some(sent) => sent.elapsed() < interval.saturating_mul(MAX_UNANSWERED),
                None => {
                    if client.last_heard.elapsed() >= interval {
                        client.keepalive_sent = Some(Instant::now());
                        let (client_index, context) = (client.index, client.index);
                        EmptyRequest {
                            client_index,
                            context,
                        }
                        .encode(number, &mut client.out);
                    }
                    true
                }
            });
    }
}

/// Requests after the one that crashed VPP are lost.
fn serve_client(client: &mut Client, state: &mut State) -> StopReason {
    if state.crashed {
        return StopReason::Crashed;
    }
    client.serve_pending(state)
}

/// Nanoseconds of `CLOCK_MONOTONIC`; 0 if it cannot be read.
fn monotonic() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from);
    now.map_or(0, |now| u64::try_from(now.as_nanos()).unwrap_or(0))
}
