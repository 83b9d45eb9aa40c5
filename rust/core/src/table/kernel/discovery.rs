//! Kernel tables that are mirrored once they have a route.

use crate::route::Family;

use crate::table::Table;
use crate::table::kernel::discovered::MirroredTable;
use crate::table::store::any_rib::AnyRib;

/// Up to this many ribs a linear search is faster than an index.
const FEW: usize = 8;

impl Table {
    #[inline]
    pub(in crate::table) fn rib_index(&self, family: Family, kernel_table: u32) -> Option<u16> {
        if self.ribs.len() > FEW {
            return self.discovered.index.get(&(family, kernel_table)).copied();
        }
        let is = |rib: &AnyRib| rib.kernel_table == kernel_table && rib.family() == family;
        self.ribs
            .iter()
            .position(is)
            .and_then(|index| u16::try_from(index).ok())
    }

    /// Starts to mirror a table in which a route is announced, if the scope allows it. It gets the
    /// next number; the others, and all handles, stay valid.
    pub(in crate::table) fn discover(&mut self, family: Family, kernel_table: u32) -> Option<u16> {
        let discovery = &self.scope.discovery;
        if !discovery.takes(kernel_table) || !self.scope.families.contains(&family) {
            return None;
        }
        let free = discovery.vpp_table(kernel_table).filter(|vpp_table| {
            let of_another =
                |rib: &AnyRib| rib.vpp_table == *vpp_table && rib.kernel_table != kernel_table;
            !self.ribs.iter().any(of_another)
        });
        let Some(vpp_table) = free else {
            self.discovered.left_out.insert(kernel_table);
            return None;
        };
        let index = u16::try_from(self.ribs.len()).ok()?;
        self.ribs.push(AnyRib::new(family, kernel_table, vpp_table));
        self.discovered.index.insert((family, kernel_table), index);
        self.table_mirrored(family, kernel_table, vpp_table);
        Some(index)
    }

    /// Records that VPP has a table of ours from an earlier run: its routes are adopted, and
    /// deleted where the kernel has none. False if its kernel table is not mirrored.
    pub fn discover_vpp_table(&mut self, family: Family, vpp_table: u32) -> bool {
        let Some(kernel_table) = self.scope.discovery.kernel_table(vpp_table) else {
            return false;
        };
        self.rib_index(family, kernel_table).is_some()
            || self.discover(family, kernel_table).is_some()
    }

    /// All mirrored tables, the configured ones first.
    #[must_use]
    pub fn mirrored_tables(&self) -> Vec<MirroredTable> {
        let looked_up = self.resolver.looked_up();
        let in_use =
            |rib: &AnyRib| rib.in_use() || looked_up.contains(&(rib.family(), rib.vpp_table));
        let ribs = self.ribs.iter().enumerate();
        ribs.map(|(index, rib)| MirroredTable {
            kernel_table: rib.kernel_table,
            vpp_table: rib.vpp_table,
            family: rib.family(),
            discovered: index >= self.discovered.named,
            in_use: in_use(rib),
        })
        .collect()
    }

    /// Kernel tables with routes that are not mirrored, because another one uses their VPP table.
    pub fn tables_left_out(&self) -> impl Iterator<Item = u32> {
        self.discovered.left_out.iter().copied()
    }
}
