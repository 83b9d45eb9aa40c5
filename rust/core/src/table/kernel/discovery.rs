//! Kernel tables that are mirrored once they have a route.

use std::collections::BTreeSet;

use crate::route::Family;

use crate::table::Table;
use crate::table::kernel::discovered::{MirroredTable, NO_VPP_TABLE};
use crate::table::store::any_rib::AnyRib;

/// Up to this many ribs a linear search is faster than an index.
const MAX_LINEAR_SEARCH: usize = 8;

impl Table {
    #[inline]
    pub(in crate::table) fn rib_index(&self, family: Family, kernel_table: u32) -> Option<u16> {
        if self.ribs.len() > MAX_LINEAR_SEARCH {
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
        if !self.scope.discovery.includes(kernel_table) || !self.scope.families.contains(&family) {
            return None;
        }
        let Some(vpp_table) = self.vpp_table_for(kernel_table) else {
            self.discovered.left_out.insert(kernel_table);
            return None;
        };
        let index = u16::try_from(self.ribs.len()).ok()?;
        self.ribs.push(AnyRib::new(family, kernel_table, vpp_table));
        self.discovered.index.insert((family, kernel_table), index);
        self.table_mirrored(family, kernel_table, vpp_table);
        Some(index)
    }

    /// The VPP table of a kernel table; none if there is none that no other one uses.
    fn vpp_table_for(&mut self, kernel_table: u32) -> Option<u32> {
        let discovery = &self.scope.discovery;
        let Some(mut range) = discovery.free_for(kernel_table) else {
            return discovery.vpp_table(kernel_table).filter(|vpp_table| {
                let of_another =
                    |rib: &AnyRib| rib.vpp_table == *vpp_table && rib.kernel_table != kernel_table;
                !self.ribs.iter().any(of_another)
            });
        };
        let discovered = &mut self.discovered;
        if let Some(chosen) = discovered.chosen.get(&kernel_table) {
            return Some(*chosen);
        }
        let of_another = |rib: &&AnyRib| rib.kernel_table != kernel_table;
        let mapped = self.ribs.iter().filter(of_another).map(|rib| rib.vpp_table);
        let mut used: BTreeSet<u32> = mapped.collect();
        used.extend(discovery.map.values().chain(discovered.chosen.values()));
        let free =
            range.find(|number| !used.contains(number) && !discovered.others.contains(number))?;
        discovered.chosen.insert(kernel_table, free);
        Some(free)
    }

    /// Which tables VPP has: kernel and VPP table of those that are ours by name, and the others.
    /// So a kernel table keeps the free VPP table that an earlier run chose, and gets another where
    /// somebody else has taken it. Installed routes of tables that change have to be read again.
    pub fn set_vpp_tables(&mut self, ours: &[(u32, u32)], others: &[u32]) {
        let discovery = &self.scope.discovery;
        if discovery.free.is_none() {
            return;
        }
        let before = std::mem::take(&mut self.discovered.chosen);
        self.discovered.others = others.iter().copied().collect();
        let known = before.iter().map(|(kernel, vpp)| (*kernel, *vpp));
        for (kernel_table, vpp_table) in ours.iter().copied().chain(known) {
            let range = discovery.free_for(kernel_table);
            let discovered = &mut self.discovered;
            if discovery.includes(kernel_table)
                && range.is_some_and(|range| range.contains(&vpp_table))
                && !discovered.others.contains(&vpp_table)
                && !discovered.chosen.contains_key(&kernel_table)
                && !discovered.chosen.values().any(|used| *used == vpp_table)
            {
                discovered.chosen.insert(kernel_table, vpp_table);
            }
        }
        let ribs = self.ribs.iter().skip(self.discovered.named);
        let kernel_tables: BTreeSet<u32> = ribs.map(|rib| rib.kernel_table).collect();
        for kernel_table in kernel_tables {
            match self.vpp_table_for(kernel_table) {
                Some(_) => self.discovered.left_out.remove(&kernel_table),
                None => self.discovered.left_out.insert(kernel_table),
            };
        }
        self.renumber();
    }

    /// Gives the tables in free VPP tables the numbers that are chosen now.
    fn renumber(&mut self) {
        let mut changed = Vec::new();
        for rib in self.ribs.iter_mut().skip(self.discovered.named) {
            if self.scope.discovery.free_for(rib.kernel_table).is_none() {
                continue;
            }
            let chosen = self.discovered.chosen.get(&rib.kernel_table);
            let vpp_table = chosen.copied().unwrap_or(NO_VPP_TABLE);
            if rib.vpp_table != vpp_table {
                rib.vpp_table = vpp_table;
                changed.push((rib.family(), rib.kernel_table, vpp_table));
            }
        }
        for (family, kernel_table, vpp_table) in changed {
            self.table_mirrored(family, kernel_table, vpp_table);
        }
    }

    /// Records that VPP has a table of ours from an earlier run: its routes are adopted, and
    /// deleted where the kernel has none. False if its kernel table is not mirrored.
    pub fn discover_vpp_table(&mut self, family: Family, vpp_table: u32) -> bool {
        let chosen = self.discovered.chosen.iter();
        let mut chosen = chosen.filter(|(_, vpp)| **vpp == vpp_table);
        let kernel_table = match chosen.next() {
            Some((kernel_table, _)) => Some(*kernel_table),
            None => self.scope.discovery.kernel_table(vpp_table),
        };
        let Some(kernel_table) = kernel_table else {
            return false;
        };
        self.rib_index(family, kernel_table).is_some()
            || self.discover(family, kernel_table).is_some()
    }

    /// The VPP table of a kernel table; none if that is not mirrored.
    #[must_use]
    pub fn vpp_table_of(&self, table: u32, family: Family) -> Option<u32> {
        let rib = self.rib_index(family, table)?;
        Some(self.ribs.get(usize::from(rib))?.vpp_table)
    }

    /// All mirrored tables, the configured ones first.
    #[must_use]
    pub fn mirrored_tables(&self) -> Vec<MirroredTable> {
        let looked_up = self.resolver.looked_up();
        let in_use = |rib: &AnyRib| {
            let used = rib.in_use() || looked_up.contains(&(rib.family(), rib.vpp_table));
            used && rib.vpp_table != NO_VPP_TABLE
        };
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

    /// Kernel tables with routes that are not mirrored, because another one uses their VPP table,
    /// or none is free.
    pub fn unassigned_tables(&self) -> impl Iterator<Item = u32> {
        self.discovered.left_out.iter().copied()
    }
}
