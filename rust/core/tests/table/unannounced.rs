//! Routes that the kernel changes without a message, and a dump of them that runs beside
//! withdrawals.

use bgpreflector_core::route::{Family, NextHopSet, NextHopSource, Prefix, Route, RouteType};
use bgpreflector_core::table::{DumpScope, InsertMode, Table, Verify};

use super::support::{FOREIGN, MIRRORED, World, hop, route_by};

/// A route of two next hops, through the interfaces 1 and 2.
fn two_next_hops(family: Family) -> Route {
    let (prefix, gateways) = match family {
        Family::V4 => (Prefix::v4(0x0a00_0100, 24), ["192.0.2.1", "198.51.100.1"]),
        Family::V6 => (
            Prefix::v6(0x2001_0db8 << 96, 48),
            ["2001:db8:1::1", "2001:db8:2::1"],
        ),
    };
    route_by(prefix, [hop(gateways[0], 1), hop(gateways[1], 2)])
}

/// The same with a dead first next hop.
fn dead(mut route: Route) -> Route {
    if let NextHopSource::Inline(next_hops) = &mut route.set.next_hops {
        next_hops[0].dead = true;
    }
    route
}

/// A blackhole by object 7, which changes with the object.
fn by_object(route_type: RouteType) -> Route {
    let mut route = two_next_hops(Family::V4);
    route.set = NextHopSet::new(Family::V4, route_type, NextHopSource::Object(7));
    route
}

fn kernel_routes(table: &Table) -> usize {
    let of = |family: Family| table.counts(family).kernel;
    Family::ALL.into_iter().map(of).sum()
}

/// What the kernel has before and after a change without a message.
fn changes() -> Vec<(Route, Route)> {
    let next_hops = Family::ALL.map(|family| (two_next_hops(family), dead(two_next_hops(family))));
    let blackhole = by_object(RouteType::Blackhole);
    let object = (by_object(RouteType::Unicast), blackhole);
    next_hops.into_iter().chain([object]).collect()
}

#[test]
fn a_withdrawal_during_a_dump_that_shows_a_silent_change_leaves_no_stale_route() {
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
fn a_partial_dump_shows_the_place_of_a_route_that_changed_without_a_message() {
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
    let route = two_next_hops(Family::V6);
    table.announce(route.clone(), InsertMode::Replace);
    table.remove_link(1);
    table.begin_resync(DumpScope::interface(1));
    assert!(table.note_unseen_next_hops());
    table.end_resync(&Family::ALL);
    assert_eq!(kernel_routes(&table), 1, "a dump of everything will tell");
    table.begin_resync(DumpScope::Everything);
    assert!(!table.note_unseen_next_hops());
    table.end_resync(&Family::ALL);
    assert_eq!(kernel_routes(&table), 0);
}

/// A dump of an IPv6 multipath route does not show what stands between its next hops, which a route
/// that the kernel cannot merge replaces first (`fib6_add_rt2node`).
#[test]
fn a_replacement_of_a_multipath_route_may_be_of_what_that_hid() {
    let replaced = |family: Family, by: fn(&mut NextHopSet)| {
        let mut table = World::new().table;
        let mut route = two_next_hops(family);
        table.announce(route.clone(), InsertMode::Dump);
        by(&mut route.set);
        table.announce(route, InsertMode::Replace)
    };
    let prohibit = |set: &mut NextHopSet| {
        set.route_type = RouteType::Prohibit;
        set.next_hops = NextHopSource::Inline([].into_iter().collect());
    };
    let one_next_hop = |set: &mut NextHopSet| {
        if let NextHopSource::Inline(next_hops) = &mut set.next_hops {
            next_hops.truncate(1);
        }
    };
    assert_eq!(replaced(Family::V6, prohibit), Verify::OfEverything);
    assert_eq!(replaced(Family::V6, one_next_hop), Verify::Nothing);
    assert_eq!(replaced(Family::V4, prohibit), Verify::Nothing);
}

#[test]
fn what_concerns_no_mirrored_route_is_no_drift() {
    for (protocol, drift) in [(MIRRORED, 1), (FOREIGN, 0)] {
        let mut table = World::new().table;
        let mut route = two_next_hops(Family::V4);
        route.protocol = protocol;
        let drifted = |table: &mut Table, shown: &[&Route]| {
            table.begin_resync(DumpScope::Everything);
            for route in shown {
                table.announce((*route).clone(), InsertMode::Dump);
            }
            table.end_resync(&Family::ALL);
            table.take_drift(1).total()
        };
        assert_eq!(drifted(&mut table, &[&route]), drift, "missing");
        let changed = dead(route.clone());
        assert_eq!(drifted(&mut table, &[&changed]), drift, "different");
        assert_eq!(drifted(&mut table, &[]), drift, "stale");
        assert_eq!(kernel_routes(&table), 0);
    }
}

/// A dump does not show what is between merged next hops (`fib6_dump_node`): such routes stay, but for
/// those of a kernel that another one has taken the place of.
#[test]
fn what_a_multipath_route_hides_goes_with_its_kernel() {
    let mut table = World::new().table;
    let multipath = two_next_hops(Family::V6);
    let unreachable = |protocol, route_type| Route {
        protocol,
        set: NextHopSet::new(
            Family::V6,
            route_type,
            NextHopSource::Inline([].into_iter().collect()),
        ),
        ..multipath.clone()
    };
    let before = unreachable(FOREIGN, RouteType::Prohibit);
    let after = unreachable(FOREIGN, RouteType::Blackhole);
    let dump = |table: &mut Table, families: &[Family]| {
        table.begin_resync(DumpScope::Everything);
        table.announce(multipath.clone(), InsertMode::Dump);
        table.end_resync(families);
        kernel_routes(table)
    };
    table.announce(before, InsertMode::Append);
    assert_eq!(dump(&mut table, &Family::ALL), 2, "it may be hidden");
    table.kernel_replaced();
    table.announce(after, InsertMode::Append);
    assert_eq!(dump(&mut table, &[Family::V4]), 3, "IPv6 was not dumped");
    assert_eq!(
        dump(&mut table, &Family::ALL),
        2,
        "the new kernel's may be hidden"
    );
    assert_eq!(dump(&mut table, &Family::ALL), 2);
}
