//! Turns dirty prefixes into requests, and replies into installed paths.

use ahash::AHashSet;

use crate::route::{Family, PathSet, Prefix};

use crate::table::Table;
use crate::table::fib::request::{DirtyBatch, Request};
use crate::table::fib::selection::adjust;
use crate::table::store::entry::flag;
use crate::table::store::ids::{Handle, PathSetId};

impl Table {
    /// Hands out up to `limit` dirty prefixes. Each must be returned, by [`Self::begin_request`] or
    /// [`Self::requeue`].
    pub fn take_dirty(&mut self, limit: usize) -> DirtyBatch {
        let mut taken = DirtyBatch::default();
        while taken.handles.len() < limit {
            let Some(handle) = self.dirty.pop() else {
                break;
            };
            let Some(entry) = self.entry(handle) else {
                continue;
            };
            let (desired, installed) = (self.desired(handle, entry), entry.installed);
            let needed = desired != installed;
            let withheld = needed && self.withholds(handle, entry);
            if let Some(entry) = self.entry_mut(handle) {
                entry.set_flag(flag::QUEUED, false);
                entry.set_flag(flag::TAKEN, needed && !withheld);
            }
            if withheld {
                self.withhold_deletion(handle);
                continue;
            }
            if !needed {
                self.remove_if_idle(handle);
                continue;
            }
            match (desired.is_none(), installed.is_none()) {
                (true, _) => taken.deletes += 1,
                (false, true) => taken.adds += 1,
                (false, false) => taken.replaces += 1,
            }
            taken.handles.push(handle);
        }
        taken
    }

    /// Returns taken prefixes unsent; they are dirty again.
    pub fn requeue(&mut self, handles: impl IntoIterator<Item = Handle>) {
        for handle in handles {
            self.give_back(handle);
        }
    }

    fn give_back(&mut self, handle: Handle) {
        if let Some(entry) = self.entry_mut(handle) {
            entry.set_flag(flag::TAKEN, false);
            self.refresh(handle);
        }
    }

    /// The request that a taken prefix needs now; none if there is nothing left to do, and the
    /// prefix is then no longer taken. Every request must end in [`Self::acknowledge`] or
    /// [`Self::abandon`].
    pub fn begin_request(&mut self, handle: Handle) -> Option<Request> {
        let rib = self.rib(handle)?;
        let entry = rib.entry(handle.slot).copied()?;
        let (prefix, vpp_table) = (rib.prefix(handle.slot)?, rib.vpp_table);
        let paths = self.desired(handle, &entry);
        if paths == entry.installed || self.withholds(handle, &entry) {
            self.give_back(handle);
            return None;
        }
        self.resolver.retain_paths(paths);
        let version = self.resolver.path_sets.version(paths.0);
        let installed = !entry.installed.is_none();
        Some(Request {
            handle,
            prefix,
            vpp_table,
            paths,
            version,
            installed,
        })
    }

    /// Records VPP's answer to a request.
    ///
    /// A refused prefix is not sent again until its paths change or [`Self::retry_rejected`] is
    /// called.
    pub fn acknowledge(&mut self, request: &Request, outcome: Result<(), i32>) {
        self.survived(request);
        match outcome {
            Ok(()) => {
                self.set_installed(request.handle, request.paths);
                self.give_back(request.handle);
            }
            Err(retval) => self.refused(request, retval),
        }
    }

    pub(in crate::table) fn set_installed(&mut self, handle: Handle, paths: PathSetId) {
        let Some(rib) = self.rib_mut(handle) else {
            return;
        };
        let family = rib.family();
        let Some(entry) = rib.entry_mut(handle.slot) else {
            return;
        };
        let old = std::mem::replace(&mut entry.installed, paths);
        self.resolver.release_paths(old);
        let counts = self.counts_mut(family);
        adjust(&mut counts.installed, !old.is_none(), !paths.is_none());
        self.queue_result(handle);
    }

    fn refused(&mut self, request: &Request, retval: i32) {
        let handle = request.handle;
        self.resolver.release_paths(request.paths);
        let Some(entry) = self.entry(handle).copied() else {
            return;
        };
        if self.desired(handle, &entry) != request.paths {
            self.give_back(handle);
            return;
        }
        self.refusals.insert(handle, retval);
        let counts = self.counts_mut(request.prefix.family());
        counts.rejected = counts.rejected.saturating_add(1);
        if let Some(entry) = self.entry_mut(handle) {
            entry.set_flag(flag::TAKEN, false);
            entry.set_flag(flag::REJECTED, true);
        }
        self.queue_result(handle);
    }

    /// Takes back a request that was not sent; its prefix stays taken.
    pub fn postpone(&mut self, request: &Request) {
        self.resolver.release_paths(request.paths);
    }

    /// Records that a request will get no answer: its prefix is dirty again. It is unknown whether
    /// VPP acted on it, so the caller must also report the loss of the session
    /// ([`Self::forget_installed`]).
    pub fn abandon(&mut self, request: &Request) {
        self.resolver.release_paths(request.paths);
        self.give_back(request.handle);
    }

    /// Makes refused prefixes dirty again if `worth` accepts their `retval`; returns their number.
    pub fn retry_rejected(&mut self, worth: impl Fn(i32) -> bool) -> usize {
        let refusals = self.refusals.iter();
        let handles: Vec<Handle> = refusals
            .filter(|(_, retval)| worth(**retval))
            .map(|(handle, _)| *handle)
            .collect();
        for handle in &handles {
            self.refresh(*handle);
        }
        handles.len()
    }

    /// Records that VPP has none of our routes, or that what it has is unknown.
    pub fn forget_installed(&mut self) {
        for handle in self.slots() {
            let installed = self.entry(handle);
            if installed
                .is_some_and(|entry| !entry.installed.is_none() || entry.has(flag::REJECTED))
            {
                self.set_installed(handle, PathSetId::NONE);
                self.refresh(handle);
            }
        }
        self.refusals.clear();
        self.forget_shadowed();
    }

    /// Records a route that VPP already has under our source. `shows_desired` returns whether VPP shows
    /// desired paths as `dumped`. Returns whether the VPP table is one of ours.
    pub fn adopt(
        &mut self,
        vpp_table: u32,
        prefix: &Prefix,
        dumped: &PathSet,
        shows_desired: impl Fn(&PathSet) -> bool,
    ) -> bool {
        let Some(handle) = self.get_or_insert_in_vpp_table(vpp_table, prefix) else {
            return false;
        };
        let entry = self.entry(handle).copied();
        let desired = entry.map_or(PathSetId::NONE, |entry| self.desired(handle, &entry));
        let paths = if self.paths(desired).is_some_and(shows_desired) {
            self.resolver.retain_paths(desired);
            desired
        } else {
            PathSetId(self.resolver.path_sets.acquire(dumped.clone()))
        };
        self.set_installed(handle, paths);
        self.mark_unconfirmed(handle);
        self.refresh(handle);
        true
    }

    /// Marks a prefix that VPP has and the kernel has not shown so far.
    fn mark_unconfirmed(&mut self, handle: Handle) {
        let Some(rib) = self.rib_mut(handle) else {
            return;
        };
        let family = rib.family();
        let Some(entry) = rib.entry_mut(handle.slot) else {
            return;
        };
        let known = entry.has(flag::ROUTE | flag::OVERFLOW);
        if !known && !entry.has(flag::UNCONFIRMED) {
            entry.set_flag(flag::UNCONFIRMED, true);
            adjust(&mut self.counts_mut(family).unconfirmed, false, true);
        }
    }

    /// Records that the kernel has shown all its routes of these families: any other route in VPP
    /// is stale and is deleted. Returns the number of these prefixes.
    pub fn confirm(&mut self, families: &[Family]) -> usize {
        self.confirm_where(families, |family, _, _| families.contains(&family))
    }

    /// Like [`Self::confirm`], for single prefixes, by kernel table, that the kernel does not have.
    pub fn confirm_absent(&mut self, absent: &AHashSet<(u32, Prefix)>) -> usize {
        if absent.is_empty() {
            return 0;
        }
        self.confirm_where(&[], |_, table, prefix| absent.contains(&(table, prefix)))
    }

    fn confirm_where(
        &mut self,
        families: &[Family],
        is_stale: impl Fn(Family, u32, Prefix) -> bool,
    ) -> usize {
        self.confirm_shadowed(families);
        let unconfirmed = |family| self.counts(family).unconfirmed > 0;
        if !Family::ALL.into_iter().any(unconfirmed) {
            return 0;
        }
        let mut stale = 0;
        for handle in self.slots() {
            let Some(rib) = self.rib(handle) else {
                continue;
            };
            let (family, table) = (rib.family(), rib.kernel_table);
            let unconfirmed = rib
                .entry(handle.slot)
                .is_some_and(|entry| entry.has(flag::UNCONFIRMED));
            let goes = |prefix| is_stale(family, table, prefix);
            if !unconfirmed || !rib.prefix(handle.slot).is_some_and(goes) {
                continue;
            }
            if let Some(entry) = self.entry_mut(handle) {
                entry.set_flag(flag::UNCONFIRMED, false);
            }
            adjust(&mut self.counts_mut(family).unconfirmed, true, false);
            stale += 1;
            self.refresh(handle);
        }
        stale
    }

    pub(in crate::table) fn get_or_insert_in_vpp_table(
        &mut self,
        vpp_table: u32,
        prefix: &Prefix,
    ) -> Option<Handle> {
        let family = prefix.family();
        let index = self
            .ribs
            .iter()
            .position(|rib| rib.vpp_table == vpp_table && rib.family() == family)?;
        let (slot, _) = self.ribs.get_mut(index)?.get_or_insert(prefix)?;
        Some(Handle {
            rib: u16::try_from(index).ok()?,
            slot,
        })
    }

    /// The path set with this id.
    #[must_use]
    pub fn paths(&self, id: PathSetId) -> Option<&PathSet> {
        self.resolver.path_sets.get(id.0)
    }

    /// The numbers of stored next-hop sets and path sets.
    #[must_use]
    pub fn sets(&self) -> (usize, usize) {
        (self.resolver.sets.len(), self.resolver.path_sets.len())
    }

    /// The mirrored VPP tables and families.
    pub fn vpp_tables(&self) -> impl Iterator<Item = (u32, Family)> {
        self.ribs.iter().map(|rib| (rib.vpp_table, rib.family()))
    }
}
