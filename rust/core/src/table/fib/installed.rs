//! Queries of installed routes, for comparison with VPP itself.

use ahash::AHashSet;

use crate::route::{Path, PathKind, PathSet, Prefix};

use crate::table::Table;
use crate::table::store::ids::PathSetId;

impl Table {
    /// Whether VPP has acknowledged one of our routes for a prefix in one of its tables.
    #[must_use]
    pub fn has_installed(&self, vpp_table: u32, prefix: &Prefix) -> bool {
        let ribs = self.ribs.iter().filter(|rib| rib.vpp_table == vpp_table);
        ribs.filter_map(|rib| rib.body(rib.find(prefix)?))
            .any(|body| !body.installed.is_none())
    }

    /// Whether installed or desired paths use a VPP interface.
    #[must_use]
    pub fn leads_through(&self, sw_if_index: u32) -> bool {
        let mut sets = self.resolver.path_sets.iter();
        sets.any(|(_, set)| set.paths().iter().any(|p| p.sw_if_index == sw_if_index))
    }

    /// VPP table and prefix of one route for each path set that VPP forwards by in a table, and the
    /// interfaces of the set (`sw_if_index`).
    #[must_use]
    pub fn examples(&self) -> Vec<(u32, Prefix, Vec<u32>)> {
        let mut seen = AHashSet::<(u16, PathSetId)>::new();
        let mut found = Vec::new();
        for handle in self.slots() {
            let Some(rib) = self.rib(handle) else {
                continue;
            };
            let Some(body) = rib.body(handle.slot).filter(|body| body.in_use()) else {
                continue;
            };
            if body.installed.is_none() || !seen.insert((handle.rib, body.installed)) {
                continue;
            }
            let paths = self.paths(body.installed).map_or(&[][..], PathSet::paths);
            let interfaces = paths.iter().map(|p| p.sw_if_index);
            let interfaces: Vec<u32> = interfaces.filter(|i| *i != Path::NO_INTERFACE).collect();
            let forwards = paths.iter().any(|path| path.kind == PathKind::Normal);
            if let Some(prefix) = rib.prefix(handle.slot).filter(|_| forwards) {
                found.push((rib.vpp_table, prefix, interfaces));
            }
        }
        found
    }
}
