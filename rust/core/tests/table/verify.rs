//! Which links and next-hop objects leave routes uncertain: those that a mirrored route depends on.

use bgpreflector_core::route::{Family, NextHopSource, Route, RouteType};
use bgpreflector_core::table::{DumpScope, InsertMode, NextHopObject, Table, Verify};

use super::support::{FOREIGN, MIRRORED, World, hop, link, name, route};

fn announce(table: &mut Table, number: u8, protocol: u8, interface: u32) -> Route {
    let new = route(number, 0, protocol, &hop("192.0.2.1", interface));
    table.announce(new.clone(), InsertMode::Append);
    new
}

fn by_object(number: u8, protocol: u8, id: u32) -> Route {
    let mut new = route(number, 0, protocol, &hop("192.0.2.1", 1));
    new.set.next_hops = NextHopSource::Object(id);
    new
}

fn down(table: &mut Table, index: u32) -> Verify {
    let verify = table.verify_link(index);
    table.link(index, link(name(index), false));
    verify
}

#[test]
fn a_link_that_no_route_of_ours_uses_leaves_nothing_uncertain() {
    let mut table = World::new().table;
    announce(&mut table, 1, MIRRORED, 1);
    // Like the kernel's route for each interface address.
    let connected = announce(&mut table, 2, FOREIGN, 2);
    assert_eq!(table.verify_link(1), Verify::OfInterface(1));
    assert_eq!(table.verify_link(2), Verify::Nothing);
    assert_eq!(table.verify_link(77), Verify::Nothing);
    // A mirrored route through it is added and removed.
    let ours = announce(&mut table, 3, MIRRORED, 2);
    assert_eq!(table.verify_link(2), Verify::OfInterface(2));
    table.withdraw(ours);
    assert_eq!(table.verify_link(2), Verify::Nothing);
    table.withdraw(connected);
    assert_eq!(table.verify_link(2), Verify::Nothing);
}

#[test]
fn a_foreign_route_beside_ours_counts_as_ours() {
    let mut table = World::new().table;
    announce(&mut table, 1, FOREIGN, 2);
    let ours = announce(&mut table, 1, MIRRORED, 1);
    // If it is removed, ours forwards.
    assert_eq!(table.verify_link(2), Verify::OfInterface(2));
    table.withdraw(ours);
    assert_eq!(table.verify_link(2), Verify::Nothing);
}

#[test]
fn what_another_protocol_replaces_is_counted_once() {
    let mut table = World::new().table;
    let new = |protocol| route(1, 0, protocol, &hop("192.0.2.1", 2));
    for protocol in [FOREIGN, MIRRORED, FOREIGN, FOREIGN] {
        table.announce(new(protocol), InsertMode::Replace);
        let expected = match protocol {
            MIRRORED => Verify::OfInterface(2),
            _ => Verify::Nothing,
        };
        assert_eq!(table.verify_link(2), expected);
    }
    table.withdraw(new(FOREIGN));
    table.announce(new(MIRRORED), InsertMode::Append);
    assert_eq!(table.verify_link(2), Verify::OfInterface(2));
}

#[test]
fn the_routes_that_go_with_a_link_are_asked_for_first() {
    let mut table = World::new().table;
    announce(&mut table, 1, MIRRORED, 1);
    assert_eq!(down(&mut table, 1), Verify::OfInterface(1));
    assert_eq!(table.verify_link(1), Verify::Nothing, "they are gone");
}

/// Merged IPv6 routes are at the place of the first of them; once that is gone, only a complete
/// dump shows the places of the others.
#[test]
fn the_order_beside_merged_routes_is_asked_of_a_dump_of_everything() {
    let mut table = World::new().table;
    let mut merged = route(1, 0, MIRRORED, &hop("fd00::2", 1));
    merged.key.prefix = "2001:db8::/48".parse().unwrap();
    merged.set.family = Family::V6;
    let hops = [hop("fd00::2", 1), hop("fd00:9::2", 2)];
    merged.set.next_hops = NextHopSource::Inline(hops.into_iter().collect());
    table.announce(merged.clone(), InsertMode::Append);
    assert_eq!(table.verify_link(1), Verify::OfInterface(1), "it is alone");
    let mut other = merged.clone();
    other.set.route_type = RouteType::Blackhole;
    other.set.next_hops = NextHopSource::Inline([].into_iter().collect());
    table.announce(other.clone(), InsertMode::Append);
    assert_eq!(table.verify_link(1), Verify::OfEverything);
    table.withdraw(other);
    assert_eq!(table.verify_link(1), Verify::OfInterface(1));
}

#[test]
fn objects_that_no_route_of_ours_uses_leave_nothing_uncertain() {
    let mut table = World::new().table;
    for id in [1, 2, 3] {
        let single = NextHopObject::Single(hop("192.0.2.1", 1));
        table.next_hop(id, single);
    }
    table.next_hop(9, NextHopObject::Group(vec![(1, 1)]));
    table.announce(by_object(1, MIRRORED, 9), InsertMode::Append);
    table.announce(by_object(2, FOREIGN, 2), InsertMode::Append);
    let unverified = [1, 9, 2, 3, 77].map(|id| table.verify_next_hop(id));
    let everything = Verify::OfEverything;
    let nothing = Verify::Nothing;
    assert_eq!(
        unverified,
        [everything, everything, nothing, nothing, nothing]
    );
}

#[test]
fn what_a_dump_shows_after_it_was_gone_is_looked_at_again() {
    let mut table = World::new().table;
    table.begin_resync(DumpScope::Everything);
    // The dump was requested and its first part is being read when the link goes down.
    assert_eq!(down(&mut table, 2), Verify::Nothing);
    assert_eq!(table.verify_next_hop(7), Verify::Nothing);
    assert_eq!(table.verify_link(3), Verify::Nothing);
    table.announce(
        route(1, 0, MIRRORED, &hop("192.0.2.1", 2)),
        InsertMode::Dump,
    );
    table.end_resync(&Family::ALL);
    assert_eq!(table.take_unverified_changes(), [Verify::OfInterface(2)]);
    assert_eq!(table.take_unverified_changes(), []);

    table.begin_resync(DumpScope::Everything);
    assert_eq!(table.verify_next_hop(7), Verify::Nothing);
    table.announce(by_object(2, MIRRORED, 7), InsertMode::Dump);
    table.end_resync(&[]);
    assert_eq!(table.take_unverified_changes(), [Verify::OfEverything]);
}

#[test]
fn a_resync_of_interfaces_sweeps_what_leads_through_them() {
    let mut table = World::new().table;
    for (number, interface) in [(1, 1), (2, 2), (3, 3)] {
        announce(&mut table, number, MIRRORED, interface);
    }
    table.begin_resync(DumpScope::Interfaces([1, 3].into()));
    let shown = route(3, 0, MIRRORED, &hop("192.0.2.1", 3));
    table.announce(shown, InsertMode::PartialDump);
    assert_eq!(table.end_resync(&Family::ALL).removed, 1);
    assert_eq!(table.counts(Family::V4).kernel, 2);
    assert_eq!(table.verify_link(1), Verify::Nothing);
}

/// What is known of a foreign route decides nothing until one of ours is beside it.
#[test]
fn a_route_of_ours_beside_one_that_may_have_changed_asks_for_a_dump() {
    let mut table = World::new().table;
    announce(&mut table, 1, FOREIGN, 2);
    announce(&mut table, 2, FOREIGN, 1);
    assert_eq!(table.verify_link(2), Verify::Nothing);
    let ours = |number| route(number, 100, MIRRORED, &hop("192.0.2.1", 1));
    let verify = |table: &mut Table, number| table.announce(ours(number), InsertMode::Append);
    assert_eq!(
        verify(&mut table, 2),
        Verify::Nothing,
        "that one is as it was"
    );
    assert_eq!(verify(&mut table, 1), Verify::OfEverything);
    assert_eq!(verify(&mut table, 3), Verify::Nothing, "it is alone");
    table.withdraw(ours(1));

    // A dump that began before the change does not verify it.
    table.begin_resync(DumpScope::Everything);
    assert_eq!(table.verify_link(2), Verify::Nothing);
    table.end_resync(&[]);
    table.begin_resync(DumpScope::interface(1));
    table.end_resync(&Family::ALL);
    assert_eq!(verify(&mut table, 1), Verify::OfEverything);
    table.withdraw(ours(1));
    table.begin_resync(DumpScope::Everything);
    announce(&mut table, 1, FOREIGN, 2);
    table.end_resync(&Family::ALL);
    assert_eq!(verify(&mut table, 1), Verify::Nothing);
}

#[test]
fn an_object_that_may_have_changed_does_so_too() {
    let mut table = World::new().table;
    table.next_hop(5, NextHopObject::Single(hop("192.0.2.1", 1)));
    table.announce(by_object(1, FOREIGN, 5), InsertMode::Append);
    assert_eq!(table.verify_next_hop(5), Verify::Nothing);
    let ours = route(1, 100, MIRRORED, &hop("192.0.2.1", 1));
    assert_eq!(
        table.announce(ours, InsertMode::Append),
        Verify::OfEverything
    );
}

#[test]
fn a_dump_tells_whether_it_showed_routes_first() {
    let mut table = World::new().table;
    let mut v6 = route(1, 0, MIRRORED, &hop("fd00::2", 1));
    v6.key.prefix = "2001:db8::/48".parse().unwrap();
    v6.set.family = Family::V6;
    let v4 = route(2, 0, MIRRORED, &hop("192.0.2.1", 1));
    for first in [true, false] {
        table.begin_resync(DumpScope::Everything);
        for shown in [&v6, &v4] {
            table.announce(shown.clone(), InsertMode::Dump);
        }
        table.end_resync(&Family::ALL);
        for family in Family::ALL {
            assert_eq!(table.dump_showed_unknown(family), first);
        }
    }
    table.begin_resync(DumpScope::Everything);
    table.end_resync(&Family::ALL);
    assert!(!table.dump_showed_unknown(Family::V6), "they are gone");
}
