//! Which kernel tables are mirrored, and the rib of each.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use crate::route::Family;

use crate::table::store::any_rib::AnyRib;

/// `RT_TABLE_LOCAL`: the kernel's own addresses, which are not forwarded.
pub const LOCAL_TABLE: u32 = 255;

/// Invalid VPP table id.
pub(in crate::table) const NO_VPP_TABLE: u32 = u32::MAX;

/// Which kernel tables to mirror once they have a route, and into which VPP tables.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    /// Ranges of kernel tables; `local` is never among them.
    pub tables: Vec<RangeInclusive<u32>>,
    /// VPP tables of some of them.
    pub map: BTreeMap<u32, u32>,
    /// VPP tables of the others, the lowest free one for each. Without it they use the VPP table
    /// with their own number.
    pub free: Option<RangeInclusive<u32>>,
}

impl Discovery {
    /// Whether discovery is configured.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.tables.is_empty()
    }

    pub(in crate::table) fn includes(&self, kernel_table: u32) -> bool {
        kernel_table != LOCAL_TABLE
            && self
                .tables
                .iter()
                .any(|range| range.contains(&kernel_table))
    }

    /// The VPP tables to choose from for a kernel table that is mapped to none.
    pub(in crate::table) fn free_for(&self, kernel_table: u32) -> Option<RangeInclusive<u32>> {
        self.free
            .clone()
            .filter(|_| !self.map.contains_key(&kernel_table))
    }

    /// The VPP table of this number or of the map; none if another kernel table is mapped to it.
    pub(in crate::table) fn vpp_table(&self, kernel_table: u32) -> Option<u32> {
        let own = || (!self.map.values().any(|vpp| *vpp == kernel_table)).then_some(kernel_table);
        let vpp_table = self.map.get(&kernel_table).copied().or_else(own)?;
        (vpp_table != NO_VPP_TABLE).then_some(vpp_table)
    }

    /// The kernel table of this number or of the map; none if it may be of any.
    pub(in crate::table) fn kernel_table(&self, vpp_table: u32) -> Option<u32> {
        let mapped = self.map.iter().find(|(_, vpp)| **vpp == vpp_table);
        match mapped {
            Some((kernel_table, _)) => Some(*kernel_table),
            None => {
                (self.free.is_none() && !self.map.contains_key(&vpp_table)).then_some(vpp_table)
            }
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
    /// Whether the kernel or VPP has routes in it, or others of ours look packets up there.
    pub in_use: bool,
}

/// Discovered tables, and the rib of each table.
#[derive(Debug, Default)]
pub(in crate::table) struct Discovered {
    /// How many ribs are configured; the rest were discovered.
    pub(in crate::table) named: usize,
    pub(in crate::table) index: BTreeMap<(Family, u32), u16>,
    /// Kernel tables that cannot be mirrored, because another one uses their VPP table, or none is
    /// free.
    pub(in crate::table) left_out: BTreeSet<u32>,
    /// VPP tables that were free, by kernel table.
    pub(in crate::table) chosen: BTreeMap<u32, u32>,
    /// VPP tables that are not ours.
    pub(in crate::table) others: BTreeSet<u32>,
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
