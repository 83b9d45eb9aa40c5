//! Compares VPP's routes with what VPP has acknowledged.

use crate::route::{PathSet, Prefix};

use crate::table::Table;
use crate::table::store::any_rib::AnyRib;
use crate::table::store::entry::flag;
use crate::table::store::ids::{Handle, PathSetId};

crate::named_enum! {
    /// How VPP differed from what it had acknowledged.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum VppDrift {
        /// VPP had acknowledged a route and did not have it.
        Missing = "missing",
        /// VPP had the route with other paths.
        Different = "different",
        /// VPP had a route under our source that we had not put there.
        Unexpected = "unexpected",
        /// Another source also had the prefix, and VPP forwarded by its route.
        Overridden = "overridden",
    }
}

/// Prefixes that VPP has shown, by slot.
#[derive(Default)]
pub struct Shown(Vec<Vec<bool>>);

impl Shown {
    fn mark(&mut self, handle: Handle) {
        let (rib, slot) = (usize::from(handle.rib), handle.slot as usize);
        if self.0.len() <= rib {
            self.0.resize(rib + 1, Vec::new());
        }
        if let Some(slots) = self.0.get_mut(rib) {
            if slots.len() <= slot {
                slots.resize(slot + 1, false);
            }
            if let Some(mark) = slots.get_mut(slot) {
                *mark = true;
            }
        }
    }

    fn has(&self, handle: Handle) -> bool {
        let slots = self.0.get(usize::from(handle.rib));
        slots.and_then(|slots| slots.get(handle.slot as usize)) == Some(&true)
    }
}

impl Table {
    /// Compares a route that VPP shows under our source with what it has acknowledged. `equals`
    /// returns whether VPP shows the acknowledged paths as it shows this route's. None if they
    /// agree, and for VPP tables that are not ours.
    pub fn compare_shown(
        &self,
        vpp_table: u32,
        prefix: &Prefix,
        shown: &mut Shown,
        equals: impl Fn(&PathSet) -> bool,
    ) -> Option<VppDrift> {
        let Some(handle) = self.find_in_vpp_table(vpp_table, prefix)? else {
            return Some(VppDrift::Unexpected);
        };
        shown.mark(handle);
        let entry = self.entry(handle)?;
        match self.paths(entry.installed) {
            None => Some(VppDrift::Unexpected),
            Some(installed) => (!equals(installed)).then_some(VppDrift::Different),
        }
    }

    /// The prefix's handle: none if the VPP table is not ours, `Some(None)` if the prefix is not
    /// known in it.
    fn find_in_vpp_table(&self, vpp_table: u32, prefix: &Prefix) -> Option<Option<Handle>> {
        let ours = |(_, rib): &(u16, &AnyRib)| {
            rib.vpp_table == vpp_table && rib.family() == prefix.family()
        };
        let (index, rib) = (0_u16..).zip(&self.ribs).find(ours)?;
        Some(rib.find(prefix).map(|slot| Handle { rib: index, slot }))
    }

    /// Prefixes that are acknowledged or desired, and that are not among those shown.
    #[must_use]
    pub fn not_shown(&self, shown: &Shown) -> Vec<Handle> {
        let missing = |handle: &Handle| {
            let entry = self.entry(*handle);
            entry.is_some_and(|entry| !entry.installed.is_none() || entry.has(flag::DESIRED))
        };
        let unseen = self.slots().filter(|handle| !shown.has(*handle));
        unseen.filter(missing).collect()
    }

    /// VPP table and prefix of a handle, and whether VPP has acknowledged the prefix.
    #[must_use]
    pub fn vpp_prefix(&self, handle: Handle) -> Option<(u32, Prefix, bool)> {
        let rib = self.rib(handle)?;
        let acknowledged = !rib.entry(handle.slot)?.installed.is_none();
        Some((rib.vpp_table, rib.prefix(handle.slot)?, acknowledged))
    }

    /// Records that VPP has lost a prefix that it had acknowledged: it is added again.
    pub fn lost(&mut self, handle: Handle) {
        self.set_installed(handle, PathSetId::NONE);
        self.refresh(handle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_kept_apart() {
        let mut shown = Shown::default();
        shown.mark(Handle { rib: 1, slot: 70 });
        assert!(shown.has(Handle { rib: 1, slot: 70 }));
        for (rib, slot) in [(0, 70), (1, 69), (1, 71), (2, 70)] {
            assert!(!shown.has(Handle { rib, slot }));
        }
    }
}
