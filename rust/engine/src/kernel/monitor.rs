//! The state of the kernel reader and its steps.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bgpreflector_core::table::{DumpScope, Table};
use crossbeam_channel::Receiver;

use crate::deadline::earlier;
use crate::error::KernelError;
use crate::ready::has_something_to_read;
use crate::state::EngineState;

use super::apply::RequestId;
use super::coalesce::{COALESCE_TIME, Coalescer};
use super::dump::Dumper;
use super::expiry::Expiry;
use super::namespace::{Change, NamespaceWatch, OpenNamespace, Sockets};
use super::notification_socket::{groups, report_buffer};
use super::poller::{Poller, Ready};
use super::schedule::{Reason, ResyncSchedule};
use super::settings::{Command, KernelSettings};
use super::socket::{Datagrams, RouteSocket};

/// The reader's state: one thread reads at a time.
pub(super) struct Monitor {
    pub(super) shared: Arc<EngineState>,
    pub(super) settings: KernelSettings,
    pub(super) notifications: RouteSocket,
    pub(super) datagrams: Datagrams,
    pub(super) burst: Coalescer,
    /// What the last walk over the table took, for routes that change with links and next-hop objects.
    pub(super) last_walk: Duration,
    pub(super) dumper: Option<Dumper>,
    /// Where the reader's own thread waits, and is woken for commands.
    pub(super) commands_poller: Arc<Poller>,
    /// Where an inline reader waits.
    pub(super) inline_poller: Arc<Poller>,
    pub(super) watch: NamespaceWatch,
    /// The namespace that is read, if it is not this process's.
    pub(super) namespace: Option<OpenNamespace>,
    pub(super) schedule: ResyncSchedule,
    /// When the next audit is due.
    pub(super) audit_at: Option<Instant>,
    /// The next end of a route's lifetime, and when the kernel may be dumped because of it.
    pub(super) expiry: Expiry,
    /// Until when routes of an earlier run stay in VPP although the kernel does not have them.
    pub(super) stale_until: Instant,
    /// Dumps of interfaces since the last complete one.
    pub(super) partial_dumps: usize,
    /// The last request about a next-hop object that a notification named.
    pub(super) object_request: Option<RequestId>,
    /// Where the next resync continues its lookups among many prefixes.
    pub(super) lookup_start: usize,
    pub(super) overruns_in_a_row: u32,
    /// The kernel's drop count at the start of the last complete dump.
    pub(super) drops_before_dump: u32,
    /// The last read failed with a transient error.
    pub(super) failed_transiently: bool,
    /// The next check for notifications panics, or hangs.
    #[cfg(test)]
    pub(super) fault: Option<Fault>,
    /// The error (`errno`) of the next reads.
    #[cfg(test)]
    pub(super) errors: Vec<i32>,
}

/// A fault to inject in a test.
#[cfg(test)]
pub(super) enum Fault {
    Panic,
    /// Until the sender is dropped.
    Hang(Receiver<()>),
}

/// How long more events are waited for before the kernel is dumped because of them.
pub(super) const SETTLE_TIME: Duration = Duration::from_millis(100);
/// The longest pause between dumps while notifications keep being lost.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Pause after a transient error of the kernel, such as a lack of memory.
const ERROR_PAUSE: Duration = Duration::from_millis(100);

/// Reads by an inline reader before it continues with the changes it has.
const INLINE_READS: usize = 4;

impl Monitor {
    /// A monitor that has read nothing yet.
    pub(super) fn new(
        shared: Arc<EngineState>,
        settings: &KernelSettings,
        sockets: Sockets,
        [inline_poller, commands_poller]: [Arc<Poller>; 2],
    ) -> Self {
        let now = Instant::now();
        let namespace = settings.namespace.as_deref();
        let mut watch = NamespaceWatch::new(namespace, &commands_poller, now);
        sockets.watch(&mut watch);
        Self {
            shared,
            settings: settings.clone(),
            notifications: sockets.notifications,
            datagrams: Datagrams::new(),
            burst: Coalescer::default(),
            last_walk: Duration::ZERO,
            dumper: Some(sockets.dumper),
            commands_poller,
            inline_poller,
            watch,
            namespace: sockets.namespace,
            schedule: ResyncSchedule::default(),
            audit_at: settings.audit_interval.map(|interval| now + interval),
            expiry: Expiry::default(),
            stale_until: now + settings.stale_routes_time,
            partial_dumps: 0,
            object_request: None,
            lookup_start: 0,
            overruns_in_a_row: 0,
            drops_before_dump: 0,
            failed_transiently: false,
            #[cfg(test)]
            fault: None,
            #[cfg(test)]
            errors: Vec::new(),
        }
    }

    /// One step of the reader's thread, after an event or a timeout.
    pub(super) fn poll_once(
        &mut self,
        ready: Ready,
        commands: &Receiver<Command>,
    ) -> Result<(), KernelError> {
        if ready.mounts {
            self.watch.mounts_changed(Instant::now());
        }
        if ready.notifications && self.burst.arrived(Instant::now()) {
            self.commands_poller
                .wait_waker(COALESCE_TIME)
                .map_err(KernelError::Read)?;
        }
        self.check_namespace()?;
        self.drain()?;
        if std::mem::take(&mut self.failed_transiently) {
            self.commands_poller
                .wait_waker(ERROR_PAUSE)
                .map_err(KernelError::Read)?;
        }
        while let Ok(Command { reason, reply }) = commands.try_recv() {
            self.shared.resync_is_awaited(true);
            let result = self.resync(reason, DumpScope::Everything);
            self.shared.resync_is_awaited(false);
            // The caller may have given up; the resync is done all the same.
            let _ = reply.send(result);
        }
        if let Some(due) = self.schedule.take_due(Instant::now()) {
            self.resync_or_retry(due.reason, due.dump_scope);
        }
        if self.expiry.take_due(Instant::now()) {
            self.resync_or_retry(Reason::Event, DumpScope::Everything);
        }
        if self.next_audit().is_some_and(|at| at <= Instant::now()) {
            self.resync_or_retry(Reason::Audit, DumpScope::Everything);
        }
        Ok(())
    }

    /// Reads pending notifications inline; returns whether that was useful.
    pub(super) fn read_inline(&mut self, notified: bool) -> Result<bool, KernelError> {
        // In a burst the reader's thread lets notifications accumulate.
        if notified && self.burst.arrived(Instant::now()) {
            self.commands_poller.wake();
            return Ok(false);
        }
        let due = self.due();
        let (_, all) = self.drain_at_most(INLINE_READS)?;
        if self.due() != due || !all {
            self.commands_poller.wake();
        }
        Ok(all)
    }

    /// Follows the namespace that has the configured name. While there is none, VPP's routes stay
    /// as they are and the table counts as unsynchronised.
    fn check_namespace(&mut self) -> Result<(), KernelError> {
        let Some(path) = self.settings.namespace.clone() else {
            return Ok(());
        };
        let name = path.display();
        match self.watch.check(&path, Instant::now()) {
            None => {}
            Some(Change::Gone) => {
                log::error!(
                    event = "namespace gone", namespace:% = name;
                    "the network namespace {name} is gone: VPP keeps its routes until a namespace of \
                     that name exists again"
                );
                self.unsynchronised();
            }
            Some(Change::Back) => {
                self.schedule
                    .request(SETTLE_TIME, Reason::Event, DumpScope::Everything)
            }
            Some(Change::Replaced) => match self.enter_namespace(&path) {
                Ok(()) => {
                    log::warn!(
                        event = "namespace replaced", namespace:% = name;
                        "the network namespace {name} was replaced; reading the new one"
                    )
                }
                // The file appears before the namespace is mounted on it.
                Err(error) => log::debug!(
                    event = "namespace not there yet", namespace:% = name, error:%;
                    "cannot enter {name} yet: {error}"
                ),
            },
        }
        Ok(())
    }

    fn enter_namespace(&mut self, path: &Path) -> Result<(), KernelError> {
        let groups = groups(self.settings.links_only);
        let sockets = Sockets::open(Some(path), self.settings.receive_buffer, groups)?;
        for poller in [&self.inline_poller, &self.commands_poller] {
            poller
                .watch(&sockets.notifications)
                .map_err(KernelError::Read)?;
        }
        report_buffer(&self.shared, self.settings.receive_buffer, sockets.granted);
        sockets.watch(&mut self.watch);
        self.notifications = sockets.notifications;
        self.dumper = Some(sockets.dumper);
        self.namespace = sockets.namespace;
        (self.overruns_in_a_row, self.drops_before_dump) = (0, 0);
        self.unsynchronised();
        if !self.settings.links_only {
            self.shared.change(Table::kernel_replaced);
        }
        self.shared.fpm.namespace_entered();
        self.schedule
            .request(SETTLE_TIME, Reason::Event, DumpScope::Everything);
        Ok(())
    }

    /// Where the namespace that is read can be entered, also when its name has gone.
    pub(super) fn namespace_path(&self) -> Option<PathBuf> {
        self.namespace.as_ref().map(OpenNamespace::path)
    }

    /// Marks the table as unsynchronised, if the kernel is the source of the routes.
    fn unsynchronised(&self) {
        if !self.settings.links_only {
            self.shared.unsynchronised();
        }
    }

    /// Whether notifications arrive so fast that the reader's thread should handle them.
    pub(super) fn in_burst(&self) -> bool {
        self.burst.is_on()
    }

    /// When there is work to do without an event.
    pub(super) fn due(&self) -> Option<Instant> {
        let due = earlier(self.schedule.at().or(self.audit_at), self.expiry.at());
        let watched = self.settings.namespace.is_some();
        earlier(due, watched.then(|| self.watch.at()))
    }

    /// Whether the reader's thread has work to do now.
    pub(super) fn has_work(&self, now: Instant) -> bool {
        let due = self.due().is_some_and(|at| at <= now);
        due || has_something_to_read(&self.notifications)
    }

    /// Records that the kernel can no longer be read.
    pub(super) fn fail(&self, error: &KernelError) {
        log::error!(event = "kernel reader ended", error:%; "the kernel reader ends: {error}");
        self.shared.fail(error.to_string());
    }

    /// When the next audit is due. Differences that a scheduled resync will repair are expected and
    /// no drift: there is no audit before it.
    fn next_audit(&self) -> Option<Instant> {
        self.audit_at.filter(|_| self.schedule.at().is_none())
    }

    fn resync_or_retry(&mut self, reason: Reason, dump_scope: DumpScope) {
        if let Err(error) = self.resync(reason, dump_scope) {
            log::warn!(
                event = "kernel dump failed", error:%, retry_seconds = LONGEST_PAUSE.as_secs_f64();
                "resync failed, retrying: {error}"
            );
            self.schedule
                .request(LONGEST_PAUSE, reason, DumpScope::Everything);
        }
    }
}
