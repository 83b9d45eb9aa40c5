//! Counts per kernel table.

use crate::route::Family;

use crate::table::Table;
use crate::table::query::counts::Counts;
use crate::table::resolve::substitutes::SUBSTITUTED;
use crate::table::store::any_rib::AnyRib;
use crate::table::store::entry::flag;

impl Table {
    /// Counts by kernel table and family. A family with more than one table needs a walk over all
    /// of them: [`Self::counts`] are kept only by family.
    #[must_use]
    pub fn counts_by_table(&self) -> Vec<(u32, Family, Counts)> {
        let alone = |rib: &AnyRib| {
            let same = self.ribs.iter().filter(|r| r.family() == rib.family());
            same.count() == 1
        };
        let counted = |rib: &AnyRib| {
            let counts = if alone(rib) {
                self.counts(rib.family())
            } else {
                count(rib)
            };
            (rib.kernel_table, rib.family(), counts)
        };
        self.ribs.iter().map(counted).collect()
    }
}

fn count(rib: &AnyRib) -> Counts {
    let mut counts = Counts::default();
    for slot in 0..rib.slots() {
        let Some(entry) = rib.entry(slot) else {
            continue;
        };
        counts.kernel += rib.routes(slot).len();
        counts.desired += usize::from(entry.has(flag::DESIRED));
        counts.installed += usize::from(!entry.installed.is_none());
        counts.held += usize::from(entry.has(flag::HELD));
        counts.substituted += usize::from(entry.flags & SUBSTITUTED == SUBSTITUTED);
        counts.rejected += usize::from(entry.has(flag::REJECTED));
        counts.unconfirmed += usize::from(entry.has(flag::UNCONFIRMED));
    }
    counts
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use smallvec::smallvec;

    use super::*;
    use crate::route::{NextHop, NextHopSet, NextHopSource, Prefix, Route, RouteKey, RouteType};
    use crate::table::{InsertMode, Interfaces, Protocols, Scope, Unmapped};

    fn table_of(tables: &[u32]) -> Table {
        let mut table = Table::new(Scope {
            protocols: Protocols::from_iter([12]),
            tables: tables.iter().map(|t| (*t, *t)).collect::<BTreeMap<_, _>>(),
            families: Family::ALL.to_vec(),
            ..Scope::default()
        });
        table.set_interfaces(Interfaces {
            unmapped: Unmapped::Interface(1),
            ..Interfaces::default()
        });
        table
    }

    fn announce(table: &mut Table, kernel_table: u32, number: u32, protocol: u8, metric: u32) {
        let key = RouteKey {
            table: kernel_table,
            prefix: Prefix::v4(number << 8, 24),
            tos: 0,
            metric,
        };
        let set = NextHopSet::new(
            Family::V4,
            RouteType::Unicast,
            NextHopSource::Inline(smallvec![NextHop::new(None, 2)]),
        );
        let route = Route { key, protocol, set };
        table.announce(route, InsertMode::Replace);
    }

    /// Installs all that is dirty except the first, which is refused.
    fn answer(table: &mut Table) {
        let mut outcome = Err(-1);
        for handle in table.take_dirty(usize::MAX).handles {
            let request = table.begin_request(handle).unwrap();
            table.acknowledge(&request, outcome);
            outcome = Ok(());
        }
    }

    #[test]
    fn the_walk_finds_what_is_kept_by_family() {
        for tables in [&[254][..], &[254, 100]] {
            let mut table = table_of(tables);
            for number in 0..10 {
                announce(&mut table, 254, number, 12, 1);
                announce(&mut table, 254, number, 12, 2);
                announce(&mut table, 100, number, 12, 1);
            }
            announce(&mut table, 100, 3, 2, 0);
            answer(&mut table);
            let all = table.counts_by_table();
            let of = |kernel_table| {
                let found = all
                    .iter()
                    .find(|(t, f, _)| (*t, *f) == (kernel_table, Family::V4));
                found.map(|(_, _, counts)| *counts)
            };
            let main = of(254).unwrap();
            assert_eq!((main.kernel, main.desired, main.installed), (20, 10, 9));
            assert_eq!((main.rejected, main.held), (1, 0));
            let other = of(100).map(|counts| (counts.kernel, counts.desired, counts.installed));
            assert_eq!(other, (tables.len() == 2).then_some((11, 9, 9)));
            let whole = table.counts(Family::V4);
            let sum = |figure: fn(&Counts) -> usize| all.iter().map(|(_, _, c)| figure(c)).sum();
            assert_eq!(whole.kernel, sum(|c| c.kernel));
            assert_eq!(whole.desired, sum(|c| c.desired));
            assert_eq!(whole.installed, sum(|c| c.installed));
            assert_eq!(whole.rejected, sum(|c| c.rejected));
            assert_eq!(all.len(), tables.len() * 2);
        }
    }
}
