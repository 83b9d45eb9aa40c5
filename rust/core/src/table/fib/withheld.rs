//! Deletions that wait for an operator's approval of their number.

use crate::route::PathSet;

use crate::table::Table;
use crate::table::store::entry::{EntryState, flag};
use crate::table::store::ids::{Handle, PathSetId};

/// How many deletions are withheld.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WithheldDeletions {
    /// All of them, including replacements by a drop or a local path
    /// ([`Fallback`](crate::table::Fallback)).
    pub total: usize,
    /// Those of prefixes whose mirrored kernel route VPP cannot have
    /// ([`HoldReason`](crate::table::HoldReason)).
    pub held: usize,
}

impl Table {
    /// Hands out no deletions from now on; additions and replacements continue. Two kinds are
    /// deleted anyway, as they forward nothing: a route through one of the VPP interfaces in
    /// `gone`, which drops, and one of ours that another source's route may hide.
    pub fn withhold_deletions(&mut self, gone: Vec<u32>) {
        self.deletion_guard.on = true;
        self.deletion_guard.gone = gone;
        self.reconsider();
    }

    /// Hands out deletions again, the withheld ones first.
    pub fn release_deletions(&mut self) {
        self.deletion_guard.on = false;
        self.reconsider();
    }

    /// The withheld deletions that are still due.
    #[must_use]
    pub fn withheld_deletions(&self) -> WithheldDeletions {
        let mut found = WithheldDeletions::default();
        for handle in &self.deletion_guard.handles {
            let Some(entry) = self.entry(*handle) else {
                continue;
            };
            if self.withholds(*handle, entry) {
                found.total += 1;
                found.held += usize::from(entry.has(flag::HELD));
            }
        }
        found
    }

    /// Whether an entry's deletion is withheld.
    #[inline]
    pub(in crate::table) fn withholds(&self, handle: Handle, entry: &EntryState) -> bool {
        self.deletion_guard.on && self.withholds_deletion(handle, entry)
    }

    #[cold]
    fn withholds_deletion(&self, handle: Handle, entry: &EntryState) -> bool {
        !entry.installed.is_none()
            && self.loses(handle, entry)
            && self.paths(entry.installed).is_some_and(|set| {
                let paths = set.paths();
                let gone = &self.deletion_guard.gone;
                !paths.is_empty() && !paths.iter().any(|path| gone.contains(&path.sw_if_index))
            })
    }

    /// Whether VPP stops forwarding an entry's packets: no route of ours is left, or the route is
    /// held and its substitute drops or punts them.
    fn loses(&self, handle: Handle, entry: &EntryState) -> bool {
        let desired = self.desired(handle, entry);
        let held = || {
            self.resolved(handle, entry)
                .is_some_and(|p| p.held.is_some())
        };
        desired.is_none() || self.forwards(entry.installed) && !self.forwards(desired) && held()
    }

    fn forwards(&self, paths: PathSetId) -> bool {
        self.paths(paths).is_some_and(PathSet::forwards)
    }

    /// Keeps a dirty entry that is not handed out.
    pub(in crate::table) fn withhold_deletion(&mut self, handle: Handle) {
        self.deletion_guard.handles.insert(handle);
    }

    fn reconsider(&mut self) {
        for handle in std::mem::take(&mut self.deletion_guard.handles) {
            self.refresh(handle);
        }
    }
}
