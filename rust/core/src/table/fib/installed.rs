//! Queries of installed paths, for comparison with VPP and with the desired ones.

use ahash::AHashSet;

use crate::route::{Path, PathSet, Prefix};

use crate::table::Table;
use crate::table::store::ids::{Handle, PathSetId};

impl Table {
    /// Whether VPP has acknowledged one of our routes for a prefix in one of its tables.
    #[must_use]
    pub fn is_installed(&self, vpp_table: u32, prefix: &Prefix) -> bool {
        let ribs = self.ribs.iter().filter(|rib| rib.vpp_table == vpp_table);
        ribs.filter_map(|rib| rib.entry(rib.find(prefix)?))
            .any(|entry| !entry.installed.is_none())
    }

    /// Whether installed or desired paths use a VPP interface.
    #[must_use]
    pub fn uses_interface(&self, sw_if_index: u32) -> bool {
        let mut sets = self.resolver.path_sets.iter();
        sets.any(|(_, set)| set.paths().iter().any(|p| p.sw_if_index == sw_if_index))
    }

    /// VPP table and prefix of one route for each path set that VPP forwards by in a table, and the
    /// interfaces of the set (`sw_if_index`).
    #[must_use]
    pub fn path_set_examples(&self) -> Vec<(u32, Prefix, Vec<u32>)> {
        let mut seen = AHashSet::<(u16, PathSetId)>::new();
        let mut found = Vec::new();
        for handle in self.slots() {
            let Some(rib) = self.rib(handle) else {
                continue;
            };
            let Some(entry) = rib.entry(handle.slot).filter(|entry| entry.in_use()) else {
                continue;
            };
            if entry.installed.is_none() || !seen.insert((handle.rib, entry.installed)) {
                continue;
            }
            let set = self.paths(entry.installed).filter(|set| set.forwards());
            if let (Some(prefix), Some(set)) = (rib.prefix(handle.slot), set) {
                let interfaces = set.paths().iter().map(|path| path.sw_if_index);
                let mapped = interfaces.filter(|index| *index != Path::NO_INTERFACE);
                found.push((rib.vpp_table, prefix, mapped.collect()));
            }
        }
        found
    }

    /// The installed paths for a prefix in a kernel table, and whether they are the desired ones.
    #[must_use]
    pub fn installed(&self, table: u32, prefix: &Prefix) -> (Option<&PathSet>, bool) {
        let known = || {
            let rib = self.rib_index(prefix.family(), table)?;
            let slot = self.ribs.get(usize::from(rib))?.find(prefix)?;
            let handle = Handle { rib, slot };
            Some((handle, self.rib(handle)?.entry(slot)?))
        };
        known().map_or((None, true), |(handle, entry)| {
            let in_sync = self.desired(handle, entry) == entry.installed;
            (self.paths(entry.installed), in_sync)
        })
    }

    /// Kernel table and prefix of about `count` installed prefixes, spread over all of them; `seed`
    /// selects which.
    #[must_use]
    pub fn sample_installed(&self, count: usize, seed: usize) -> Vec<(u32, Prefix)> {
        let installed = |handle: &Handle| {
            let entry = self.entry(*handle);
            entry.is_some_and(|entry| !entry.installed.is_none())
        };
        let total = self.slots().filter(installed).count();
        let step = total.div_ceil(count.max(1)).max(1);
        let of = |handle: Handle| {
            let rib = self.rib(handle)?;
            Some((rib.kernel_table, rib.prefix(handle.slot)?))
        };
        let chosen = self
            .slots()
            .filter(installed)
            .skip(seed % step)
            .step_by(step);
        chosen.filter_map(of).take(count).collect()
    }

    /// A dirty prefix: its kernel table, the prefix, the installed and the desired paths.
    #[must_use]
    pub fn difference(
        &self,
        handle: Handle,
    ) -> Option<(u32, Prefix, Option<&PathSet>, Option<&PathSet>)> {
        let rib = self.rib(handle)?;
        let entry = rib.entry(handle.slot)?;
        let paths = |id: PathSetId| self.paths(id);
        let desired = self.desired(handle, entry);
        Some((
            rib.kernel_table,
            rib.prefix(handle.slot)?,
            paths(entry.installed),
            paths(desired),
        ))
    }
}
