//! Routes that the kernel changes without a message, and a dump of them that runs beside
//! withdrawals.
#![allow(clippy::indexing_slicing, reason = "a test may fail loudly")]

mod table_support;

use bgpreflector_core::route::{
    Family, NextHopSet, NextHopSource, Prefix, Route, RouteKey, RouteType,
};
use bgpreflector_core::table::{DumpScope, InsertMode, Table};

use table_support::{MIRRORED, World, hop};

/// A route of two legs, through the interfaces 1 and 2.
fn two_legs(family: Family) -> Route {
    let (prefix, gateways) = match family {
        Family::V4 => (Prefix::v4(0x0a00_0100, 24), ["192.0.2.1", "198.51.100.1"]),
        Family::V6 => (
            Prefix::v6(0x2001_0db8 << 96, 48),
            ["2001:db8:1::1", "2001:db8:2::1"],
        ),
    };
    let legs = [hop(gateways[0], 1), hop(gateways[1], 2)];
    Route {
        key: RouteKey::new(254, prefix),
        protocol: MIRRORED,
        set: NextHopSet::new(
            family,
            RouteType::Unicast,
            NextHopSource::Inline(legs.into_iter().collect()),
        ),
    }
}

/// The same with a dead first leg.
fn dead(mut route: Route) -> Route {
    if let NextHopSource::Inline(legs) = &mut route.set.next_hops {
        legs[0].dead = true;
    }
    route
}

/// A blackhole by object 7, which changes with the object.
fn by_object(route_type: RouteType) -> Route {
    let mut route = two_legs(Family::V4);
    route.set = NextHopSet::new(Family::V4, route_type, NextHopSource::Object(7));
    route
}

fn kernel_routes(table: &Table) -> usize {
    let of = |family: Family| table.counts(family).kernel;
    Family::ALL.into_iter().map(of).sum()
}

/// What the kernel has before and after a change without a message.
fn changes() -> Vec<(Route, Route)> {
    let legs = Family::ALL.map(|family| (two_legs(family), dead(two_legs(family))));
    let blackhole = by_object(RouteType::Blackhole);
    let object = (by_object(RouteType::Unicast), blackhole);
    legs.into_iter().chain([object]).collect()
}

#[test]
fn a_withdrawal_during_a_dump_that_shows_a_silent_change_leaves_no_ghost() {
    for (before, after) in changes() {
        for (scope, shown) in [
            (DumpScope::Everything, InsertMode::Dump),
            (DumpScope::interface(1), InsertMode::PartialDump),
        ] {
            let mut table = World::new().table;
            table.announce(before.clone(), InsertMode::Replace);
            table.begin_resync(scope);
            table.announce(after.clone(), shown);
            table.withdraw(after.clone());
            table.end_resync(&Family::ALL);
            assert_eq!(kernel_routes(&table), 0, "{after:?}");
            assert_eq!(table.anomalies().unknown_withdrawals, 0);
        }
    }
}

#[test]
fn a_partial_dump_shows_the_place_of_a_route_that_changed_in_silence() {
    for (before, after) in changes() {
        let mut table = World::new().table;
        table.announce(before, InsertMode::Replace);
        table.begin_resync(DumpScope::interface(1));
        table.announce(after.clone(), InsertMode::PartialDump);
        assert_eq!(kernel_routes(&table), 1);
        let ended = table.end_resync(&Family::ALL);
        assert_eq!((ended.removed, ended.uncertain), (0, 0));
        let left = table.routes_of(after.key.table, &after.key.prefix);
        assert_eq!(left.len(), 1);
    }
}

/// With `skip_notify_on_dev_down` the kernel says of a deleted interface alone that it is gone, and
/// not which next hops went with it. A dump of its routes shows nothing of what is left of them.
#[test]
fn a_dump_of_a_deleted_interface_does_not_remove_what_has_another_next_hop() {
    let mut table = World::new().table;
    let route = two_legs(Family::V6);
    table.announce(route.clone(), InsertMode::Replace);
    table.remove_link(1);
    table.begin_resync(DumpScope::interface(1));
    assert!(table.note_unseen_legs());
    table.end_resync(&Family::ALL);
    assert_eq!(kernel_routes(&table), 1, "a dump of everything will tell");
    table.begin_resync(DumpScope::Everything);
    assert!(!table.note_unseen_legs());
    table.end_resync(&Family::ALL);
    assert_eq!(kernel_routes(&table), 0);
}
