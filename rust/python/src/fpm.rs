//! The state and counters of zebra's connection.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bgpreflector_engine::Engine;
use bgpreflector_engine::fpm::{FpmSettings, FpmState};
use pyo3::prelude::*;

use crate::convert::{seconds, value_error};

/// The listening address, the seconds of quiet after which a connection has sent all its routes,
/// and the seconds for which routes of earlier ones stay.
pub(crate) type FpmTuple = (String, f64, f64);

pub(crate) fn settings((listen, quiet_time, stale_routes_time): FpmTuple) -> PyResult<FpmSettings> {
    let address = listen.parse();
    let wrong = |_| value_error(format!("invalid address with port: {listen:?}"));
    let listen = address.map_err(wrong)?;
    let (quiet_time, stale_routes_time): (Duration, Duration) =
        (seconds(quiet_time)?, seconds(stale_routes_time)?);
    Ok(FpmSettings {
        listen,
        quiet_time,
        stale_routes_time,
    })
}

/// zebra's connection.
#[pyclass(frozen, get_all, module = "bgpreflector._core")]
pub struct FpmStatus {
    /// The local address; none before it listens.
    listen: Option<String>,
    /// The connected peer.
    peer: Option<String>,
    /// Whether the connection has sent all its routes.
    synchronised: bool,
    connections: u64,
    /// Connections refused because one was open.
    refused: u64,
    /// Connections closed because the peer did not send FPM.
    protocol_errors: u64,
    frames: u64,
    sweeps: u64,
    /// Routes of earlier connections removed by sweeps.
    swept: u64,
    /// Results sent, by kind.
    results: HashMap<&'static str, u64>,
    /// Prefixes with a queued result.
    results_queued: usize,
}

impl FpmStatus {
    pub(crate) fn of(engine: &Engine) -> Self {
        let state = &engine.shared().fpm;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let results = FpmState::RESULTS.into_iter();
        Self {
            listen: state.local().map(|address| address.to_string()),
            peer: state.peer().map(|address| address.to_string()),
            synchronised: state.is_synchronised(),
            connections: read(&state.connections),
            refused: read(&state.refused),
            protocol_errors: read(&state.protocol_errors),
            frames: read(&state.frames),
            sweeps: read(&state.sweeps),
            swept: read(&state.swept),
            results: results.zip(state.results.iter().map(read)).collect(),
            results_queued: engine.shared().table().results_queued(),
        }
    }
}
