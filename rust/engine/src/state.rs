//! What the threads share.

use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use bgpreflector_core::table::{DriftReport, LimitAction, LimitChange, Scope, Table};
use bgpreflector_core::vpp::Faults;
use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::counters::{KernelCounters, VppCounters};
use crate::fpm::FpmState;
use crate::heartbeat::Heartbeat;
use crate::history::ChangeHistory;
use crate::latency::LatencyTracker;
use crate::panics;
use crate::waker::Waker;

/// The table, what wakes those who wait for it, and the kernel reader's counters.
pub struct EngineState {
    table: Mutex<Table>,
    dirty: Condvar,
    /// Wakes a thread that waits for changes and reads the kernel inline; set with the table
    /// locked.
    inline_waker: Mutex<Option<Arc<Waker>>>,
    closed: AtomicBool,
    /// A change of the table panicked, which may be half done: the table must not be used any more.
    poisoned: AtomicBool,
    /// The kernel's routes have been read once: before that, everything VPP has would look stale.
    synchronised: AtomicBool,
    failure: Mutex<Option<String>>,
    last_drift: Mutex<DriftReport>,
    latency: Mutex<LatencyTracker>,
    history: Mutex<ChangeHistory>,
    /// What crashes the VPP that is connected.
    faults: Mutex<VppFaults>,
    /// The kernel reader's counters.
    pub kernel: KernelCounters,
    /// What VPP was asked.
    pub vpp: VppCounters,
    /// The state of zebra's connection, if it is the source of the routes.
    pub fpm: FpmState,
    /// The heartbeat of the kernel reader.
    pub(crate) kernel_reader: Heartbeat,
    /// The heartbeat of the listener for zebra.
    pub(crate) fpm_listener: Heartbeat,
    /// Beats besides answered requests: see [`Self::heartbeat`].
    beats: AtomicU64,
    /// Whether a caller waits for the resync in progress.
    awaited: AtomicBool,
}

#[derive(Default)]
struct VppFaults {
    version: Option<String>,
    faults: Faults,
}

impl EngineState {
    /// An empty table for what `scope` mirrors.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        Self {
            table: Mutex::new(Table::new(scope)),
            dirty: Condvar::new(),
            inline_waker: Mutex::new(None),
            closed: AtomicBool::new(false),
            poisoned: AtomicBool::new(false),
            synchronised: AtomicBool::new(false),
            failure: Mutex::new(None),
            last_drift: Mutex::new(DriftReport::default()),
            latency: Mutex::new(LatencyTracker::default()),
            history: Mutex::new(ChangeHistory::default()),
            faults: Mutex::new(VppFaults::default()),
            kernel: KernelCounters::default(),
            vpp: VppCounters::default(),
            fpm: FpmState::default(),
            kernel_reader: Heartbeat::default(),
            fpm_listener: Heartbeat::default(),
            beats: AtomicU64::new(0),
            awaited: AtomicBool::new(false),
        }
    }

    /// Beats for a caller that waits for VPP or for a resync: requests that VPP has
    /// answered, other reads from it, buffers of a dump. Takes no lock.
    #[must_use]
    pub fn heartbeat(&self) -> u64 {
        let requests = self.vpp.requests.iter().flatten();
        let answered: u64 = requests.map(|count| count.load(Ordering::Relaxed)).sum();
        answered.wrapping_add(self.beats.load(Ordering::Relaxed))
    }

    pub(crate) fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// Records whether a caller waits for the resync in progress.
    pub(crate) fn resync_is_awaited(&self, awaited: bool) {
        self.awaited.store(awaited, Ordering::Relaxed);
    }

    /// Records a step of progress of the kernel reader within a resync.
    pub(crate) fn beat_in_resync(&self) {
        self.kernel_reader.beat();
        if self.awaited.load(Ordering::Relaxed) {
            self.beat();
        }
    }

    /// The table, locked for reading: [`Self::change`] is the only way to change it.
    pub fn table(&self) -> TableGuard<'_> {
        TableGuard(self.table.lock())
    }

    /// Changes the table, and wakes those who wait if there are dirty prefixes.
    ///
    /// # Panics
    /// Where `change` does. The table may be half changed then: it counts as poisoned, and the
    /// engine ends with that reason ([`Self::failure`]).
    pub fn change<T>(&self, change: impl FnOnce(&mut Table) -> T) -> T {
        self.change_then(change, |_, result| result)
    }

    /// Like [`Self::change`]; `then` takes something from the table under the same lock.
    pub(crate) fn change_then<T, U>(
        &self,
        change: impl FnOnce(&mut Table) -> T,
        then: impl FnOnce(&mut Table, T) -> U,
    ) -> U {
        let mut table = self.table.lock();
        let changed = catch_unwind(AssertUnwindSafe(|| {
            let result = self.change_locked(&mut table, change);
            then(&mut table, result)
        }));
        changed.unwrap_or_else(|payload| {
            self.poisoned.store(true, Ordering::Release);
            drop(table);
            let reason = panics::reason(&*payload);
            self.fail(format!(
                "a change of the route table panicked, which is a bug: {reason}; restart the \
                 daemon, which then resynchronises"
            ));
            resume_unwind(payload)
        })
    }

    /// As [`Self::change`], to hand work back when its owner is dropped: does nothing if the
    /// table is poisoned.
    pub(crate) fn change_unless_poisoned(&self, change: impl FnOnce(&mut Table)) {
        if !self.poisoned.load(Ordering::Acquire) {
            self.change(change);
        }
    }

    fn change_locked<T>(&self, table: &mut Table, change: impl FnOnce(&mut Table) -> T) -> T {
        let result = change(table);
        if let Some(change) = table.take_limit_change() {
            limit_changed(change);
        }
        if table.dirty() > 0 {
            self.latency_tracker().queued(table.dirty(), Instant::now());
            self.wake_all();
        }
        if table.results_queued() > 0 {
            self.fpm.wake();
        }
        result
    }

    /// What crashes the VPP that is connected: everything known until its version is known.
    pub fn faults(&self) -> Faults {
        self.faults.lock().faults
    }

    /// Records VPP's version, before anything is sent. Routes that crashed another version are
    /// released; returns their number.
    pub fn set_vpp_version(&self, version: &str) -> usize {
        let faults = Faults::of_version(version);
        let old = std::mem::replace(
            &mut *self.faults.lock(),
            VppFaults {
                version: Some(version.to_owned()),
                faults,
            },
        );
        self.change(|table| {
            table.hold_unspecified_drops(faults.drop);
            match old.version {
                Some(old) if old != version => table.release(None),
                _ => 0,
            }
        })
    }

    /// How long changes have waited. Where both are locked, the table is locked first.
    pub(crate) fn latency_tracker(&self) -> MutexGuard<'_, LatencyTracker> {
        self.latency.lock()
    }

    /// The last changes. Where both are locked, the table is locked first.
    pub(crate) fn history(&self) -> MutexGuard<'_, ChangeHistory> {
        self.history.lock()
    }

    /// Records that the table matches the kernel.
    pub(crate) fn synchronised(&self) {
        let table = self.table.lock();
        self.synchronised.store(true, Ordering::Release);
        if table.dirty() > 0 {
            self.wake_all();
        }
    }

    /// Records that the table may no longer match the kernel: nothing is handed out until the next
    /// resync.
    pub(crate) fn unsynchronised(&self) {
        self.synchronised.store(false, Ordering::Release);
    }

    /// Whether all of the kernel has been read once.
    pub fn is_synchronised(&self) -> bool {
        self.synchronised.load(Ordering::Acquire)
    }

    fn has_changes(&self, table: &Table) -> bool {
        table.dirty() > 0 && self.is_synchronised()
    }

    /// The result for a thread that waits for changes, if it need not wait.
    fn wait_status(&self, table: &Table) -> Option<bool> {
        if self.closed.load(Ordering::Acquire) {
            return Some(false);
        }
        self.has_changes(table).then_some(true)
    }

    /// What [`Self::wait_dirty`] would return at once; otherwise the waker wakes when that changes,
    /// until [`Self::unregister_waker`].
    pub(crate) fn register_waker(&self, waker: &Arc<Waker>) -> Option<bool> {
        let table = self.table.lock();
        let status = self.wait_status(&table);
        if status.is_none() {
            *self.inline_waker.lock() = Some(Arc::clone(waker));
        }
        status
    }

    pub(crate) fn unregister_waker(&self) {
        *self.inline_waker.lock() = None;
    }

    /// Wakes all threads that wait for changes.
    pub(crate) fn wake_waiters(&self) {
        let _table = self.table.lock();
        self.wake_all();
    }

    /// Like [`Self::wake_waiters`] with the table locked, which rules out a thread that is about to wait.
    fn wake_all(&self) {
        self.dirty.notify_all();
        if let Some(waker) = &*self.inline_waker.lock() {
            waker.wake();
        }
    }

    /// Waits until the kernel has been read and there are dirty prefixes: true; false at the
    /// deadline and once closed.
    pub(crate) fn wait_dirty(&self, deadline: Option<Instant>) -> bool {
        let mut table = self.table.lock();
        loop {
            if let Some(status) = self.wait_status(&table) {
                return status;
            }
            match deadline {
                None => self.dirty.wait(&mut table),
                Some(deadline) => {
                    if self.dirty.wait_until(&mut table, deadline).timed_out() {
                        return self.has_changes(&table);
                    }
                }
            }
        }
    }

    /// Ends every wait.
    pub fn close(&self) {
        let _table = self.table.lock();
        self.closed.store(true, Ordering::Release);
        self.wake_all();
    }

    /// Frees the table's memory: a handle of a stopped engine, for instance one that awaits garbage
    /// collection, must not keep a full table alive.
    pub(crate) fn release_table(&self) {
        let mut table = self.table.lock();
        let empty = Table::new(table.scope().clone());
        let full = std::mem::replace(&mut *table, empty);
        drop(table);
        drop(full);
    }

    /// Why the kernel reader ended, if it failed.
    pub fn failure(&self) -> Option<String> {
        self.failure.lock().clone()
    }

    /// What the last audit that found anything repaired.
    pub fn last_drift(&self) -> DriftReport {
        self.last_drift.lock().clone()
    }

    pub(crate) fn record_drift(&self, report: &DriftReport) {
        for (counter, count) in self.kernel.drift.iter().zip(report.counts) {
            counter.fetch_add(count as u64, Ordering::Relaxed);
        }
        self.last_drift.lock().clone_from(report);
    }

    /// Ends the engine; the first reason stays.
    pub(crate) fn fail(&self, reason: String) {
        self.failure.lock().get_or_insert(reason);
        self.close();
    }
}

/// The table, locked, to read.
pub struct TableGuard<'a>(MutexGuard<'a, Table>);

impl Deref for TableGuard<'_> {
    type Target = Table;

    fn deref(&self) -> &Table {
        &self.0
    }
}

fn limit_changed(change: LimitChange) {
    let LimitChange {
        limit, prefixes, ..
    } = change;
    let most = limit.prefixes;
    match (change.exceeded, limit.action) {
        (true, LimitAction::Refuse) => log::warn!(
            event = "limit exceeded", prefixes, max_routes = most, action = "refuse";
            "{prefixes} prefixes are more than kernel.max_routes ({most}): VPP keeps those that it \
             has, and further ones are held (`bgpreflector show routes --held`); find out which \
             BGP peer sends them and filter or limit its routes, or raise kernel.max_routes"
        ),
        (true, LimitAction::Warn) => log::warn!(
            event = "limit exceeded", prefixes, max_routes = most, action = "warn";
            "{prefixes} prefixes are more than kernel.max_routes ({most}): they go into VPP all \
             the same, as kernel.max_routes_action is \"warn\"; find out which BGP peer sends \
             them, and whether VPP's memory is enough"
        ),
        (false, _) => log::info!(
            event = "below the limit", prefixes, max_routes = most;
            "{prefixes} prefixes: below kernel.max_routes ({most}) again"
        ),
    }
}

#[cfg(test)]
mod tests;
