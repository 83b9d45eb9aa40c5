//! Questions about what VPP has, for those who look at VPP itself.

use crate::route::Prefix;

use super::Table;

impl Table {
    /// Whether VPP has acknowledged a route of ours for a prefix in one of its tables.
    #[must_use]
    pub fn has_installed(&self, vpp_table: u32, prefix: &Prefix) -> bool {
        let ribs = self.ribs.iter().filter(|rib| rib.vpp_table == vpp_table);
        ribs.filter_map(|rib| rib.body(rib.find(prefix)?))
            .any(|body| !body.installed.is_none())
    }

    /// Whether paths that VPP has or shall have go out of one of its interfaces.
    #[must_use]
    pub fn leads_through(&self, sw_if_index: u32) -> bool {
        let mut sets = self.meanings.path_sets.iter();
        sets.any(|(_, set)| set.paths().iter().any(|p| p.sw_if_index == sw_if_index))
    }
}
