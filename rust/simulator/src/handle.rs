//! The simulator's handle.

use std::collections::BTreeSet;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use bgpreflector_core::route::{PathSet, Prefix};
use nix::sys::eventfd::{EfdFlags, EventFd};
use parking_lot::Mutex;

use crate::control;
use crate::faults::Fault;
use crate::remote::{Remote, SimulatorError};
use crate::server::Server;
use crate::settings::Settings;
use crate::state::State;
use crate::statistics::Statistics;

/// A simulator on its own threads, which runs until it is dropped.
pub struct Simulator {
    remote: Remote,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    sockets: Vec<PathBuf>,
}

impl Simulator {
    /// Starts one.
    ///
    /// # Errors
    /// [`SimulatorError::Listen`]
    pub fn start(settings: Settings) -> Result<Self, SimulatorError> {
        let listener = listen(&settings.socket)?;
        let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
        let failed = |path: &Path, source| SimulatorError::Listen {
            path: path.to_owned(),
            source,
        };
        let socket = settings.socket.clone();
        let wake = EventFd::from_value_and_flags(0, flags);
        let wake = Arc::new(wake.map_err(|error| failed(&socket, error.into()))?);
        let control_socket = settings.control_socket.clone();
        let stop = Arc::new(AtomicBool::new(false));
        let remote = Remote {
            state: Arc::new(Mutex::new(State::new(settings))),
            waker: wake,
        };
        let state = Arc::clone(&remote.state);
        let server = Server::new(
            listener,
            state,
            Arc::clone(&remote.waker),
            Arc::clone(&stop),
        );
        let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
            let thread = std::thread::Builder::new().name(name.into());
            thread.spawn(run).map_err(|error| failed(&socket, error))
        };
        // On any later error its drop stops the simulator and removes the socket.
        let mut simulator = Self {
            remote: remote.clone(),
            stop: Arc::clone(&stop),
            threads: Vec::new(),
            sockets: vec![socket.clone()],
        };
        let thread = spawn("simulator", Box::new(move || server.run()))?;
        simulator.threads.push(thread);
        if let Some(path) = control_socket {
            let listener = listen(&path)?;
            simulator.sockets.push(path);
            let run = move || control::serve(&listener, &remote, &stop);
            let thread = spawn("simulator-control", Box::new(run))?;
            simulator.threads.push(thread);
        }
        Ok(simulator)
    }

    /// The statistics.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.remote.statistics()
    }

    /// Injects a fault.
    ///
    /// # Errors
    /// [`SimulatorError::Fault`] if it refers to something that does not exist.
    pub fn fault(&self, fault: Fault) -> Result<(), SimulatorError> {
        self.remote.fault(fault)
    }

    /// The routes of the source with this name, by table and prefix; empty if there is none. Leaves
    /// out routes with a path that no [`Path`](bgpreflector_core::route::Path) can express.
    #[must_use]
    pub fn snapshot(&self, source: &str) -> Vec<(u32, Prefix, PathSet)> {
        let state = self.remote.state.lock();
        let Some(id) = state.sources.named(source) else {
            return Vec::new();
        };
        let routes = state.fib.of_source(id);
        routes
            .filter_map(|((table, prefix), set)| Some((table, prefix, set.to_path_set()?)))
            .collect()
    }

    /// The description of its messages, like one of VPP's `.api.json` files.
    #[must_use]
    pub fn api_description(&self) -> String {
        self.remote.state.lock().description.module()
    }

    /// Starts to record deleted prefixes, and clears the previous record.
    pub fn record_deletions(&self) {
        self.remote.state.lock().deletions = Some(BTreeSet::new());
    }

    /// The prefixes, by table, that clients have deleted since [`Self::record_deletions`], once
    /// each: of any source, present or not, and even if added again.
    #[must_use]
    pub fn deletions(&self) -> Vec<(u32, Prefix)> {
        let state = self.remote.state.lock();
        state.deletions.iter().flatten().copied().collect()
    }

    /// Stops it. Further calls have no effect.
    pub fn stop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.remote.wake();
        // A connection wakes each thread that accepts connections.
        for socket in self.sockets.drain(..) {
            let _ = std::os::unix::net::UnixStream::connect(&socket);
            let _ = std::fs::remove_file(&socket);
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                log::error!("a thread of the simulator panicked");
            }
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Listens on a path; replaces a socket that has no listener.
fn listen(path: &Path) -> Result<UnixListener, SimulatorError> {
    let failed = |source| SimulatorError::Listen {
        path: path.to_owned(),
        source,
    };
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|at| at.file_type().is_socket());
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
        std::fs::remove_file(path).map_err(failed)?;
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}
