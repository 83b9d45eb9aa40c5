//! Dumps against notifications, and what a resync removes.

use bgpreflector_core::route::Family;
use bgpreflector_core::table::{Drift, DumpScope, InsertMode};

use super::support::{MIRRORED, World, hop, prefix, route};

#[test]
fn a_dump_that_is_older_than_a_notification_does_not_win() {
    let mut world = World::new();
    let old = route(1, 0, MIRRORED, &hop("192.0.2.1", 1));
    world.table.announce(old.clone(), InsertMode::Replace);
    world.table.begin_resync(DumpScope::Everything);
    world.table.withdraw(old.clone());
    world.table.announce(old, InsertMode::Dump);
    let swept = world.table.end_resync(&[Family::V4]);
    assert_eq!((swept.removed, swept.uncertain), (0, 0));
    world.sync();
    assert!(world.vpp.is_empty());
}

#[test]
fn a_notification_about_one_route_of_a_key_does_not_hide_the_others_from_a_dump() {
    let mut world = World::new();
    let routes = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
        .map(|gateway| route(1, 0, MIRRORED, &hop(gateway, 1)));
    let [first, second, third] = &routes;
    world.table.announce(first.clone(), InsertMode::Replace);
    world.table.announce(second.clone(), InsertMode::Append);
    world.sync();
    world.table.begin_resync(DumpScope::Everything);
    world.table.announce(third.clone(), InsertMode::Append);
    for shown in routes.clone() {
        world.table.announce(shown, InsertMode::Dump);
    }
    assert_eq!(world.table.end_resync(&Family::ALL).removed, 0);
    assert_eq!(world.table.take_drift(10).total(), 0);
    world.sync();
    assert_eq!(world.in_vpp()[&prefix(1)].1, "192.0.2.1".parse().ok());
    assert_eq!(world.table.counts(Family::V4).kernel, 3);
}

#[test]
fn a_dump_that_contradicts_a_notification_is_uncertain() {
    let mut world = World::new();
    world.table.begin_resync(DumpScope::Everything);
    world
        .table
        .withdraw(route(1, 0, MIRRORED, &hop("192.0.2.1", 1)));
    world.table.announce(
        route(1, 0, MIRRORED, &hop("192.0.2.2", 1)),
        InsertMode::Dump,
    );
    assert_eq!(world.table.end_resync(&[Family::V4]).uncertain, 1);
}

#[test]
fn what_is_left_over_from_a_loss_does_not_hide_that_the_route_came_back() {
    let mut world = World::new();
    let [first, other] =
        ["192.0.2.1", "192.0.2.2"].map(|gateway| route(1, 0, MIRRORED, &hop(gateway, 1)));
    world.table.announce(first.clone(), InsertMode::Replace);
    world.sync();
    // The kernel dropped the replacement's notification, and keeps dropping: nothing is swept.
    world.table.begin_resync(DumpScope::Everything);
    world.table.announce(other.clone(), InsertMode::Dump);
    world.table.end_resync(&[]);
    world.table.begin_resync(DumpScope::Everything);
    world.table.announce(other, InsertMode::Dump);
    world.table.announce(first.clone(), InsertMode::Replace);
    world.table.end_resync(&Family::ALL);
    world.sync();
    assert_eq!(world.in_vpp()[&prefix(1)].1, "192.0.2.1".parse().ok());
    assert_eq!(world.table.counts(Family::V4).kernel, 1);
    world.table.begin_resync(DumpScope::Everything);
    world.table.announce(first, InsertMode::Dump);
    assert_eq!(world.table.end_resync(&Family::ALL).removed, 0);
    assert_eq!(world.table.take_drift(10).total(), 0);
}

#[test]
fn a_family_that_is_not_named_is_not_swept() {
    let mut world = World::new();
    world.table.announce(
        route(1, 0, MIRRORED, &hop("192.0.2.1", 1)),
        InsertMode::Replace,
    );
    world.table.begin_resync(DumpScope::Everything);
    assert_eq!(world.table.end_resync(&[Family::V6]).removed, 0);
    world.table.begin_resync(DumpScope::Everything);
    assert_eq!(world.table.end_resync(&[Family::V4]).removed, 1);
}

#[test]
fn a_resync_of_one_interface_leaves_the_others_alone() {
    let mut world = World::new();
    for (number, interface) in [(1, 1), (2, 1), (3, 2)] {
        let hop = hop("192.0.2.1", interface);
        world
            .table
            .announce(route(number, 0, MIRRORED, &hop), InsertMode::Replace);
    }
    world.table.begin_resync(DumpScope::interface(1));
    world.table.announce(
        route(1, 0, MIRRORED, &hop("192.0.2.1", 1)),
        InsertMode::PartialDump,
    );
    let swept = world.table.end_resync(&Family::ALL);
    assert_eq!((swept.removed, swept.uncertain), (1, 0));
    let drift = world.table.take_drift(10);
    assert_eq!(drift.examples, [(254, prefix(2), Drift::Stale)]);
    assert_eq!(world.table.take_drift(10).total(), 0, "reported once");
    assert_eq!(world.table.counts(Family::V4).kernel, 2);
}

#[test]
fn what_a_notification_explains_is_no_drift() {
    let mut world = World::new();
    let known = route(1, 0, MIRRORED, &hop("192.0.2.1", 1));
    let other = route(1, 0, MIRRORED, &hop("192.0.2.2", 1));
    let new = route(2, 0, MIRRORED, &hop("192.0.2.1", 1));
    world.table.announce(known, InsertMode::Replace);
    world.table.begin_resync(DumpScope::Everything);
    world.table.announce(other.clone(), InsertMode::Dump);
    world.table.announce(new.clone(), InsertMode::Dump);
    world.table.announce(new, InsertMode::Replace);
    world.table.end_resync(&Family::ALL);
    let drift = world.table.take_drift(10);
    assert_eq!(drift.examples, [(254, prefix(1), Drift::Different)]);
    assert_eq!(drift.counts, [0, 1, 0]);
}

#[test]
fn an_order_that_only_a_dump_tells_reaches_vpp() {
    let mut world = World::new();
    let first = route(1, 0, MIRRORED, &hop("192.0.2.1", 1));
    let second = route(1, 0, MIRRORED, &hop("192.0.2.2", 1));
    world.table.announce(first.clone(), InsertMode::Append);
    world.table.announce(second.clone(), InsertMode::Append);
    world.sync();
    world.table.begin_resync(DumpScope::Everything);
    world.table.announce(second, InsertMode::Dump);
    world.table.announce(first, InsertMode::Dump);
    world.table.end_resync(&Family::ALL);
    world.sync();
    let gateway = world.in_vpp()[&prefix(1)].1;
    assert_eq!(gateway, "192.0.2.2".parse().ok());
}
