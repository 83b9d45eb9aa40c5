//! What a resync has to compare, what it has seen so far, and its result.

use std::collections::BTreeSet;

use ahash::AHashMap;

use crate::route::{NextHopSet, RouteKey};

use crate::table::store::entry::KernelRoute;

/// The part of the scope that a resync compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DumpScope {
    /// All routes.
    Everything,
    /// Routes with a next hop through one of these interfaces: the kernel's indices.
    Interfaces(BTreeSet<u32>),
}

impl DumpScope {
    /// Routes with a next hop through this interface.
    #[must_use]
    pub fn interface(index: u32) -> Self {
        Self::Interfaces(BTreeSet::from([index]))
    }

    /// The scope that covers both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        match (self, other) {
            (Self::Interfaces(mut some), Self::Interfaces(others)) => {
                some.extend(others);
                Self::Interfaces(some)
            }
            _ => Self::Everything,
        }
    }
}

/// What a notification leaves uncertain and only a dump can resolve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// Nothing.
    #[default]
    Nothing,
    /// Which of several routes was replaced, if one of them may have been removed without a message
    /// before.
    IfInconsistent,
    /// The current routes through this interface.
    OfInterface(u32),
    /// All current routes.
    OfEverything,
}

/// The last notification about a key since the resync began.
pub(in crate::table) enum Touch {
    Announced { protocol: u8 },
    Withdrawn { protocol: u8, set: NextHopSet },
}

/// Maximum number of notified keys kept during a resync: prefixes that come and go during a long
/// dump must not exhaust memory.
pub(in crate::table) const MAX_TOUCHED: usize = if cfg!(test) { 8 } else { 1 << 18 };

pub(in crate::table) struct Resync {
    pub(in crate::table) dump_scope: DumpScope,
    pub(in crate::table) touched: AHashMap<RouteKey, Touch>,
    /// The limit was exceeded: any key may have been notified.
    pub(in crate::table) overfull: bool,
    pub(in crate::table) uncertain: usize,
}

impl Resync {
    /// Returns whether this makes the dump uncertain.
    pub(in crate::table) fn touch(&mut self, key: RouteKey, touch: Touch) -> bool {
        if self.touched.len() < MAX_TOUCHED || self.touched.contains_key(&key) {
            self.touched.insert(key, touch);
            return false;
        }
        !std::mem::replace(&mut self.overfull, true)
    }
}

/// Maximum number of links and objects recorded during a resync.
const MAX_CHANGES: usize = 1 << 16;

/// Links and next-hop objects that changed during a resync without affecting a known route: the
/// dump may still show routes that it read before the change.
#[derive(Default)]
pub(in crate::table) struct ChangesDuringResync {
    pub(in crate::table) links: BTreeSet<u32>,
    pub(in crate::table) objects: BTreeSet<u32>,
    /// The limit was exceeded.
    pub(in crate::table) overfull: bool,
}

impl ChangesDuringResync {
    pub(in crate::table) fn record(
        &mut self,
        of: impl FnOnce(&mut Self) -> &mut BTreeSet<u32>,
        number: u32,
    ) {
        if self.links.len() + self.objects.len() < MAX_CHANGES {
            of(self).insert(number);
        } else {
            self.overfull = true;
        }
    }
}

/// The resync in progress, if any, and what it has found so far.
#[derive(Default)]
pub(in crate::table) struct Resyncs {
    pub(in crate::table) generation: u8,
    /// Dumps of the last resync, each with a generation of its own.
    dumps: u8,
    /// The first generation of the kernel that has taken the place of another one, until a complete
    /// dump of it.
    pub(in crate::table) replaced_at: Option<u8>,
    pub(in crate::table) current: Option<Resync>,
    /// Changes during the resync that affected no route known at the time.
    pub(in crate::table) during_resync: ChangesDuringResync,
}

/// The generations of the routes that a resync has seen.
#[derive(Clone, Copy, Debug)]
pub(in crate::table) struct Seen {
    last: u8,
    dumps: u8,
}

impl Seen {
    /// Whether the resync has seen this route.
    pub(in crate::table) fn has(self, route: &KernelRoute) -> bool {
        self.last.wrapping_sub(route.generation) < self.dumps
    }
}

impl Resyncs {
    /// The generation of routes seen by the last dump.
    pub(in crate::table) fn generation(&self) -> u8 {
        self.generation
    }

    /// The generations of all dumps of the last resync.
    pub(in crate::table) fn seen(&self) -> Seen {
        Seen {
            last: self.generation,
            dumps: self.dumps,
        }
    }

    /// From here on no known route counts as seen.
    pub(in crate::table) fn forget_seen(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        self.dumps = 1;
    }

    /// Begins another dump of the resync in progress.
    pub(in crate::table) fn repeat(&mut self) {
        if let Some(resync) = self.current.take() {
            self.generation = self.generation.wrapping_add(1);
            self.dumps = self.dumps.saturating_add(1);
            self.begin(resync.dump_scope);
        }
    }

    pub(in crate::table) fn is_running(&self) -> bool {
        self.current.is_some()
    }

    /// What the resync in progress compares.
    pub(in crate::table) fn dump_scope(&self) -> Option<&DumpScope> {
        self.current.as_ref().map(|resync| &resync.dump_scope)
    }

    pub(in crate::table) fn begin(&mut self, dump_scope: DumpScope) {
        self.current = Some(Resync {
            dump_scope,
            touched: AHashMap::new(),
            overfull: false,
            uncertain: 0,
        });
    }
}

/// The result of a resync.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Kernel routes that the resync did not see and removed.
    pub removed: usize,
    /// Dumped routes that contradicted notifications: if there are any, dump again.
    pub uncertain: usize,
}
