//! Kernel tables that are mirrored once they have routes, and their removal.

use std::collections::BTreeMap;

use super::support::{FOREIGN, MIRRORED, all_unmapped, route, send_all};
use bgpreflector_core::route::{Family, NextHop, PathSet, Prefix, Route};
use bgpreflector_core::table::{Discovery, DumpScope, InsertMode, Scope, Table, Unmapped};

fn table(discovery: Discovery) -> Table {
    let mut table = Table::new(Scope {
        discovery,
        ..Scope::default()
    });
    table.set_interfaces(all_unmapped(Unmapped::Interface(1)));
    table
}

fn every() -> Discovery {
    Discovery {
        tables: vec![1..=u32::MAX],
        map: BTreeMap::from([(254, 0), (1000, 10)]),
        free: None,
    }
}

fn in_table(kernel_table: u32, number: u8, protocol: u8) -> Route {
    let mut made = route(number, 0, protocol, &NextHop::new(None, 2));
    made.key.table = kernel_table;
    made
}

fn announce(table: &mut Table, kernel_table: u32, number: u8) {
    table.announce(
        in_table(kernel_table, number, MIRRORED),
        InsertMode::Replace,
    );
}

/// Sends all that is dirty: the VPP table and prefix of each request.
fn send(table: &mut Table) -> Vec<(u32, Prefix)> {
    let sent = send_all(table).into_iter();
    let mut sent: Vec<_> = sent.map(|sent| (sent.vpp_table, sent.prefix)).collect();
    sent.sort_unstable();
    sent
}

fn discovered(table: &Table) -> Vec<(u32, u32, bool)> {
    let tables = table.mirrored_tables().into_iter();
    tables
        .filter(|t| t.discovered)
        .map(|t| (t.kernel_table, t.vpp_table, t.in_use))
        .collect()
}

#[test]
fn a_table_is_mirrored_from_its_first_route_on() {
    let mut table = table(every());
    assert_eq!(discovered(&table), []);
    for kernel_table in [254, 1000, 2000] {
        announce(&mut table, kernel_table, 1);
    }
    assert_eq!(discovered(&table), [(1000, 10, true), (2000, 2000, true)]);
    let vpp_tables: Vec<u32> = send(&mut table).iter().map(|sent| sent.0).collect();
    assert_eq!(vpp_tables, [0, 10, 2000]);
    assert_eq!(table.counts(Family::V4).installed, 3);
}

#[test]
fn what_is_not_named_is_not_mirrored() {
    let mut some = table(Discovery {
        tables: vec![1000..=1999],
        map: BTreeMap::new(),
        free: None,
    });
    let mut none = table(Discovery::default());
    for kernel_table in [253, 255, 999, 1000, 1999, 2000] {
        announce(&mut some, kernel_table, 1);
        announce(&mut none, kernel_table, 1);
    }
    assert_eq!(discovered(&some), [(1000, 1000, true), (1999, 1999, true)]);
    assert_eq!(discovered(&none), []);
    // The kernel's own addresses, whatever is named.
    let mut all = table(every());
    announce(&mut all, 255, 1);
    assert_eq!(discovered(&all), []);
}

#[test]
fn two_tables_never_go_into_one() {
    let mut table = table(every());
    announce(&mut table, 10, 1);
    announce(&mut table, 1000, 1);
    announce(&mut table, u32::MAX, 1);
    assert_eq!(discovered(&table), [(1000, 10, true)]);
    assert_eq!(
        table.unassigned_tables().collect::<Vec<_>>(),
        [10, u32::MAX]
    );
}

#[test]
fn a_table_that_goes_takes_its_routes_along() {
    let mut table = table(every());
    announce(&mut table, 1000, 1);
    announce(&mut table, 1000, 2);
    announce(&mut table, 254, 1);
    send(&mut table);
    // The kernel sends no message: a dump does not show them.
    table.begin_resync(DumpScope::Everything);
    announce(&mut table, 254, 1);
    table.end_resync(&[Family::V4]);
    assert_eq!(discovered(&table), [(1000, 10, true)], "VPP has them still");
    assert_eq!(send(&mut table).len(), 2);
    assert_eq!(discovered(&table), [(1000, 10, false)]);
    // The same table reappears.
    announce(&mut table, 1000, 7);
    assert_eq!(discovered(&table), [(1000, 10, true)]);
    assert_eq!(send(&mut table)[0].0, 10);
}

#[test]
fn routes_of_an_earlier_run_are_found_in_their_table() {
    let mut table = table(every());
    let prefix = in_table(1000, 3, MIRRORED).key.prefix;
    let old = PathSet::new(Vec::new());
    assert!(!table.adopt(10, &prefix, &old, |_| false), "not known yet");
    assert!(table.discover_vpp_table(Family::V4, 10));
    assert!(
        !table.discover_vpp_table(Family::V4, 1000),
        "1000 goes to 10"
    );
    assert!(table.adopt(10, &prefix, &old, |_| false));
    assert_eq!(discovered(&table), [(1000, 10, true)]);
    table.begin_resync(DumpScope::Everything);
    table.end_resync(&Family::ALL);
    table.confirm(&Family::ALL);
    assert_eq!(send(&mut table), [(10, prefix)]);
    assert_eq!(discovered(&table), [(1000, 10, false)]);
}

#[test]
fn many_tables_are_told_apart() {
    let mut table = table(every());
    for kernel_table in 2000..2100 {
        announce(&mut table, kernel_table, 1);
    }
    table.announce(in_table(2050, 1, FOREIGN), InsertMode::Replace);
    assert_eq!(table.counts(Family::V4).desired, 99);
    for kernel_table in 2000..2100 {
        let sent = table.counts_by_table();
        let of = |(number, family, _): &&(u32, Family, _)| {
            (*number, *family) == (kernel_table, Family::V4)
        };
        assert_eq!(sent.iter().find(of).unwrap().2.kernel, 1);
    }
}

fn free(range: std::ops::RangeInclusive<u32>) -> Table {
    table(Discovery {
        free: Some(range),
        ..every()
    })
}

#[test]
fn each_table_gets_a_free_one_that_both_families_share() {
    let mut table = free(50..=52);
    table.set_vpp_tables(&[], &[51]);
    for kernel_table in [3000, 1000, 2000] {
        announce(&mut table, kernel_table, 1);
    }
    let expected = [(3000, 50, true), (1000, 10, true), (2000, 52, true)];
    assert_eq!(discovered(&table), expected);
    let mut v6 = in_table(3000, 1, MIRRORED);
    v6.key.prefix = Prefix::new("2001:db8::".parse().unwrap(), 48).unwrap();
    v6.set.family = Family::V6;
    table.announce(v6, InsertMode::Replace);
    assert_eq!(discovered(&table)[3], (3000, 50, true));
    announce(&mut table, 4000, 1);
    assert_eq!(table.unassigned_tables().collect::<Vec<_>>(), [4000]);
}

#[test]
fn a_choice_outlives_the_run_in_the_name_of_its_table() {
    let mut table = free(50..=59);
    // Seen before VPP is: these numbers are not yet anywhere.
    for kernel_table in [2000, 3000, 4000] {
        announce(&mut table, kernel_table, 1);
    }
    let numbers = |table: &Table| discovered(table).iter().map(|t| t.1).collect::<Vec<_>>();
    assert_eq!(numbers(&table), [50, 51, 52]);
    // 3000 had 50, 5000 is gone; 52 is somebody else's.
    table.set_vpp_tables(&[(3000, 50), (5000, 51)], &[0, 52]);
    let found = numbers(&table);
    assert_eq!(found[1], 50);
    assert!(
        found
            .iter()
            .all(|vpp| (53..=59).contains(vpp) || *vpp == 50),
        "{found:?}"
    );
    assert!(found[0] != found[2]);
    assert!(
        table.discover_vpp_table(Family::V4, 51),
        "its routes are found and deleted"
    );
    assert_eq!(discovered(&table)[3], (5000, 51, false));
    // One with our name of another scheme is not taken for that of a kernel table.
    assert!(!table.discover_vpp_table(Family::V4, 2000));
    table.set_vpp_tables(&[(3000, 50), (5000, 51)], &[0, 52]);
    assert_eq!(numbers(&table)[..3], found, "nothing has changed");
    let sent: Vec<u32> = send(&mut table).iter().map(|sent| sent.0).collect();
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|vpp| found.contains(vpp)));
}

#[test]
fn one_whose_number_is_taken_and_no_other_is_free_is_not_in_use() {
    let mut table = free(50..=50);
    announce(&mut table, 2000, 1);
    assert_eq!(discovered(&table), [(2000, 50, true)]);
    table.set_vpp_tables(&[], &[50]);
    assert_eq!(discovered(&table), [(2000, u32::MAX, false)]);
    assert_eq!(table.unassigned_tables().collect::<Vec<_>>(), [2000]);
    table.set_vpp_tables(&[], &[]);
    announce(&mut table, 2000, 2);
    assert_eq!(discovered(&table), [(2000, 50, true)], "it is free again");
}
