//! The thread that follows the kernel.

use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bgpreflector_core::netlink::constants::{
    RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_ROUTE, RTNLGRP_LINK,
    RTNLGRP_NEXTHOP,
};
use bgpreflector_core::table::{DriftReport, Extent};
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use nix::poll::{PollFd, PollFlags};

use crate::error::KernelError;
use crate::ready::wait_ready;
use crate::shared::{KernelCounters, Shared};

use super::Wake;
use super::dump::Dumper;
use super::follow::{self, Effects};
use super::plan::{Plan, Reason};
use super::rush::{GATHER, Rush};
use super::socket::{Datagrams, RouteSocket, in_namespace};

/// How the kernel is read.
#[derive(Clone, Debug)]
pub struct KernelSettings {
    /// Receive buffer to ask for, bytes.
    pub receive_buffer: usize,
    /// File of the network namespace to read, this process's where there is none.
    pub namespace: Option<PathBuf>,
    /// How often the table is compared with the kernel; never where there is none.
    pub audit_interval: Option<Duration>,
    /// How long, from the start, routes stay in VPP that it had before and the kernel lacks.
    pub grace: Duration,
}

impl Default for KernelSettings {
    /// 32 MiB, which hold about 40,000 notifications, this process's namespace, no audit, no grace.
    fn default() -> Self {
        Self {
            receive_buffer: 32 << 20,
            namespace: None,
            audit_interval: None,
            grace: Duration::ZERO,
        }
    }
}

/// What a resync found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResyncReport {
    /// Routes that the dumps showed, those of repeated dumps counted again.
    pub dumped: usize,
    /// Routes that were held and that the kernel no longer has.
    pub removed: usize,
    /// Dumps that it took.
    pub dumps: usize,
    /// Whether every family could be compared; if not, another resync follows by itself.
    pub complete: bool,
    /// How long it took.
    pub duration: Duration,
    /// What differed though nothing explains it; only audits look for that.
    pub drift: DriftReport,
}

/// A resync that somebody waits for.
struct Command {
    reason: Reason,
    reply: Sender<Result<ResyncReport, KernelError>>,
}

/// The reader's handle: dropping it ends the thread.
pub struct Reader {
    commands: Sender<Command>,
    wake: Arc<Wake>,
    stop: Arc<std::sync::atomic::AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    /// Subscribes to the kernel's notifications and starts the thread. Nothing is dumped until
    /// [`Self::resync`] is called.
    ///
    /// # Errors
    /// [`KernelError`] if the namespace cannot be entered or a socket cannot be made.
    pub fn start(shared: Arc<Shared>, settings: &KernelSettings) -> Result<Self, KernelError> {
        let bytes = settings.receive_buffer;
        let open = || {
            let socket = RouteSocket::open(groups())?;
            let granted = socket.set_receive_buffer(bytes)?;
            Ok((socket, granted, Dumper::open()?))
        };
        let (notifications, granted, dumper) = in_namespace(settings.namespace.as_deref(), open)?;
        report_buffer(&shared, bytes, granted);
        let wake = Wake::new();
        let wake = Arc::new(wake.map_err(|source| KernelError::Socket {
            step: "eventfd",
            source,
        })?);
        let (commands, received) = unbounded();
        let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let follower = Follower {
            shared,
            settings: settings.clone(),
            notifications,
            datagrams: Datagrams::new(),
            rush: Rush::default(),
            dumper: Some(dumper),
            wake: Arc::clone(&wake),
            commands: received,
            stop: Arc::clone(&stop),
            plan: Plan::default(),
            audit_at: settings
                .audit_interval
                .map(|interval| Instant::now() + interval),
            grace_until: Instant::now() + settings.grace,
            partial_resyncs: 0,
            overruns_in_a_row: 0,
            drops_before_dump: 0,
        };
        let thread = std::thread::Builder::new()
            .name("kernel-reader".into())
            .spawn(move || follower.run())
            .map_err(|source| KernelError::Socket {
                step: "thread",
                source,
            })?;
        Ok(Self {
            commands,
            wake,
            stop,
            thread: Some(thread),
        })
    }

    /// Dumps the kernel's links, next-hop objects and routes, removes what is gone, and returns
    /// once the table says what the kernel says.
    ///
    /// # Errors
    /// [`KernelError`] if a dump is refused or breaks off; nothing was removed then.
    pub fn resync(&self, reason: Reason) -> Result<ResyncReport, KernelError> {
        let (reply, answer) = bounded(1);
        let gone = |_| KernelError::NotRunning { reason: None };
        self.commands
            .send(Command { reason, reply })
            .map_err(|_| KernelError::NotRunning { reason: None })?;
        self.wake.ring();
        answer.recv().map_err(gone)?
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.wake.ring();
        if let Some(thread) = self.thread.take() {
            if thread.join().is_err() {
                log::error!("the kernel reader broke off");
            }
        }
    }
}

fn groups() -> u32 {
    [
        RTNLGRP_LINK,
        RTNLGRP_IPV4_IFADDR,
        RTNLGRP_IPV4_ROUTE,
        RTNLGRP_IPV6_IFADDR,
        RTNLGRP_IPV6_ROUTE,
        RTNLGRP_NEXTHOP,
    ]
    .iter()
    .fold(0, |mask, group| mask | 1 << (group - 1))
}

fn report_buffer(shared: &Shared, asked: usize, granted: usize) {
    shared
        .kernel
        .receive_buffer
        .store(granted as u64, Ordering::Relaxed);
    // The kernel doubles what is asked for, to account for its own overhead.
    if granted / 2 < asked {
        log::warn!(
            "the kernel granted a receive buffer of {granted} bytes where {asked} were asked for: \
             give this process CAP_NET_ADMIN or raise net.core.rmem_max, or notifications are \
             lost (and repaired by dumps) when many routes change at once"
        );
    } else {
        log::info!("receive buffer for the kernel's notifications: {granted} bytes");
    }
}

/// The thread's state.
pub(super) struct Follower {
    pub(super) shared: Arc<Shared>,
    pub(super) settings: KernelSettings,
    notifications: RouteSocket,
    datagrams: Datagrams,
    rush: Rush,
    pub(super) dumper: Option<Dumper>,
    wake: Arc<Wake>,
    commands: Receiver<Command>,
    stop: Arc<std::sync::atomic::AtomicBool>,
    pub(super) plan: Plan,
    /// When to compare the table with the kernel next.
    pub(super) audit_at: Option<Instant>,
    /// From when on routes are deleted from VPP that it had before us and the kernel lacks.
    pub(super) grace_until: Instant,
    /// Resyncs of one interface since the last of everything.
    pub(super) partial_resyncs: u8,
    overruns_in_a_row: u32,
    /// The kernel's count of dropped notifications when the last dump began that was whole.
    drops_before_dump: u32,
}

/// How long to let events settle before the kernel is dumped because of them.
pub(super) const SETTLE: Duration = Duration::from_millis(100);
/// The longest pause between dumps when notifications keep being lost.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Follower {
    fn run(mut self) {
        while !self.stop.load(Ordering::Acquire) {
            if let Err(error) = self.turn() {
                log::error!("the kernel reader ends: {error}");
                self.shared.fail(error.to_string());
                return;
            }
        }
    }

    fn turn(&mut self) -> Result<(), KernelError> {
        if self.wait()? && self.rush.arrived(Instant::now()) {
            self.await_order(GATHER)?;
        }
        self.wake.silence();
        self.drain()?;
        while let Ok(Command { reason, reply }) = self.commands.try_recv() {
            let result = self.resync(reason, Extent::Everything);
            // Whoever asked may have gone meanwhile; the resync is done all the same.
            let _ = reply.send(result);
        }
        if let Some(due) = self.plan.take_due(Instant::now()) {
            self.resync_by_itself(due.reason, due.extent);
        }
        if self.next_audit().is_some_and(|at| at <= Instant::now()) {
            self.resync_by_itself(Reason::Audit, Extent::Everything);
        }
        Ok(())
    }

    /// When the next audit is due. What a resync is planned for is known to differ, and no drift:
    /// until it is done there is no audit.
    fn next_audit(&self) -> Option<Instant> {
        self.audit_at.filter(|_| self.plan.at().is_none())
    }

    fn resync_by_itself(&mut self, reason: Reason, extent: Extent) {
        if let Err(error) = self.resync(reason, extent) {
            log::warn!("a resync failed and will be tried again: {error}");
            self.plan.after(LONGEST_PAUSE, reason, Extent::Everything);
        }
    }

    /// Waits for something to do; returns whether there are notifications.
    fn wait(&self) -> Result<bool, KernelError> {
        let next = self.plan.at().or(self.audit_at);
        let left = next.map(|at| at.saturating_duration_since(Instant::now()));
        let mut waited = [
            PollFd::new(self.notifications.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.wake.as_fd(), PollFlags::POLLIN),
        ];
        wait_ready(&mut waited, left).map_err(KernelError::Read)?;
        let [notifications, _] = waited;
        Ok(notifications.any().unwrap_or(false))
    }

    /// Waits for orders alone.
    fn await_order(&self, longest: Duration) -> Result<(), KernelError> {
        let mut waited = [PollFd::new(self.wake.as_fd(), PollFlags::POLLIN)];
        wait_ready(&mut waited, Some(longest)).map_err(KernelError::Read)
    }

    /// Waits for notifications alone.
    pub(super) fn await_notifications(&self, longest: Duration) -> Result<(), KernelError> {
        let mut waited = [PollFd::new(self.notifications.as_fd(), PollFlags::POLLIN)];
        wait_ready(&mut waited, Some(longest)).map_err(KernelError::Read)
    }

    /// Reads all notifications there are into the table.
    pub(super) fn drain(&mut self) -> Result<Effects, KernelError> {
        let mut all = Effects::default();
        loop {
            match self.notifications.receive_many(&mut self.datagrams) {
                Ok(()) => {
                    all = all.and(self.apply());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The kernel dropped notifications and goes on dropping until all that is queued
                // has been read.
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => all.overrun = true,
                Err(error) => return Err(KernelError::Read(error)),
            }
        }
        self.rush.read(Instant::now());
        if all.overrun {
            KernelCounters::count(&self.shared.kernel.overruns);
            self.overruns_in_a_row = self.overruns_in_a_row.saturating_add(1);
            let pause = SETTLE.saturating_mul(1 << self.overruns_in_a_row.min(6));
            // Until its routes are known again, more of it says nothing new.
            let first = self.overruns_in_a_row == 1;
            let level = if first {
                log::Level::Warn
            } else {
                log::Level::Debug
            };
            log::log!(
                level,
                "the kernel dropped notifications (overrun): its routes are dumped again"
            );
            self.count_drops();
            let pause = pause.min(LONGEST_PAUSE);
            self.plan.after(pause, Reason::Overrun, Extent::Everything);
        } else if all.replaced_among && (all.silent.is_some() || self.plan.at().is_some()) {
            self.plan.after(SETTLE, Reason::Event, Extent::Everything);
        } else if let Some(extent) = all.silent {
            self.plan.after(SETTLE, Reason::Event, extent);
        }
        Ok(all)
    }

    fn apply(&mut self) -> Effects {
        let (shared, datagrams) = (&self.shared, &self.datagrams);
        shared.change(|table| {
            let mut all = Effects::default();
            for datagram in datagrams.iter() {
                let Some(datagram) = datagram else {
                    all.overrun = true;
                    continue;
                };
                all = all.and(follow::notifications(shared, table, datagram));
            }
            all
        })
    }

    fn count_drops(&self) {
        match self.notifications.drops() {
            Ok(drops) => {
                let counter = &self.shared.kernel.drops;
                counter.store(drops.into(), Ordering::Relaxed);
            }
            Err(error) => log::debug!("the kernel does not tell how much it dropped: {error}"),
        }
    }

    /// Whether the kernel has dropped notifications since the last dump began that was whole.
    ///
    /// The count tells, not `ENOBUFS`: the kernel reports drops that belong together only once.
    pub(super) fn has_lost_notifications(&self) -> bool {
        self.overruns_in_a_row > 0 || self.drops() != self.drops_before_dump
    }

    /// Notifications that the kernel has dropped so far.
    pub(super) fn drops(&self) -> u32 {
        // Where it cannot be asked (`count_drops` says so) `ENOBUFS` has to do.
        self.notifications.drops().unwrap_or(0)
    }

    /// Takes note of a dump that was whole, and began with this count of dropped notifications.
    pub(super) fn calm(&mut self, drops: u32) {
        self.overruns_in_a_row = 0;
        self.drops_before_dump = drops;
    }
}
