//! The thread that listens for zebra.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bgpreflector_core::fpm::NextHopIds;
use bgpreflector_core::table::Table;
use nix::poll::{PollFd, PollFlags};
use parking_lot::Mutex;

use crate::deadline::earlier;
use crate::error::KernelError;
use crate::heartbeat::Liveness;
use crate::kernel::in_namespace;
use crate::panics;
use crate::ready::wait_ready;
use crate::state::EngineState;
use crate::waker::Waker;

use super::FpmSettings;
use super::peer::{ConnectionEnd, Peer, until};

/// Pause before retrying a listening socket that failed: file descriptors are exhausted, or the
/// network namespace is being created.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The listener's handle: dropping it ends the thread.
pub struct Listener {
    shared: Arc<EngineState>,
    waker: Arc<Waker>,
    stop: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Listener {
    /// Listens in the namespace at `namespace`, or this process's.
    ///
    /// # Errors
    /// [`KernelError`] if the namespace cannot be entered or the address cannot be bound.
    pub fn start(
        shared: Arc<EngineState>,
        settings: &FpmSettings,
        namespace: Option<PathBuf>,
    ) -> Result<Self, KernelError> {
        let failed = |step| move |source| KernelError::Socket { step, source };
        let waker = Arc::new(Waker::new().map_err(failed("eventfd"))?);
        let stop = Arc::new(AtomicBool::new(false));
        let mut server = Server {
            shared: Arc::clone(&shared),
            settings: settings.clone(),
            namespace,
            namespaces: shared.fpm.namespaces(),
            waker: Arc::clone(&waker),
            socket: None,
            retry_at: None,
            ids: NextHopIds::default(),
            peer: None,
            has_logged_refusal: false,
        };
        server.listen()?;
        let run = {
            let (shared, stop) = (Arc::clone(&shared), Arc::clone(&stop));
            move || {
                match panics::guarded(|| server.run(&stop)) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => shared.fail(format!("cannot listen for zebra: {error}")),
                Err(reason) => shared.fail(format!(
                    "the listener for zebra panicked, which is a bug: {reason}; restart the daemon, \
                     zebra then sends its routes again"
                )),
            }
            }
        };
        let thread = std::thread::Builder::new()
            .name("fpm".into())
            .spawn(run)
            .map_err(failed("thread"))?;
        Ok(Self {
            shared,
            waker,
            stop,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Deletes what VPP has and zebra does not, if zebra has sent all its routes: VPP may have been
    /// adopted later than that.
    pub fn confirm(&self) {
        if !self.shared.fpm.is_synchronised() || !self.shared.table().awaits_confirmation() {
            return;
        }
        // Checked again under the lock: a connection that begins meanwhile has sent nothing yet.
        self.shared.change(|table| {
            if self.shared.fpm.is_synchronised() {
                confirm(table);
            }
        });
    }

    /// The thread's liveness. Does not block.
    pub fn liveness(&self) -> Liveness {
        // An idle thread waits for the kernel to wake it, so it has nothing to do.
        self.shared.fpm_listener.liveness(|| false)
    }

    /// Stops listening: afterwards it no longer changes the table. Further calls have no effect.
    pub fn end(&self) {
        self.stop.store(true, Ordering::Release);
        self.waker.wake();
        if let Some(thread) = self.thread.lock().take() {
            if thread.join().is_err() {
                log::error!(
                    event = "thread panicked", thread = "fpm listener";
                    "the listener for zebra panicked"
                );
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.end();
    }
}

/// A socket that listens at the address, for the network namespace of this thread.
pub(crate) fn bind(address: SocketAddr) -> Result<TcpListener, KernelError> {
    let failed = |source: io::Error| KernelError::Listen { address, source };
    let socket = TcpListener::bind(address).map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    Ok(socket)
}

fn confirm(table: &mut Table) {
    let stale = table.confirm(&bgpreflector_core::route::Family::ALL);
    if stale > 0 {
        log::info!(
            event = "stale routes", stale, source = "zebra";
            "deleting stale routes from VPP, which zebra does not have: {stale}"
        );
    }
}

struct Server {
    shared: Arc<EngineState>,
    settings: FpmSettings,
    namespace: Option<PathBuf>,
    namespaces: u64,
    waker: Arc<Waker>,
    socket: Option<TcpListener>,
    /// When to retry the listening socket.
    retry_at: Option<Instant>,
    ids: NextHopIds,
    peer: Option<Peer>,
    has_logged_refusal: bool,
}

impl Server {
    fn listen(&mut self) -> Result<(), KernelError> {
        let address = self.settings.listen;
        let socket = in_namespace(self.namespace.as_deref(), || bind(address))?;
        let local = socket.local_addr().unwrap_or(address);
        self.shared.fpm.listens(Some(local), &self.waker);
        log::info!(event = "listening", address:% = local; "listening for zebra at {local}");
        self.socket = Some(socket);
        Ok(())
    }

    fn run(&mut self, stop: &AtomicBool) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        loop {
            self.wait()?;
            let _running = shared.fpm_listener.running();
            self.waker.reset();
            if stop.load(Ordering::Acquire) {
                self.hang_up(None);
                return Ok(());
            }
            self.check_namespace();
            // First: the connection may have ended, and the next one may be waiting for that.
            self.serve();
            self.accept();
        }
    }

    fn wait(&self) -> io::Result<()> {
        let mut waited = vec![PollFd::new(self.waker.as_fd(), PollFlags::POLLIN)];
        if let (Some(socket), None) = (&self.socket, self.retry_at) {
            waited.push(PollFd::new(socket.as_fd(), PollFlags::POLLIN));
        }
        if let Some(peer) = &self.peer {
            let mut events = PollFlags::POLLIN;
            events.set(PollFlags::POLLOUT, peer.is_sending());
            waited.push(PollFd::new(peer.as_fd(), events));
        }
        let due = self.peer.as_ref().and_then(|peer| peer.due(&self.settings));
        wait_ready(&mut waited, earlier(due, self.retry_at).map(until))
    }

    /// Listens in the namespace that has the name now; zebra's connection was in the old one.
    fn check_namespace(&mut self) {
        let now = Instant::now();
        if self.retry_at.is_some_and(|at| at > now) {
            return;
        }
        self.retry_at = None;
        let namespaces = self.shared.fpm.namespaces();
        if namespaces == self.namespaces && self.socket.is_some() {
            return;
        }
        self.namespaces = namespaces;
        self.socket = None;
        if let Err(error) = self.listen() {
            log::warn!(
                event = "cannot listen", address:% = self.settings.listen, error:%,
                retry_seconds = RETRY_PAUSE.as_secs_f64();
                "{error}; retrying"
            );
            self.retry_at = Some(now + RETRY_PAUSE);
        }
    }

    fn serve(&mut self) {
        let Some(peer) = &mut self.peer else { return };
        let (shared, ids) = (&self.shared, &mut self.ids);
        let served = peer.read(shared, ids).and_then(|()| {
            peer.run_timers(shared, ids, &self.settings);
            peer.send_results(shared, ids)
        });
        if let Err(ended) = served {
            self.hang_up(Some(&ended));
        }
    }

    fn hang_up(&mut self, ended: Option<&ConnectionEnd>) {
        let Some(peer) = self.peer.take() else { return };
        let address = peer.address;
        // Counted and logged before the state shows that the connection has ended.
        match ended {
            Some(ConnectionEnd::NotFpm(error)) => {
                let errors = &self.shared.fpm.protocol_errors;
                errors.fetch_add(1, Ordering::Relaxed);
                log::error!(
                    event = "zebra disconnected", address:%, error:%;
                    "closed the connection from {address}: {error}; VPP keeps its routes"
                );
            }
            Some(ended) => log::warn!(
                event = "zebra disconnected", address:%, error:% = ended;
                "the connection from zebra at {address} ended: {ended}; VPP keeps its routes until \
                 zebra has connected again and sent all routes"
            ),
            None => {}
        }
        peer.end(&self.shared);
    }

    fn accept(&mut self) {
        loop {
            let Some(socket) = &self.socket else { return };
            match socket.accept() {
                Ok((stream, address)) => self.open_peer(stream, address),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    log::warn!(
                        event = "cannot accept", error:%,
                        retry_seconds = RETRY_PAUSE.as_secs_f64();
                        "cannot accept zebra's connection: {error}; retrying"
                    );
                    self.retry_at = Some(Instant::now() + RETRY_PAUSE);
                    return;
                }
            }
        }
    }

    /// The first connection stays: a second zebra, or a stray client, must not replace its routes.
    fn open_peer(&mut self, stream: TcpStream, address: SocketAddr) {
        if let Some(peer) = &self.peer {
            self.shared.fpm.refused.fetch_add(1, Ordering::Relaxed);
            if !std::mem::replace(&mut self.has_logged_refusal, true) {
                log::warn!(
                    event = "connection refused", address:%, connected:% = peer.address;
                    "refused a connection from {address}, since zebra at {} is connected: configure \
                     this address (`fpm address`) in one zebra only",
                    peer.address
                );
            }
            return;
        }
        match Peer::new(&self.shared, &mut self.ids, stream, address, Instant::now()) {
            Ok(peer) => {
                log::info!(
                    event = "zebra connected", address:%;
                    "zebra connected from {address}; receiving all its routes"
                );
                self.has_logged_refusal = false;
                self.peer = Some(peer);
                self.serve();
            }
            Err(error) => log::warn!(
                event = "connection unusable", address:%, error:%;
                "cannot use the connection from {address}: {error}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::sync::Arc;
    use std::time::Duration;

    use bgpreflector_core::table::Scope;

    use super::{FpmSettings, Listener};
    use crate::heartbeat::tests::still;
    use crate::state::EngineState;

    #[test]
    fn a_listener_that_hangs_is_seen_to_have_work() {
        let shared = Arc::new(EngineState::new(Scope::default()));
        let settings = FpmSettings {
            listen: ([127, 0, 0, 1], 0).into(),
            quiet_time: Duration::from_secs(20),
            stale_routes_time: Duration::ZERO,
        };
        let listener = Listener::start(Arc::clone(&shared), &settings, None).unwrap();
        let rest = still(|| listener.liveness(), false);
        let address = shared.fpm.local().unwrap();
        let hung = {
            // It waits for the table to begin a resync.
            let _table = shared.table();
            let _zebra = TcpStream::connect(address).unwrap();
            still(|| listener.liveness(), true)
        };
        assert_eq!(hung.beats, rest.beats);
        assert!(still(|| listener.liveness(), false).beats > rest.beats);
        listener.end();
    }
}
