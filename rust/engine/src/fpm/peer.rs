//! A connection from zebra.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bgpreflector_core::fpm::{FpmFrameError, FpmFrameReader, NextHopIds, encode_result};
use bgpreflector_core::route::{Family, NextHopSource};
use nix::sys::socket::{setsockopt, sockopt};

use crate::deadline::earlier;
use crate::state::EngineState;

use super::FpmSettings;
use super::apply::{self, Effects};
use super::initial_routes::InitialRoutes;

/// Maximum consecutive reads before other work.
const MAX_READS: usize = 16;
/// Results taken from the table at a time.
const RESULTS_AT_ONCE: usize = 256;
/// Maximum consecutive batches of results before other work.
const MAX_ROUNDS: usize = 64;
/// TCP keepalive, in seconds: detects a peer whose host is gone.
const KEEPALIVE: u32 = 5;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionEnd {
    #[error("zebra closed the connection")]
    Closed,
    #[error("zebra closed the connection within a frame")]
    WithinAFrame,
    #[error("{0}")]
    Broken(#[from] io::Error),
    #[error("protocol error: {0}")]
    NotFpm(#[from] FpmFrameError),
}

/// An open connection.
pub(super) struct Peer {
    stream: TcpStream,
    pub(super) address: SocketAddr,
    frames: FpmFrameReader,
    started: Instant,
    initial: InitialRoutes,
    /// It sent a message that cannot be decoded: what is missing may be in it.
    uncertain: bool,
    shown: bool,
    swept: bool,
    out: Vec<u8>,
    sent: usize,
}

impl Peer {
    /// Begins a resync: routes sent from here on count as seen.
    pub(super) fn new(
        shared: &EngineState,
        ids: &mut NextHopIds,
        stream: TcpStream,
        address: SocketAddr,
        now: Instant,
    ) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        setsockopt(&stream, sockopt::KeepAlive, &true)?;
        setsockopt(&stream, sockopt::TcpKeepIdle, &KEEPALIVE)?;
        setsockopt(&stream, sockopt::TcpKeepInterval, &KEEPALIVE)?;
        setsockopt(&stream, sockopt::TcpKeepCount, &3)?;
        // First: a caller that waits for a sweep must wait for this connection's.
        shared.fpm.connected(Some(address));
        shared.change(|table| {
            ids.begin(table.next_hop_ids());
            table.begin_connection();
            table.begin_results();
        });
        shared.fpm.connections.fetch_add(1, Ordering::Relaxed);
        Ok(Self {
            stream,
            address,
            frames: FpmFrameReader::default(),
            started: now,
            initial: InitialRoutes::default(),
            uncertain: false,
            shown: false,
            swept: false,
            out: Vec::new(),
            sent: 0,
        })
    }

    /// Ends the resync, if it is in progress, without removing anything.
    pub(super) fn end(self, shared: &EngineState) {
        shared.fpm.connected(None);
        shared.change(|table| {
            table.end_resync(&[]);
            table.end_results();
        });
    }

    pub(super) fn is_sending(&self) -> bool {
        self.sent < self.out.len()
    }

    /// Reads pending data into the table.
    pub(super) fn read(
        &mut self,
        shared: &EngineState,
        ids: &mut NextHopIds,
    ) -> Result<(), ConnectionEnd> {
        for _ in 0..MAX_READS {
            match self.stream.read(self.frames.spare()) {
                Ok(0) if self.frames.buffered() > 0 => return Err(ConnectionEnd::WithinAFrame),
                Ok(0) => return Err(ConnectionEnd::Closed),
                Ok(length) => {
                    self.frames.advance(length);
                    shared.fpm_listener.beat();
                    self.apply(shared, ids)?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn apply(&mut self, shared: &EngineState, ids: &mut NextHopIds) -> Result<(), FpmFrameError> {
        let mut effects = Effects {
            initial: (!self.shown).then_some(&mut self.initial),
            malformed: None,
        };
        let frames = &mut self.frames;
        let result = shared.change(|table| {
            // One walk over the table for all next-hop objects of the batch.
            table.defer();
            let result = loop {
                match frames.next_frame() {
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error),
                    Ok(Some(messages)) => {
                        shared.fpm.frames.fetch_add(1, Ordering::Relaxed);
                        apply::frame(shared, table, ids, messages, &mut effects);
                    }
                }
            };
            table.apply_deferred();
            result
        });
        let malformed = effects.malformed;
        self.initial.arrived(Instant::now());
        if let Some(error) = malformed {
            if !std::mem::replace(&mut self.uncertain, true) {
                log::warn!(
                    event = "message ignored", source = "zebra", address:% = self.address, error:%;
                    "ignored a message of zebra that cannot be decoded: {error}; routes of earlier \
                     connections stay until a new connection has sent all routes"
                );
            }
        }
        result
    }

    /// When the connection counts as having sent all its routes, and when the missing ones may go,
    /// if no new one arrives until then.
    fn times(&self, settings: &FpmSettings) -> Option<(Instant, Instant)> {
        let shown = self.initial.shown_at(self.started, settings.quiet_time)?;
        let complete = self
            .initial
            .complete_at(self.started, settings.quiet_time)?;
        Some((
            shown,
            complete.max(self.started + settings.stale_routes_time),
        ))
    }

    /// When there is work to do without an event.
    pub(super) fn due(&self, settings: &FpmSettings) -> Option<Instant> {
        let (shown, swept) = self.times(settings)?;
        earlier(
            (!self.shown).then_some(shown),
            (!self.swept).then_some(swept),
        )
    }

    /// Runs the timers that are due.
    pub(super) fn run_timers(
        &mut self,
        shared: &EngineState,
        ids: &mut NextHopIds,
        settings: &FpmSettings,
    ) {
        let Some((shown, swept)) = self.times(settings) else {
            return;
        };
        let now = Instant::now();
        if now >= swept && !std::mem::replace(&mut self.swept, true) {
            self.sweep(shared, ids);
        }
        // Last: a reader that looks for the deletions after this flag sees all of them.
        if now >= shown && !std::mem::replace(&mut self.shown, true) {
            self.initial.end();
            shared.synchronised();
        }
    }

    fn sweep(&self, shared: &EngineState, ids: &mut NextHopIds) {
        if self.uncertain {
            shared.change(|table| table.end_resync(&[]));
            return;
        }
        let (swept, stale) = shared.change(|table| {
            table.sweep_labels();
            let swept = table.end_resync(&Family::ALL);
            for number in ids.forget_previous() {
                table.remove_next_hop(number);
            }
            // Routes of earlier connections are no drift.
            let _ = table.take_drift(0);
            (swept.removed, table.confirm(&Family::ALL))
        });
        shared.fpm.sweeps.fetch_add(1, Ordering::Relaxed);
        shared.fpm.swept.fetch_add(swept as u64, Ordering::Relaxed);
        shared.fpm.set_synchronised();
        log::info!(
            event = "zebra in sync", address:% = self.address, swept, stale;
            "zebra at {} has shown its routes: removed {swept} of earlier connections and {stale} \
             of an earlier run",
            self.address
        );
    }

    /// Sends VPP's results, as far as zebra accepts them.
    pub(super) fn send_results(
        &mut self,
        shared: &EngineState,
        ids: &NextHopIds,
    ) -> Result<(), ConnectionEnd> {
        for _ in 0..MAX_ROUNDS {
            if !self.is_sending() {
                self.encode_results(shared, ids);
            }
            let Some(left) = self.out.get(self.sent..).filter(|left| !left.is_empty()) else {
                break;
            };
            match self.stream.write(left) {
                Ok(0) => return Err(ConnectionEnd::Closed),
                Ok(length) => self.sent += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn encode_results(&mut self, shared: &EngineState, ids: &NextHopIds) {
        self.out.clear();
        self.sent = 0;
        if shared.table().results_queued() == 0 {
            return;
        }
        for mut result in shared.change(|table| table.take_results(RESULTS_AT_ONCE)) {
            if let NextHopSource::Object(number) = &mut result.route.set.next_hops {
                // An object of an earlier connection that zebra has not sent again yet.
                let Some(id) = ids.id(*number) else { continue };
                *number = id;
            }
            if encode_result(&result.route, result.installed, &mut self.out) {
                let [offload, failed] = &shared.fpm.results;
                let counter = if result.installed { offload } else { failed };
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl AsFd for Peer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// The time until then.
pub(super) fn until(at: Instant) -> Duration {
    at.saturating_duration_since(Instant::now())
}
