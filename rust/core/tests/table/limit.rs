//! The prefix limit: which prefixes are admitted, which wait, and that no order of events exceeds
//! it.

use std::collections::BTreeMap;

use super::support::{all_unmapped, answer_all, route_of_24};
use bgpreflector_core::route::{Family, PathSet, Prefix};
use bgpreflector_core::table::{InsertMode, Limit, LimitAction, Scope, Table, Unmapped};
use proptest::prelude::*;

fn table_of(prefixes: usize, action: LimitAction) -> Table {
    let mut table = Table::new(Scope {
        tables: BTreeMap::from([(254, 0)]),
        limit: Some(Limit { prefixes, action }),
        ..Scope::default()
    });
    table.set_interfaces(all_unmapped(Unmapped::Interface(1)));
    table
}

fn desired(table: &Table) -> usize {
    Family::ALL.iter().map(|f| table.counts(*f).desired).sum()
}

fn installed(table: &Table) -> usize {
    Family::ALL.iter().map(|f| table.counts(*f).installed).sum()
}

#[test]
fn what_is_in_stays_in_and_is_kept_up_to_date() {
    let mut table = table_of(3, LimitAction::Refuse);
    for number in 0..10 {
        table.announce(route_of_24(number, 2), InsertMode::Replace);
    }
    answer_all(&mut table);
    assert_eq!((desired(&table), installed(&table)), (3, 3));
    assert_eq!(table.over_limit(), 7);
    assert_eq!(table.held_routes(), BTreeMap::from([("over_limit", 7)]));
    let change = table.take_limit_change().unwrap();
    assert!(change.exceeded);
    assert_eq!(change.prefixes, 10);
    assert_eq!(table.take_limit_change(), None);
    table.announce(route_of_24(0, 3), InsertMode::Replace);
    let taken = table.take_dirty(usize::MAX);
    assert_eq!(taken.replaces, 1);
    table.requeue(taken.handles);
    answer_all(&mut table);
    assert_eq!((desired(&table), table.over_limit()), (3, 7));
}

#[test]
fn those_that_wait_go_in_when_there_is_room() {
    let mut table = table_of(3, LimitAction::Refuse);
    for number in 0..10 {
        table.announce(route_of_24(number, 2), InsertMode::Replace);
    }
    answer_all(&mut table);
    table.withdraw(route_of_24(1, 2));
    answer_all(&mut table);
    assert_eq!((desired(&table), installed(&table)), (3, 3));
    assert_eq!(table.over_limit(), 6);
    for number in 0..10 {
        table.withdraw(route_of_24(number, 2));
    }
    answer_all(&mut table);
    assert_eq!((desired(&table), installed(&table)), (0, 0));
    assert_eq!(table.over_limit(), 0);
    assert!(
        table.take_limit_change().is_none(),
        "reported twice and over at once"
    );
}

#[test]
fn a_warning_keeps_nothing_out() {
    let mut table = table_of(20, LimitAction::Warn);
    for number in 0..30 {
        table.announce(route_of_24(number, 2), InsertMode::Replace);
    }
    answer_all(&mut table);
    assert_eq!((installed(&table), table.over_limit()), (30, 0));
    assert!(table.take_limit_change().unwrap().exceeded);
    for number in 20..30 {
        table.withdraw(route_of_24(number, 2));
        assert_eq!(
            table.take_limit_change(),
            None,
            "it is passed again too easily"
        );
    }
    table.withdraw(route_of_24(19, 2));
    assert!(!table.take_limit_change().unwrap().exceeded);
    assert!(!table.limit_exceeded());
}

#[test]
fn what_an_earlier_run_put_there_keeps_its_place() {
    let mut table = table_of(3, LimitAction::Refuse);
    let paths = PathSet::new(vec![super::support::path(2, 1)]);
    for number in 7..10 {
        assert!(table.adopt(0, &Prefix::v4(number << 8, 24), &paths, |_| true));
    }
    table.begin_resync(bgpreflector_core::table::DumpScope::Everything);
    for number in 0..10 {
        table.announce(route_of_24(number, 2), InsertMode::Dump);
    }
    table.end_resync(&Family::ALL);
    table.confirm(&Family::ALL);
    assert_eq!(table.dirty(), 0, "VPP forwards as before");
    assert_eq!((desired(&table), table.over_limit()), (3, 7));
}

#[test]
fn many_that_wait_go_in_one_by_one() {
    let mut table = table_of(1_000, LimitAction::Refuse);
    for number in 0..200_000 {
        table.announce(route_of_24(number, 2), InsertMode::Replace);
    }
    assert_eq!(table.over_limit(), 199_000);
    for number in 0..1_000 {
        table.withdraw(route_of_24(number, 2));
    }
    assert_eq!((desired(&table), table.over_limit()), (1_000, 198_000));
}

proptest! {
    /// For any sequence of changes and answers: the limit is never exceeded, no prefix waits while
    /// there is room, and none is lost.
    #[test]
    fn no_order_of_events_passes_the_limit(
        most in 1_usize..6,
        events in prop::collection::vec((0_u32..12, 0_u8..4), 1..200),
    ) {
        let mut table = table_of(most, LimitAction::Refuse);
        let mut held = std::collections::BTreeSet::new();
        for (number, event) in events {
            match event {
                0 | 1 => {
                    table.announce(route_of_24(number, 2 + event), InsertMode::Replace);
                    held.insert(number);
                }
                2 => {
                    for gateway in [2, 3] {
                        table.withdraw(route_of_24(number, gateway));
                    }
                    held.remove(&number);
                }
                _ => {
                    answer_all(&mut table);
                }
            }
            prop_assert!(desired(&table) <= most);
            prop_assert_eq!(desired(&table) + table.over_limit(), held.len());
            prop_assert_eq!(desired(&table), held.len().min(most));
        }
        answer_all(&mut table);
        prop_assert_eq!(installed(&table), held.len().min(most));
    }
}
