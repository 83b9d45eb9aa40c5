//! Kernel tables that are mirrored once they have a route.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use crate::route::Family;

use crate::table::Table;
use crate::table::store::any_rib::AnyRib;

/// `RT_TABLE_LOCAL`: the kernel's own addresses, which are not forwarded.
const LOCAL: u32 = 255;

/// Invalid VPP table id.
const NO_VPP_TABLE: u32 = u32::MAX;

/// Up to this many ribs a linear search is faster than an index.
const FEW: usize = 8;

/// Which kernel tables to mirror once they have a route, and into which VPP tables.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    /// Ranges of kernel tables; `local` is never among them.
    pub tables: Vec<RangeInclusive<u32>>,
    /// VPP tables of some of them. The others use the VPP table with their own number.
    pub map: BTreeMap<u32, u32>,
}

impl Discovery {
    /// Whether discovery is configured.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.tables.is_empty()
    }

    fn takes(&self, kernel_table: u32) -> bool {
        kernel_table != LOCAL
            && self
                .tables
                .iter()
                .any(|range| range.contains(&kernel_table))
    }

    /// None if another kernel table is mapped to the VPP table with this number.
    fn vpp_table(&self, kernel_table: u32) -> Option<u32> {
        let own = || (!self.map.values().any(|vpp| *vpp == kernel_table)).then_some(kernel_table);
        let vpp_table = self.map.get(&kernel_table).copied().or_else(own)?;
        (vpp_table != NO_VPP_TABLE).then_some(vpp_table)
    }

    fn kernel_table(&self, vpp_table: u32) -> Option<u32> {
        let mapped = self.map.iter().find(|(_, vpp)| **vpp == vpp_table);
        match mapped {
            Some((kernel_table, _)) => Some(*kernel_table),
            None => (!self.map.contains_key(&vpp_table)).then_some(vpp_table),
        }
    }
}

/// A mirrored kernel table, in one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MirroredTable {
    /// The kernel's table id.
    pub kernel_table: u32,
    /// VPP's table id.
    pub vpp_table: u32,
    /// The family.
    pub family: Family,
    /// Whether it was discovered rather than configured.
    pub discovered: bool,
    /// Whether the kernel or VPP has routes in it.
    pub in_use: bool,
}

/// Discovered tables, and the rib of each table.
#[derive(Debug, Default)]
pub(in crate::table) struct Discovered {
    /// How many ribs are configured; the rest were discovered.
    named: usize,
    index: BTreeMap<(Family, u32), u16>,
    /// Kernel tables that cannot be mirrored, because another one uses their VPP table.
    left_out: BTreeSet<u32>,
}

impl Discovered {
    pub(in crate::table) fn new(ribs: &[AnyRib]) -> Self {
        let mut made = Self {
            named: ribs.len(),
            ..Self::default()
        };
        for (number, rib) in (0_u16..).zip(ribs) {
            made.index.insert((rib.family(), rib.kernel_table), number);
        }
        made
    }
}

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
        let ribs = self.ribs.iter().enumerate();
        ribs.map(|(index, rib)| MirroredTable {
            kernel_table: rib.kernel_table,
            vpp_table: rib.vpp_table,
            family: rib.family(),
            discovered: index >= self.discovered.named,
            in_use: rib.in_use(),
        })
        .collect()
    }

    /// Kernel tables with routes that are not mirrored, because another one uses their VPP table.
    pub fn tables_left_out(&self) -> impl Iterator<Item = u32> {
        self.discovered.left_out.iter().copied()
    }
}
