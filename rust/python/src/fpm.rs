//! zebra's connection in figures.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bgpreflector_engine::Engine;
use bgpreflector_engine::fpm::{FpmSettings, FpmState};
use pyo3::prelude::*;

use crate::convert::{seconds, value_error};

/// Where to listen, seconds of quiet after which a connection has shown all its routes, and seconds
/// for which routes of earlier ones stay.
pub(crate) type FpmTuple = (String, f64, f64);

pub(crate) fn settings((listen, quiet_time, grace): FpmTuple) -> PyResult<FpmSettings> {
    let address = listen.parse();
    let wrong = |_| value_error(format!("invalid address with port: {listen:?}"));
    let listen = address.map_err(wrong)?;
    let (quiet_time, grace): (Duration, Duration) = (seconds(quiet_time)?, seconds(grace)?);
    Ok(FpmSettings {
        listen,
        quiet_time,
        grace,
    })
}

/// zebra's connection.
#[pyclass(frozen, get_all, module = "bgpreflector._core")]
pub struct FpmStatus {
    /// Where it is listened at; none before that.
    listen: Option<String>,
    /// Who is connected.
    peer: Option<String>,
    /// Whether the connection has shown all its routes.
    settled: bool,
    connections: u64,
    /// Connections refused, as there was one already.
    refused: u64,
    /// Connections closed, as what came was no FPM.
    protocol_errors: u64,
    frames: u64,
    sweeps: u64,
    /// Routes of earlier connections that sweeps removed.
    swept: u64,
    /// Answers sent, by what they say.
    answers: HashMap<&'static str, u64>,
    /// Prefixes that wait to be answered for.
    answers_waiting: usize,
}

impl FpmStatus {
    pub(crate) fn of(engine: &Engine) -> Self {
        let state = &engine.shared().fpm;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let answers = FpmState::ANSWERS.into_iter();
        Self {
            listen: state.local().map(|address| address.to_string()),
            peer: state.peer().map(|address| address.to_string()),
            settled: state.is_settled(),
            connections: read(&state.connections),
            refused: read(&state.refused),
            protocol_errors: read(&state.protocol_errors),
            frames: read(&state.frames),
            sweeps: read(&state.sweeps),
            swept: read(&state.swept),
            answers: answers.zip(state.answers.iter().map(read)).collect(),
            answers_waiting: engine.shared().table().answers_waiting(),
        }
    }
}
