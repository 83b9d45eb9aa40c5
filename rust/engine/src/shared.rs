//! What the threads share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use bgpreflector_core::netlink::SkipReason;
use bgpreflector_core::table::{Beyond, Drift, DriftReport, LimitChange, Request, Scope, Table};
use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::kernel::{Reason, Wake};
use crate::recent::Recent;
use crate::waiting::Waiting;

/// The table, its bell, and the kernel reader's figures.
pub struct Shared {
    table: Mutex<Table>,
    dirty: Condvar,
    /// The bell of who waits for changes and reads the kernel meanwhile; set with the table locked.
    looking_out: Mutex<Option<Arc<Wake>>>,
    closed: AtomicBool,
    /// The kernel's routes have been read once: before that, everything VPP has would look stale.
    synchronised: AtomicBool,
    failure: Mutex<Option<String>>,
    last_drift: Mutex<DriftReport>,
    waiting: Mutex<Waiting>,
    recent: Mutex<Recent>,
    /// The kernel reader's figures.
    pub kernel: KernelCounters,
    /// What VPP was asked.
    pub vpp: VppCounters,
}

/// Route requests that VPP has answered.
#[derive(Debug, Default)]
pub struct VppCounters {
    /// By operation ([`Self::OPERATIONS`]), those that it did and those that it refused.
    pub requests: [[AtomicU64; 2]; 3],
}

impl VppCounters {
    /// The operations' names.
    pub const OPERATIONS: [&'static str; 3] = ["add", "replace", "delete"];

    pub(crate) fn answered(&self, request: &Request, retval: i32) {
        let [add, replace, delete] = &self.requests;
        let [done, refused] = match (request.paths.is_none(), request.installed) {
            (true, _) => delete,
            (false, true) => replace,
            (false, false) => add,
        };
        KernelCounters::count(if retval == 0 { done } else { refused });
    }
}

/// The kernel reader's figures; each only grows, where nothing else is said.
#[derive(Debug, Default)]
pub struct KernelCounters {
    /// `RTM_NEWROUTE` messages.
    pub route_announcements: AtomicU64,
    /// `RTM_DELROUTE` messages.
    pub route_withdrawals: AtomicU64,
    /// Link messages.
    pub links: AtomicU64,
    /// Next-hop object messages.
    pub next_hops: AtomicU64,
    /// Messages that could not be decoded.
    pub malformed: AtomicU64,
    /// Messages that were not taken, by [`SkipReason::index`].
    pub skipped: [AtomicU64; SkipReason::ALL.len()],
    /// Times that the kernel dropped notifications (`ENOBUFS`).
    pub overruns: AtomicU64,
    /// Notifications that it dropped.
    pub drops: AtomicU64,
    /// Resyncs done, by [`Reason::index`].
    pub resyncs: [AtomicU64; Reason::ALL.len()],
    /// Microseconds that they took, likewise.
    pub resync_micros: [AtomicU64; Reason::ALL.len()],
    /// Differences that audits found and repaired, by [`Drift::index`].
    pub drift: [AtomicU64; Drift::ALL.len()],
    /// Prefixes, of those that it was asked for, that the kernel has and its last dump did not show
    /// (not only growing).
    pub ended_early: AtomicU64,
    /// Receive buffer that the kernel granted, bytes.
    pub receive_buffer: AtomicU64,
}

impl KernelCounters {
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Shared {
    /// An empty table for what `scope` mirrors.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        Self {
            table: Mutex::new(Table::new(scope)),
            dirty: Condvar::new(),
            looking_out: Mutex::new(None),
            closed: AtomicBool::new(false),
            synchronised: AtomicBool::new(false),
            failure: Mutex::new(None),
            last_drift: Mutex::new(DriftReport::default()),
            waiting: Mutex::new(Waiting::default()),
            recent: Mutex::new(Recent::default()),
            kernel: KernelCounters::default(),
            vpp: VppCounters::default(),
        }
    }

    /// The table, locked.
    pub fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock()
    }

    /// Changes the table and rings the bell if there are dirty prefixes.
    pub fn change<T>(&self, change: impl FnOnce(&mut Table) -> T) -> T {
        self.change_in(&mut self.table.lock(), change)
    }

    /// The same with the table locked already.
    pub(crate) fn change_in<T>(
        &self,
        table: &mut Table,
        change: impl FnOnce(&mut Table) -> T,
    ) -> T {
        let result = change(table);
        if let Some(change) = table.take_limit_change() {
            limit_changed(change);
        }
        if table.dirty() > 0 {
            self.waiting().queued(table.dirty(), Instant::now());
            self.wake_all();
        }
        result
    }

    /// How long changes have waited. Where both are locked, the table is locked first.
    pub(crate) fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock()
    }

    /// The last changes. Where both are locked, the table is locked first.
    pub(crate) fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock()
    }

    /// Takes note that the table says what the kernel says.
    pub(crate) fn synchronised(&self) {
        let table = self.table.lock();
        self.synchronised.store(true, Ordering::Release);
        if table.dirty() > 0 {
            self.wake_all();
        }
    }

    /// Whether all of the kernel has been read once.
    pub fn is_synchronised(&self) -> bool {
        self.synchronised.load(Ordering::Acquire)
    }

    fn something_to_do(&self, table: &Table) -> bool {
        table.dirty() > 0 && self.is_synchronised()
    }

    /// What whoever waits for changes is told, if anything yet.
    fn told(&self, table: &Table) -> Option<bool> {
        if self.closed.load(Ordering::Acquire) {
            return Some(false);
        }
        self.something_to_do(table).then_some(true)
    }

    /// What [`Self::wait_dirty`] would return at once; otherwise the bell rings when that changes,
    /// until [`Self::look_away`].
    pub(crate) fn look_out(&self, bell: &Arc<Wake>) -> Option<bool> {
        let table = self.table.lock();
        let told = self.told(&table);
        if told.is_none() {
            *self.looking_out.lock() = Some(Arc::clone(bell));
        }
        told
    }

    pub(crate) fn look_away(&self) {
        *self.looking_out.lock() = None;
    }

    /// Has everybody who waits for changes look again.
    pub(crate) fn ring(&self) {
        let _table = self.table.lock();
        self.wake_all();
    }

    /// The same with the table locked already: nobody is just about to wait then.
    fn wake_all(&self) {
        self.dirty.notify_all();
        if let Some(bell) = &*self.looking_out.lock() {
            bell.ring();
        }
    }

    /// Waits until the kernel has been read and there are dirty prefixes: true; false at the
    /// deadline and once closed.
    pub(crate) fn wait_dirty(&self, deadline: Option<Instant>) -> bool {
        let mut table = self.table.lock();
        loop {
            if let Some(told) = self.told(&table) {
                return told;
            }
            match deadline {
                None => self.dirty.wait(&mut table),
                Some(deadline) => {
                    if self.dirty.wait_until(&mut table, deadline).timed_out() {
                        return self.something_to_do(&table);
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

    /// Frees what the table holds: whoever still has a handle of an engine that has ended, such as
    /// a garbage collector that is in no hurry, shall not keep a full table alive.
    pub(crate) fn let_go(&self) {
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

    pub(crate) fn drifted(&self, report: &DriftReport) {
        for (counter, count) in self.kernel.drift.iter().zip(report.counts) {
            counter.fetch_add(count as u64, Ordering::Relaxed);
        }
        self.last_drift.lock().clone_from(report);
    }

    pub(crate) fn fail(&self, reason: String) {
        *self.failure.lock() = Some(reason);
        self.close();
    }
}

fn limit_changed(change: LimitChange) {
    let LimitChange {
        limit, prefixes, ..
    } = change;
    let most = limit.prefixes;
    match (change.exceeded, limit.beyond) {
        (true, Beyond::Refuse) => log::warn!(
            "{prefixes} prefixes are more than kernel.max_routes ({most}): VPP keeps those that it \
             has, and further ones are held (`bgpreflector show routes --held`); find out which \
             BGP peer sends them and filter or limit its routes, or raise kernel.max_routes"
        ),
        (true, Beyond::Warn) => log::warn!(
            "{prefixes} prefixes are more than kernel.max_routes ({most}): they go into VPP all \
             the same, as kernel.max_routes_action is \"warn\"; find out which BGP peer sends \
             them, and whether VPP's memory is enough"
        ),
        (false, _) => log::info!("{prefixes} prefixes: kernel.max_routes ({most}) is kept again"),
    }
}
