//! Resync: a dump of the kernel's routes, the notifications that come meanwhile, and the sweep.
//!
//! A dump and the notifications arrive on different sockets, so a dump can show a route as it was
//! before a change that has already been told. What a notification said while a dump runs is
//! therefore newer than what the dump says of the same key. Where that rule could hide a route
//! (several routes under one key), the route is counted as uncertain and the dump has to be
//! repeated.

use ahash::AHashMap;

use crate::route::{Family, NextHopSet, RouteKey};

use super::Table;
use super::entry::KernelRoute;
use super::ids::{Handle, SetId};
use super::order::Placement;

/// The last notification about a key since the resync began.
pub(super) enum Touch {
    Announced { protocol: u8 },
    Withdrawn { protocol: u8, set: NextHopSet },
}

#[derive(Default)]
pub(super) struct Resync {
    touched: AHashMap<RouteKey, Touch>,
    uncertain: usize,
}

/// What a resync ended with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Kernel routes that the resync did not see and that were removed.
    pub removed: usize,
    /// Dump routes that contradicted notifications: if there are any, dump once more.
    pub uncertain: usize,
}

impl Table {
    /// Begins a resync: from here on every route that is announced or dumped counts as seen.
    pub fn begin_resync(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        self.resync = Some(Resync::default());
    }

    /// Starts one more dump within the resync; what the dumps before it saw still counts.
    pub fn repeat_dump(&mut self) {
        self.resync = Some(Resync::default());
    }

    /// Ends the resync and removes the routes of `families` that it did not see.
    ///
    /// A family whose dump broke off, or lost routes, must not be named: nothing of it is removed.
    pub fn end_resync(&mut self, families: &[Family]) -> Swept {
        let uncertain = self.uncertain_dump_routes();
        self.resync = None;
        let generation = self.generation;
        let swept: Vec<Handle> = self
            .places()
            .filter(|handle| {
                self.rib(*handle)
                    .is_some_and(|rib| families.contains(&rib.family()))
            })
            .collect();
        let unseen = |route: &KernelRoute| route.generation != generation;
        let removed = self.remove_routes(swept.into_iter(), unseen);
        Swept { removed, uncertain }
    }

    /// Dump routes so far that contradicted notifications.
    #[must_use]
    pub fn uncertain_dump_routes(&self) -> usize {
        self.resync.as_ref().map_or(0, |resync| resync.uncertain)
    }

    pub(super) fn touch(&mut self, key: RouteKey, touch: Touch) {
        if let Some(resync) = &mut self.resync {
            resync.touched.insert(key, touch);
        }
    }

    /// Whether an announcement is news, seen from the resync that may be running.
    pub(super) fn resync_takes(
        &mut self,
        key: &RouteKey,
        protocol: u8,
        set: SetId,
        placement: Placement,
    ) -> bool {
        let Some(resync) = &self.resync else {
            return true;
        };
        if placement != Placement::Dump {
            self.touch(*key, Touch::Announced { protocol });
            return true;
        }
        let outdated = match resync.touched.get(key) {
            None => return true,
            Some(Touch::Announced { protocol: told }) => *told == protocol,
            Some(Touch::Withdrawn {
                protocol: told,
                set: gone,
            }) => *told == protocol && self.is_set(set, gone),
        };
        if !outdated {
            self.anomalies.uncertain_dump_routes += 1;
            if let Some(resync) = &mut self.resync {
                resync.uncertain += 1;
            }
        }
        false
    }
}
