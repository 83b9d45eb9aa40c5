//! Deletions that wait until they are released, while everything else goes on.

use std::collections::BTreeMap;

use super::support::{all_unmapped, answer_all, route_of_24};
use bgpreflector_core::route::{Family, PathSet, Prefix};
use bgpreflector_core::table::{InsertMode, Scope, Table, Unmapped};

fn table() -> Table {
    let mut table = Table::new(Scope {
        tables: BTreeMap::from([(254, 0)]),
        ..Scope::default()
    });
    table.set_interfaces(all_unmapped(Unmapped::Interface(1)));
    table
}

fn installed(table: &Table) -> usize {
    Family::ALL.iter().map(|f| table.counts(*f).installed).sum()
}

fn withheld(table: &Table) -> (usize, usize) {
    let found = table.withheld_deletions();
    (found.total, found.held)
}

#[test]
fn what_goes_waits_and_what_comes_does_not() {
    let mut table = table();
    for number in 0..10 {
        table.announce(route_of_24(number, 2), InsertMode::Replace);
    }
    assert_eq!(answer_all(&mut table), (10, 0));
    table.withhold_deletions(Vec::new());
    for number in 0..4 {
        table.withdraw(route_of_24(number, 2));
    }
    table.announce(route_of_24(20, 2), InsertMode::Replace);
    assert_eq!(answer_all(&mut table), (1, 0));
    assert_eq!((table.dirty(), withheld(&table)), (0, (4, 0)));
    assert_eq!(installed(&table), 11);
    // One that comes back is not deleted later.
    table.announce(route_of_24(0, 2), InsertMode::Replace);
    assert_eq!(withheld(&table), (3, 0));
    table.release_deletions();
    assert_eq!(answer_all(&mut table), (0, 3));
    assert_eq!((installed(&table), withheld(&table)), (8, (0, 0)));
}

#[test]
fn routes_that_lose_their_interface_stay_and_are_told_apart() {
    let mut table = table();
    for number in 0..10 {
        table.announce(route_of_24(number, 2), InsertMode::Replace);
    }
    answer_all(&mut table);
    table.withhold_deletions(Vec::new());
    table.set_interfaces(all_unmapped(Unmapped::Wait));
    table.withdraw(route_of_24(9, 2));
    assert_eq!(answer_all(&mut table), (0, 0));
    assert_eq!(withheld(&table), (10, 9));
    assert_eq!(table.held_interfaces().get("interface 2"), Some(&9));
    table.set_interfaces(all_unmapped(Unmapped::Interface(1)));
    assert_eq!(withheld(&table), (1, 0));
    assert_eq!(installed(&table), 10);
}

#[test]
fn a_deletion_that_was_taken_before_waits_too() {
    let mut table = table();
    table.announce(route_of_24(1, 2), InsertMode::Replace);
    answer_all(&mut table);
    table.withdraw(route_of_24(1, 2));
    let taken = table.take_dirty(usize::MAX);
    assert_eq!(taken.deletes, 1);
    table.withhold_deletions(Vec::new());
    for handle in taken.handles {
        assert!(table.begin_request(handle).is_none());
    }
    assert_eq!(answer_all(&mut table), (0, 0));
    assert_eq!((table.dirty(), withheld(&table)), (0, (1, 0)));
}

#[test]
fn what_drops_anyway_is_deleted() {
    let mut table = table();
    table.announce(route_of_24(1, 2), InsertMode::Replace);
    answer_all(&mut table);
    table.withdraw(route_of_24(1, 2));
    table.withhold_deletions(vec![1]);
    assert_eq!(answer_all(&mut table), (0, 1));
}

#[test]
fn what_vpp_had_before_waits_once_the_kernel_is_known() {
    let mut table = table();
    let paths = PathSet::new(vec![super::support::path(2, 1)]);
    table.withhold_deletions(Vec::new());
    table.adopt(0, &Prefix::v4(7 << 8, 24), &paths, |_| false);
    assert_eq!(withheld(&table), (0, 0));
    table.confirm(&Family::ALL);
    assert_eq!(answer_all(&mut table), (0, 0));
    assert_eq!(withheld(&table), (1, 0));
    table.forget_installed();
    assert_eq!(withheld(&table), (0, 0));
    assert_eq!(table.dirty(), 0);
}
