//! Routes of one IPv6 prefix that are equal but for what VPP does not see, or in all: the kernel keeps
//! each, and a withdrawal takes one.

use bgpreflector_core::route::{
    Family, NextHop, NextHopSet, NextHopSource, Prefix, RTPROT_RA, Route, RouteKey, RouteType,
};
use bgpreflector_core::table::{DumpScope, InsertMode, NextHopObject, Table, Verify};

use super::support::{MIRRORED, World, hop};

fn route_of(protocol: u8, route_type: RouteType, next_hops: NextHopSource) -> Route {
    Route {
        key: RouteKey::new(254, Prefix::v6(0x2001_0db8 << 96, 48)),
        protocol,
        set: NextHopSet::new(Family::V6, route_type, next_hops),
    }
}

fn via(protocol: u8, next_hops: &[NextHop]) -> Route {
    let next_hops = NextHopSource::Inline(next_hops.iter().cloned().collect());
    route_of(protocol, RouteType::Unicast, next_hops)
}

/// A route by an object behind one that IPv6 replaces first.
fn behind_another() -> (Table, Route) {
    let mut table = World::new().table;
    table.next_hop(7, NextHopObject::Single(hop("fe80::2", 1)));
    let none = NextHopSource::Inline([].into_iter().collect());
    let unreachable = route_of(MIRRORED, RouteType::Unreachable, none);
    table.announce(unreachable, InsertMode::Append);
    let by_object = route_of(MIRRORED, RouteType::Unicast, NextHopSource::Object(7));
    table.announce(by_object.clone(), InsertMode::Append);
    (table, by_object)
}

fn kernel_routes(table: &Table) -> usize {
    table.counts(Family::V6).kernel
}

#[test]
fn a_replacement_by_what_follows_leaves_two_equal_routes() {
    let (mut table, by_object) = behind_another();
    table.announce(by_object.clone(), InsertMode::Replace);
    for scope in [DumpScope::Everything, DumpScope::interface(1)] {
        let shown = match scope {
            DumpScope::Everything => InsertMode::Dump,
            DumpScope::Interfaces(_) => InsertMode::PartialDump,
        };
        table.begin_resync(scope);
        table.announce(by_object.clone(), shown);
        table.announce(by_object.clone(), shown);
        table.end_resync(&Family::ALL);
        assert_eq!(kernel_routes(&table), 2);
    }
    table.withdraw(by_object.clone());
    assert_eq!(kernel_routes(&table), 1, "the other one stays");
    table.withdraw(by_object);
    assert_eq!(kernel_routes(&table), 0);
}

#[test]
fn a_route_whose_object_was_replaced_is_announced_in_its_place() {
    let (mut table, by_object) = behind_another();
    let verify = table.announce(by_object.clone(), InsertMode::ReplacedObject);
    assert_eq!(verify, Verify::OfEverything);
    table.withdraw(by_object);
    assert_eq!(kernel_routes(&table), 1, "the first one was not replaced");
}

/// A blackhole object that becomes another one changes its route's type.
#[test]
fn a_route_whose_object_became_another_type_keeps_its_place() {
    let (mut table, by_object) = behind_another();
    let none = NextHopSource::Inline([].into_iter().collect());
    let first = route_of(MIRRORED, RouteType::Unreachable, none);
    let blackhole = route_of(MIRRORED, RouteType::Blackhole, NextHopSource::Object(7));
    let verify = table.announce(blackhole.clone(), InsertMode::ReplacedObject);
    assert_eq!((verify, kernel_routes(&table)), (Verify::OfEverything, 2));
    table.withdraw(first);
    assert_eq!(kernel_routes(&table), 1, "the first one was not replaced");
    table.announce(by_object.clone(), InsertMode::ReplacedObject);
    table.withdraw(by_object);
    assert_eq!(kernel_routes(&table), 0);
}

#[test]
fn a_replacement_of_a_metric_without_routes_is_another_route() {
    let mut table = World::new().table;
    let low = via(MIRRORED, &[hop("fe80::2", 1)]);
    let mut high = low.clone();
    high.key.metric = 1024;
    table.announce(high, InsertMode::Append);
    table.announce(low, InsertMode::Replace);
    assert_eq!(kernel_routes(&table), 2);
}

/// A router advertisement's route is merged with no other one, though it leads to the same router.
#[test]
fn a_dump_shows_an_advertised_route_beside_its_equal() {
    let router = [hop("fe80::2", 1)];
    for (first, second) in [(MIRRORED, RTPROT_RA), (RTPROT_RA, MIRRORED)] {
        let mut table = World::new().table;
        table.begin_resync(DumpScope::Everything);
        table.announce(via(first, &router), InsertMode::Dump);
        table.announce(via(second, &router), InsertMode::Dump);
        table.end_resync(&Family::ALL);
        assert_eq!(kernel_routes(&table), 2, "{first} before {second}");
    }
}

/// Each dump of a resync shows all routes: what it shows changed takes the place of what the one before
/// showed.
#[test]
fn a_repeated_dump_shows_a_route_with_fewer_next_hops() {
    let both = [hop("fe80::2", 1), hop("fe80::3", 2)];
    let mut table = World::new().table;
    table.begin_resync(DumpScope::Everything);
    table.announce(via(MIRRORED, &both), InsertMode::Dump);
    table.repeat_dump();
    table.announce(via(MIRRORED, &both[..1]), InsertMode::Dump);
    table.end_resync(&Family::ALL);
    assert_eq!(kernel_routes(&table), 1);
}

#[test]
fn what_an_earlier_dump_of_the_resync_showed_counts_as_seen() {
    let mut table = World::new().table;
    table.begin_resync(DumpScope::Everything);
    table.announce(via(MIRRORED, &[hop("fe80::2", 1)]), InsertMode::Dump);
    table.repeat_dump();
    table.repeat_dump();
    table.end_resync(&Family::ALL);
    assert_eq!(kernel_routes(&table), 1);
    table.begin_resync(DumpScope::Everything);
    table.end_resync(&Family::ALL);
    assert_eq!(kernel_routes(&table), 0);
}
