//! Access to a running simulator's state.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use nix::sys::eventfd::EventFd;
use parking_lot::Mutex;

use crate::description;
use crate::faults::{Fault, InjectedFaults};
use crate::state::State;
use crate::statistics::Statistics;

/// The simulator cannot do what was requested.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The socket cannot be opened.
    #[error("cannot listen on {}: {source}", path.display())]
    Listen {
        /// The socket.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A fault refers to something that does not exist.
    #[error("{0}")]
    Fault(String),
}

/// A handle for control commands.
#[derive(Clone)]
pub(crate) struct Remote {
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) waker: Arc<EventFd>,
}

impl Remote {
    pub(crate) fn wake(&self) {
        // Fails only if the counter is full, and then it is readable anyway.
        let _ = self.waker.write(1);
    }

    pub(crate) fn statistics(&self) -> Statistics {
        self.state.lock().statistics.clone()
    }

    pub(crate) fn fault(&self, fault: Fault) -> Result<(), SimulatorError> {
        let result = apply(&mut self.state.lock(), fault);
        self.wake();
        result
    }
}

fn apply(state: &mut State, fault: Fault) -> Result<(), SimulatorError> {
    match fault {
        Fault::RateLimit { per_second } => state.faults.per_second = per_second,
        Fault::FailNth { nth, retval, every } => state.faults.fail_nth(nth, retval, every),
        Fault::FailPrefix { prefix, retval } => {
            let prefix = prefix
                .parse()
                .map_err(|e| SimulatorError::Fault(format!("{e}")))?;
            state.faults.fail_prefix(prefix, retval);
        }
        Fault::CrashAt { prefix, on } => {
            let prefix = prefix
                .parse()
                .map_err(|e| SimulatorError::Fault(format!("{e}")))?;
            state.faults.crash_at(prefix, on);
        }
        Fault::PairsAtOnce { count } => state.faults.pairs_at_once = count,
        Fault::Stall { on } => state.faults.stalled = on,
        Fault::Mute { on } => state.faults.mute = on,
        Fault::Drop { after: 0, .. } => state.run += 1,
        Fault::Drop { after, mid_frame } => state.faults.drop_after = Some((after, mid_frame)),
        Fault::Restart { shift } => state.restart(shift),
        Fault::ChangeCrc { message, crc } => {
            known(&message)?;
            state.description.change_crc(message, crc);
        }
        Fault::RemoveMessage { message } => {
            known(&message)?;
            state.description.remove(message);
        }
        Fault::Clear => state.faults = InjectedFaults::default(),
    }
    Ok(())
}

fn known(message: &str) -> Result<(), SimulatorError> {
    if description::all().any(|known| known.name == message) {
        return Ok(());
    }
    let text = format!("there is no message {message}");
    Err(SimulatorError::Fault(text))
}
