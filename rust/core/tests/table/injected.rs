//! Injected routes in addition to the kernel's.

use bgpreflector_core::route::Family;
use bgpreflector_core::table::{DumpScope, InsertMode, Table};

use super::support::{MIRRORED, World, hop, prefix, route};

fn resync(table: &mut Table, scope: DumpScope) {
    table.begin_resync(scope);
    table.announce(
        route(1, 0, MIRRORED, &hop("192.0.2.1", 1)),
        InsertMode::Dump,
    );
    table.end_resync(&Family::ALL);
}

fn has(table: &Table, number: u8) -> bool {
    !table.routes_of(254, &prefix(number)).is_empty()
}

/// The kernel has 1, 2 is injected, and 3 was removed from the kernel without a message.
fn world() -> World {
    let mut world = World::new();
    for number in [1, 3] {
        let route = route(number, 0, MIRRORED, &hop("192.0.2.1", 1));
        world.table.announce(route, InsertMode::Replace);
    }
    world
        .table
        .inject(route(2, 0, MIRRORED, &hop("192.0.2.2", 1)));
    world
}

#[test]
fn no_resync_takes_them_away_nor_finds_drift() {
    let mut world = world();
    for scope in [DumpScope::interface(1), DumpScope::Everything] {
        for _ in 0..300 {
            resync(&mut world.table, scope.clone());
        }
    }
    let here = [1, 2, 3].map(|number| has(&world.table, number));
    assert_eq!(here, [true, true, false]);
    resync(&mut world.table, DumpScope::Everything);
    assert_eq!(world.table.take_drift(10).total(), 0);
}

#[test]
fn they_go_when_they_are_withdrawn_or_forgotten() {
    let mut world = world();
    let injected = || route(2, 0, MIRRORED, &hop("192.0.2.2", 1));
    world.table.withdraw(injected());
    assert!(!has(&world.table, 2));
    resync(&mut world.table, DumpScope::Everything);

    world.table.inject(injected());
    // Now the kernel has it, and removes it without a message.
    world.table.announce(injected(), InsertMode::Replace);
    resync(&mut world.table, DumpScope::Everything);
    assert!(!has(&world.table, 2));

    world.table.inject(injected());
    world.table.forget_injected();
    resync(&mut world.table, DumpScope::Everything);
    assert!(!has(&world.table, 2));
    assert_eq!(world.table.anomalies().unknown_withdrawals, 0);
}

#[test]
fn another_route_of_the_prefix_is_swept_beside_them() {
    let mut world = world();
    let kernels = route(2, 5, MIRRORED, &hop("192.0.2.5", 1));
    world.table.announce(kernels, InsertMode::Replace);
    assert_eq!(world.table.routes_of(254, &prefix(2)).len(), 2);
    resync(&mut world.table, DumpScope::Everything);
    let left = world.table.routes_of(254, &prefix(2));
    assert_eq!(left.first().map(|view| view.metric), Some(0));
    assert_eq!(left.len(), 1);
}
