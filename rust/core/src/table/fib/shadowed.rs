//! Our routes that VPP has but does not show: a dump shows a prefix under its best source only.

use crate::route::{Family, PathSet, Prefix};

use crate::table::Table;
use crate::table::store::entry::flag;
use crate::table::store::ids::{Handle, PathSetId};

impl Table {
    /// Records that VPP may have a route of ours for a prefix, hidden by another source's.
    /// [`Self::confirm`] decides what happens to it.
    pub fn assume_shadowed(&mut self, vpp_table: u32, prefix: Prefix) {
        self.shadowed.push((vpp_table, prefix));
    }

    /// Clears the prefixes recorded by [`Self::assume_shadowed`].
    pub fn forget_shadowed(&mut self) {
        self.shadowed = Vec::new();
    }

    /// Whether routes of VPP wait for [`Self::confirm`].
    #[must_use]
    pub fn awaits_confirmation(&self) -> bool {
        let unconfirmed = |family| self.counts(family).unconfirmed > 0;
        !self.shadowed.is_empty() || Family::ALL.into_iter().any(unconfirmed)
    }

    /// Treats what may be hidden as installed with unknown paths, unless its paths are known: the
    /// prefix is then sent, desired or not.
    pub(in crate::table) fn confirm_shadowed(&mut self, families: &[Family]) {
        let mut shadowed = std::mem::take(&mut self.shadowed);
        shadowed.retain(|(vpp_table, prefix)| {
            let confirmed = families.contains(&prefix.family());
            if confirmed {
                self.take_for_installed(*vpp_table, prefix);
            }
            !confirmed
        });
        self.shadowed = shadowed;
    }

    fn take_for_installed(&mut self, vpp_table: u32, prefix: &Prefix) {
        let Some(handle) = self.get_or_insert_in_vpp_table(vpp_table, prefix) else {
            return;
        };
        let entry = self.entry(handle);
        if entry.is_some_and(|entry| entry.installed.is_none()) {
            self.set_unknown(handle);
            self.refresh(handle);
        }
    }

    fn set_unknown(&mut self, handle: Handle) {
        // No route has these paths, desired or shown.
        let unknown = self.resolver.path_sets.acquire(PathSet::new(Vec::new()));
        self.set_installed(handle, PathSetId(unknown));
    }

    /// Prepares for the calls of [`Self::adopt`]. A route that they do not report may still be in
    /// VPP, hidden: it is sent again, or deleted.
    pub fn begin_adoption(&mut self) {
        for handle in self.slots() {
            let entry = self.entry(handle);
            let Some(entry) = entry.copied() else {
                continue;
            };
            if !entry.installed.is_none() {
                self.set_unknown(handle);
            }
            if !entry.installed.is_none() || entry.has(flag::REJECTED) {
                self.refresh(handle);
            }
        }
        self.refusals.clear();
    }
}
