//! The kernel reader's thread and handle.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bgpreflector_core::netlink::constants::{
    RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_ROUTE, RTNLGRP_LINK,
    RTNLGRP_NEXTHOP,
};
use bgpreflector_core::table::DriftReport;
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use parking_lot::Mutex;

use crate::error::KernelError;
use crate::heartbeat::Pulse;
use crate::panics;
use crate::state::EngineState;

use super::monitor::Monitor;
use super::namespace::Sockets;
use super::poller::Poller;
use super::schedule::Reason;

/// How the kernel is read.
#[derive(Clone, Debug)]
pub struct KernelSettings {
    /// Receive buffer to request, bytes.
    pub receive_buffer: usize,
    /// File of the network namespace to read; none for this process's.
    pub namespace: Option<PathBuf>,
    /// How often to compare the table with the kernel; none disables audits.
    pub audit_interval: Option<Duration>,
    /// Whether to read only links, since the routes have another source.
    pub links_only: bool,
    /// How long after the start routes of an earlier run stay in VPP although the kernel does not
    /// have them.
    pub grace: Duration,
}

impl Default for KernelSettings {
    /// 32 MiB, enough for about 40,000 notifications; this process's namespace, no audit, no grace
    /// time.
    fn default() -> Self {
        Self {
            receive_buffer: 32 << 20,
            namespace: None,
            audit_interval: None,
            links_only: false,
            grace: Duration::ZERO,
        }
    }
}

/// How long to wait for the reader's thread to return to its wait.
const LOCK_TIMEOUT: Duration = Duration::from_millis(1);

/// The result of a resync.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResyncReport {
    /// Routes in the dumps, with those of repeated dumps counted again.
    pub dumped: usize,
    /// Routes removed from the table because the kernel no longer has them.
    pub removed: usize,
    /// The number of dumps.
    pub dumps: usize,
    /// Whether every family was compared; if not, another resync follows automatically.
    pub complete: bool,
    /// How long it took.
    pub duration: Duration,
    /// Unexplained differences; only audits look for them.
    pub drift: DriftReport,
}

/// A resync with a waiting caller.
pub(super) struct Command {
    pub(super) reason: Reason,
    pub(super) reply: Sender<Result<ResyncReport, KernelError>>,
}

/// The reader's handle: dropping it ends the thread.
pub struct Reader {
    shared: Arc<EngineState>,
    monitor: Arc<Mutex<Monitor>>,
    commands: Sender<Command>,
    /// Where a thread that waits for changes polls the kernel in place of the reader.
    inline_poller: Mutex<Arc<Poller>>,
    commands_poller: Arc<Poller>,
    stop: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Reader {
    /// Subscribes to the kernel's notifications and starts the thread. Nothing is dumped until
    /// [`Self::resync`] is called.
    ///
    /// # Errors
    /// [`KernelError`] if the namespace cannot be entered or a socket cannot be made.
    pub fn start(shared: Arc<EngineState>, settings: &KernelSettings) -> Result<Self, KernelError> {
        let bytes = settings.receive_buffer;
        let groups = groups(settings.links_only);
        let sockets = Sockets::open(settings.namespace.as_deref(), bytes, groups)?;
        report_buffer(&shared, bytes, sockets.granted);
        let failed = |step| move |source| KernelError::Socket { step, source };
        // If threads wait at both, the poller made first is woken.
        let poller = || Poller::new(&sockets.notifications).map_err(failed("epoll"));
        let (inline_poller, commands_poller) = (Arc::new(poller()?), Arc::new(poller()?));
        let (commands, received) = unbounded();
        let monitor = Monitor::new(
            Arc::clone(&shared),
            settings,
            sockets,
            [Arc::clone(&inline_poller), Arc::clone(&commands_poller)],
        );
        let monitor = Arc::new(Mutex::new(monitor));
        let stop = Arc::new(AtomicBool::new(false));
        let work = {
            let (monitor, commands_poller, stop) =
                (monitor.clone(), commands_poller.clone(), stop.clone());
            let shared = Arc::clone(&shared);
            move || {
                let ended =
                    panics::guarded(|| run(&shared, &monitor, &commands_poller, &received, &stop));
                if let Err(reason) = ended {
                    panicked(&shared, &reason);
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("kernel-reader".into())
            .spawn(work)
            .map_err(failed("thread"))?;
        Ok(Self {
            shared,
            monitor,
            commands,
            inline_poller: Mutex::new(inline_poller),
            commands_poller,
            stop,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Dumps the kernel's links, next-hop objects and routes, removes what is gone, and returns
    /// once the table matches the kernel.
    ///
    /// # Errors
    /// [`KernelError`] if a dump is refused or fails; nothing was removed then.
    pub fn resync(&self, reason: Reason) -> Result<ResyncReport, KernelError> {
        let (reply, answer) = bounded(1);
        let gone = || KernelError::NotRunning {
            reason: self.shared.failure(),
        };
        let sent = self.commands.send(Command { reason, reply });
        sent.map_err(|_| gone())?;
        self.commands_poller.wake();
        answer.recv().map_err(|_| gone())?
    }

    /// Waits for dirty prefixes (true) or the end (false), and reads the kernel's notifications
    /// inline: the changes then reach the caller without a switch to another thread. None if the
    /// reader's thread has to do the work, and at the deadline.
    pub fn wait_inline(&self, deadline: Option<Instant>) -> Option<bool> {
        // One inline reader is enough.
        let poller = self.inline_poller.try_lock()?;
        while !self.stop.load(Ordering::Acquire) {
            if let Some(found) = self.shared.register_waker(poller.waker()) {
                return Some(found);
            }
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            let seen = self.can_read_inline().then(|| poller.wait(left));
            self.shared.unregister_waker();
            let read = seen.is_some_and(|seen| self.read_inline(seen));
            if !read || left.is_some_and(|left| left.is_zero()) {
                break;
            }
        }
        None
    }

    /// Not in a burst, nor during a resync.
    fn can_read_inline(&self) -> bool {
        let monitor = self.monitor.try_lock_for(LOCK_TIMEOUT);
        monitor.is_some_and(|monitor| !monitor.in_burst())
    }

    /// Reads pending notifications; returns whether that was useful.
    fn read_inline(&self, seen: std::io::Result<bool>) -> bool {
        let Some(mut monitor) = self.monitor.try_lock() else {
            // The kernel has woken one of two waiting threads, and not the one that reads.
            self.commands_poller.wake();
            return false;
        };
        let _running = self.shared.kernel_reader.running();
        if self.stop.load(Ordering::Acquire) {
            return false;
        }
        let read = seen.map_err(KernelError::Read);
        let read = panics::guarded(|| read.and_then(|notified| monitor.read_inline(notified)));
        match read {
            Ok(Ok(read)) => return read,
            Ok(Err(error)) => monitor.fail(&error),
            Err(reason) => panicked(&self.shared, &reason),
        }
        self.stop.store(true, Ordering::Release);
        self.commands_poller.wake();
        false
    }

    /// The thread's pulse. Does not block.
    pub fn pulse(&self) -> Pulse {
        self.shared.kernel_reader.pulse(|| {
            let now = Instant::now();
            let monitor = self.monitor.try_lock();
            // The holder of the lock is running.
            let due = monitor.is_none_or(|monitor| monitor.has_to_do(now));
            !self.stop.load(Ordering::Acquire) && (due || !self.commands.is_empty())
        })
    }

    /// Stops the reader: afterwards it no longer changes the table. Further calls have no effect.
    pub fn end(&self) {
        self.stop.store(true, Ordering::Release);
        self.commands_poller.wake();
        self.shared.wake_waiters();
        if let Some(thread) = self.thread.lock().take() {
            if thread.join().is_err() {
                log::error!("the kernel reader panicked");
            }
        }
        // Wait for an inline reader.
        drop(self.monitor.lock());
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.end();
    }
}

/// The thread. It owns the commands' receiver, so its end wakes the callers.
fn run(
    shared: &EngineState,
    monitor: &Mutex<Monitor>,
    commands_poller: &Poller,
    commands: &Receiver<Command>,
    stop: &AtomicBool,
) {
    loop {
        let running = shared.kernel_reader.running();
        let due = monitor.lock().due();
        drop(running);
        let left = due.map(|at| at.saturating_duration_since(Instant::now()));
        let seen = commands_poller.wait(left).map_err(KernelError::Read);
        let _running = shared.kernel_reader.running();
        let mut monitor = monitor.lock();
        if stop.load(Ordering::Acquire) {
            return;
        }
        if let Err(error) = seen.and_then(|notified| monitor.turn(notified, commands)) {
            monitor.fail(&error);
            return;
        }
    }
}

/// The monitor's state may be inconsistent: stop reading.
fn panicked(shared: &EngineState, reason: &str) {
    log::error!("the kernel reader panicked, which is a bug: {reason}");
    shared.fail(format!(
        "the kernel reader panicked, which is a bug: {reason}; restart the daemon, which then \
         resynchronises"
    ));
}

/// The multicast groups, as a mask.
pub(super) fn groups(links_only: bool) -> u32 {
    let all = [
        RTNLGRP_LINK,
        RTNLGRP_IPV4_IFADDR,
        RTNLGRP_IPV4_ROUTE,
        RTNLGRP_IPV6_IFADDR,
        RTNLGRP_IPV6_ROUTE,
        RTNLGRP_NEXTHOP,
    ];
    let taken = if links_only { 1 } else { all.len() };
    let groups = all.iter().take(taken);
    groups.fold(0, |mask, group| mask | 1 << (group - 1))
}

pub(super) fn report_buffer(shared: &EngineState, asked: usize, granted: usize) {
    shared
        .kernel
        .receive_buffer
        .store(granted as u64, Ordering::Relaxed);
    // The kernel doubles the requested size to account for its overhead.
    if granted / 2 < asked {
        log::warn!(
            "the kernel granted a receive buffer of {granted} bytes instead of {asked}: give this \
             process CAP_NET_ADMIN or raise net.core.rmem_max, or bursts of changes overrun the \
             buffer and each overrun costs a dump"
        );
    } else {
        log::info!("receive buffer for the kernel's notifications: {granted} bytes");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use std::time::{Duration, Instant};

    use bgpreflector_core::table::Scope;
    use crossbeam_channel::bounded;

    use super::super::monitor::Fault;
    use super::{KernelSettings, Pulse, Reader, Reason};
    use crate::error::KernelError;
    use crate::state::EngineState;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn reader() -> Arc<Reader> {
        let shared = Arc::new(EngineState::new(Scope::default()));
        Arc::new(Reader::start(shared, &KernelSettings::default()).unwrap())
    }

    #[test]
    fn nobody_waits_for_a_reader_that_has_ended() {
        let reader = reader();
        let complete = reader.resync(Reason::Requested);
        assert!(complete.is_ok(), "{complete:?}");
        reader.end();
        let (sender, receiver) = channel();
        let asking = Arc::clone(&reader);
        std::thread::spawn(move || sender.send(asking.resync(Reason::Requested)));
        let answer = receiver.recv_timeout(PATIENCE).unwrap();
        assert!(matches!(answer, Err(KernelError::NotRunning { .. })));
        assert_eq!(reader.wait_inline(None), None);
        reader.end();
    }

    #[test]
    fn a_reader_that_breaks_off_ends_the_engine_with_the_reason() {
        let reader = reader();
        reader.monitor.lock().fault = Some(Fault::Panic);
        let answer = reader.resync(Reason::Requested);
        assert!(matches!(answer, Err(KernelError::NotRunning { .. })));
        // A thread that waits for changes learns of it from the result.
        assert!(!reader.shared.wait_dirty(None));
        let failure = reader.shared.failure().unwrap();
        assert!(
            failure.contains("thread kernel-reader panicked: injected"),
            "{failure}"
        );
        assert_eq!(reader.wait_inline(None), Some(false));
        reader.end();
    }

    #[test]
    fn who_stands_in_and_breaks_off_ends_the_engine_likewise() {
        let reader = reader();
        reader.monitor.lock().fault = Some(Fault::Panic);
        assert!(!reader.read_inline(Ok(false)));
        let failure = reader.shared.failure().unwrap();
        assert!(failure.contains("panicked: injected"), "{failure}");
        reader.end();
    }

    /// A pulse that stays the same for a while.
    fn still(reader: &Reader, has_to_do: bool) -> Pulse {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let seen = reader.pulse();
            std::thread::sleep(Duration::from_millis(20));
            if seen.has_to_do == has_to_do && reader.pulse() == seen {
                return seen;
            }
            assert!(Instant::now() < deadline, "{seen:?}");
        }
    }

    #[test]
    fn a_reader_that_hangs_is_seen_to_have_something_to_do() {
        let reader = reader();
        let rest = still(&reader, false);
        let (end, hangs) = bounded(0);
        reader.monitor.lock().fault = Some(Fault::Hang(hangs));
        let asking = Arc::clone(&reader);
        let asked = std::thread::spawn(move || asking.resync(Reason::Requested));
        let hung = still(&reader, true);
        // Neither a pulse nor an inline reader blocks on it.
        assert!(!reader.read_inline(Ok(true)));
        assert_eq!(reader.pulse(), hung);
        drop(end);
        asked.join().unwrap().unwrap();
        assert!(still(&reader, false).beats > rest.beats);
        assert!(
            reader.shared.steps() > 0,
            "a resync that is waited for is seen to get on"
        );
        reader.end();
        assert!(!reader.pulse().has_to_do);
    }

    #[test]
    fn who_hangs_in_its_place_is_seen_too() {
        let reader = reader();
        let (end, hangs) = bounded(0);
        reader.monitor.lock().fault = Some(Fault::Hang(hangs));
        let visiting = Arc::clone(&reader);
        let inline_poller = std::thread::spawn(move || visiting.read_inline(Ok(false)));
        let hung = still(&reader, true);
        assert_eq!(reader.pulse(), hung);
        drop(end);
        inline_poller.join().unwrap();
        still(&reader, false);
        reader.end();
    }

    #[test]
    fn trouble_of_the_kernel_that_may_pass_is_no_end() {
        let reader = reader();
        for errno in [
            libc::ENOMEM,
            libc::EINTR,
            libc::ENOBUFS,
            libc::EIO,
            libc::ENOMEM,
        ] {
            reader.monitor.lock().errors.push(errno);
            let complete = reader.resync(Reason::Requested);
            assert!(complete.is_ok(), "{complete:?}");
            let left = reader.monitor.lock().errors.len();
            assert_eq!((left, reader.shared.failure()), (0, None), "{errno}");
        }
        assert!(reader.read_inline(Ok(false)));
        reader.monitor.lock().errors.push(libc::ENOMEM);
        // The thread handles it.
        assert!(!reader.read_inline(Ok(false)));
        assert_eq!(reader.shared.failure(), None);
        reader.monitor.lock().errors.push(libc::EBADF);
        let answer = reader.resync(Reason::Requested);
        assert!(matches!(answer, Err(KernelError::NotRunning { .. })));
        assert!(reader.shared.failure().is_some());
    }

    #[test]
    fn a_wait_in_its_place_has_an_end() {
        let reader = reader();
        let began = Instant::now();
        let soon = began + Duration::from_millis(5);
        while reader.wait_inline(Some(soon)).is_some() || Instant::now() < soon {
            assert!(began.elapsed() < PATIENCE);
        }
        reader.shared.close();
        assert_eq!(reader.wait_inline(None), Some(false));
    }
}
