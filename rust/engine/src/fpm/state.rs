//! The state of zebra's connection, for status queries.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::waker::Waker;

/// Counters of the forwarding plane manager; each only grows unless stated otherwise.
#[derive(Default)]
pub struct FpmState {
    /// Accepted connections.
    pub connections: AtomicU64,
    /// Connections refused because one was open.
    pub refused: AtomicU64,
    /// Connections closed because the peer did not send FPM.
    pub protocol_errors: AtomicU64,
    /// Frames read.
    pub frames: AtomicU64,
    /// Connections that have sent all routes, after which the missing ones were removed.
    pub sweeps: AtomicU64,
    /// Routes removed by sweeps.
    pub swept: AtomicU64,
    /// Results sent: VPP has the route, or does not.
    pub results: [AtomicU64; 2],
    /// Whether the current connection has sent all routes (a gauge).
    synchronised: AtomicBool,
    local: Mutex<Option<SocketAddr>>,
    peer: Mutex<Option<SocketAddr>>,
    waker: Mutex<Option<Arc<Waker>>>,
    /// How often another network namespace was entered.
    namespaces: AtomicU64,
}

impl FpmState {
    /// The kinds of results, in order.
    pub const RESULTS: [&'static str; 2] = ["offload", "offload_failed"];

    /// The local address, once listening.
    pub fn local(&self) -> Option<SocketAddr> {
        *self.local.lock()
    }

    /// The connected peer.
    pub fn peer(&self) -> Option<SocketAddr> {
        *self.peer.lock()
    }

    /// Whether the current connection has sent all its routes and the missing ones are gone.
    pub fn is_synchronised(&self) -> bool {
        self.synchronised.load(Ordering::Acquire)
    }

    pub(super) fn listens(&self, at: Option<SocketAddr>, waker: &Arc<Waker>) {
        *self.local.lock() = at;
        *self.waker.lock() = Some(Arc::clone(waker));
    }

    pub(super) fn connected(&self, peer: Option<SocketAddr>) {
        *self.peer.lock() = peer;
        self.synchronised.store(false, Ordering::Release);
    }

    pub(super) fn set_synchronised(&self) {
        self.synchronised.store(true, Ordering::Release);
    }

    /// Wakes the listener's thread to send results.
    pub(crate) fn wake(&self) {
        if let Some(waker) = &*self.waker.lock() {
            waker.wake();
        }
    }

    /// Records that the namespace's name now refers to another one, in which to listen for zebra.
    pub(crate) fn namespace_entered(&self) {
        self.namespaces.fetch_add(1, Ordering::AcqRel);
        self.wake();
    }

    pub(super) fn namespaces(&self) -> u64 {
        self.namespaces.load(Ordering::Acquire)
    }
}
