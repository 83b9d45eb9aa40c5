//! The kernel reader's thread and handle.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use parking_lot::Mutex;

use crate::error::KernelError;
use crate::heartbeat::Liveness;
use crate::panics;
use crate::state::EngineState;

use super::monitor::Monitor;
use super::namespace::Sockets;
use super::notification_socket::{groups, report_buffer};
use super::poller::Poller;
use super::schedule::Reason;
use super::settings::{Command, KernelSettings, ResyncReport};

/// How long to wait for the reader's thread to return to its wait.
const LOCK_TIMEOUT: Duration = Duration::from_millis(1);

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
            let ready = self.can_read_inline().then(|| poller.wait(left));
            self.shared.unregister_waker();
            let notified = ready.map(|ready| ready.map(|ready| ready.notifications));
            let read = notified.is_some_and(|notified| self.read_inline(notified));
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
    fn read_inline(&self, notified: std::io::Result<bool>) -> bool {
        let Some(mut monitor) = self.monitor.try_lock() else {
            // The kernel has woken one of two waiting threads, and not the one that reads.
            self.commands_poller.wake();
            return false;
        };
        let _running = self.shared.kernel_reader.running();
        if self.stop.load(Ordering::Acquire) {
            return false;
        }
        let read = notified.map_err(KernelError::Read);
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

    /// The thread's liveness. Does not block.
    pub fn liveness(&self) -> Liveness {
        self.shared.kernel_reader.liveness(|| {
            let now = Instant::now();
            let monitor = self.monitor.try_lock();
            // The holder of the lock is running.
            let due = monitor.is_none_or(|monitor| monitor.has_work(now));
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
                log::error!(
                    event = "thread panicked", thread = "kernel reader";
                    "the kernel reader panicked"
                );
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
        let ready = commands_poller.wait(left).map_err(KernelError::Read);
        let _running = shared.kernel_reader.running();
        let mut monitor = monitor.lock();
        if stop.load(Ordering::Acquire) {
            return;
        }
        if let Err(error) = ready.and_then(|ready| monitor.poll_once(ready, commands)) {
            monitor.fail(&error);
            return;
        }
    }
}

/// The monitor's state may be inconsistent: stop reading.
fn panicked(shared: &EngineState, reason: &str) {
    log::error!(
        event = "thread panicked", thread = "kernel reader", reason:%;
        "the kernel reader panicked, which is a bug: {reason}"
    );
    shared.fail(format!(
        "the kernel reader panicked, which is a bug: {reason}; restart the daemon, which then \
         resynchronises"
    ));
}

#[cfg(test)]
mod tests;
