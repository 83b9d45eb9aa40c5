//! Routes of ours that VPP has and does not show: a dump shows a prefix under its best source only.

use crate::route::{Family, PathSet, Prefix};

use crate::table::Table;
use crate::table::store::entry::flag;
use crate::table::store::ids::{Handle, PathSetId};

/// Prefixes that a better source has, so that routes of ours may be hidden there.
#[derive(Default)]
pub(in crate::table) struct Shadowed(Vec<(u32, Prefix)>);

impl Table {
    /// Takes note that VPP may have a route of ours for a prefix, unseen behind another source's.
    /// What becomes of it [`Self::confirm`] decides.
    pub fn suspect_unseen(&mut self, vpp_table: u32, prefix: Prefix) {
        self.shadowed.0.push((vpp_table, prefix));
    }

    /// Forgets what [`Self::suspect_unseen`] was told.
    pub fn forget_unseen(&mut self) {
        self.shadowed = Shadowed::default();
    }

    /// Whether something of VPP's waits for [`Self::confirm`].
    #[must_use]
    pub fn awaits_confirmation(&self) -> bool {
        let unconfirmed = |family| self.counts(family).unconfirmed > 0;
        !self.shadowed.0.is_empty() || Family::ALL.into_iter().any(unconfirmed)
    }

    /// Takes what may be unseen for installed with paths that nobody knows, where nothing else is
    /// known: whether the prefix is wanted or not, it is sent.
    pub(in crate::table) fn confirm_unseen(&mut self, families: &[Family]) {
        let mut unseen = std::mem::take(&mut self.shadowed.0);
        unseen.retain(|(vpp_table, prefix)| {
            let confirmed = families.contains(&prefix.family());
            if confirmed {
                self.take_for_installed(*vpp_table, prefix);
            }
            !confirmed
        });
        self.shadowed.0 = unseen;
    }

    fn take_for_installed(&mut self, vpp_table: u32, prefix: &Prefix) {
        let Some(handle) = self.place_in_vpp_table(vpp_table, prefix) else {
            return;
        };
        let body = self.rib(handle).and_then(|rib| rib.body(handle.slot));
        if body.is_some_and(|body| body.installed.is_none()) {
            self.set_unknown(handle);
            self.refresh(handle);
        }
    }

    fn set_unknown(&mut self, handle: Handle) {
        // Never wanted, and never shown by a route that we have sent.
        let unknown = self.resolver.path_sets.acquire(PathSet::new(Vec::new()));
        self.set_installed(handle, PathSetId(unknown));
    }

    /// Takes note that what VPP has is about to be told by [`Self::adopt`]. What is not told then
    /// may be there all the same, unseen: it is sent again, or deleted.
    pub fn begin_adoption(&mut self) {
        for handle in self.places() {
            let body = self.rib(handle).and_then(|rib| rib.body(handle.slot));
            let Some(body) = body.copied() else { continue };
            if !body.installed.is_none() {
                self.set_unknown(handle);
            }
            if !body.installed.is_none() || body.has(flag::FAILED) {
                self.refresh(handle);
            }
        }
        self.refusals.clear();
    }
}
