//! A link that loses its carrier takes its next-hop objects with it, and the routes by them, without
//! a message (`nexthop_flush_dev`). An object of the same id that follows is another one.

use bgpreflector_core::route::{Family, NextHopSource, Prefix, Route};
use bgpreflector_core::table::{
    DumpScope, InsertMode, Link, NextHopObject, RouteSource, Scope, Table,
};

use super::support::{MIRRORED, World, hop, link, name, route};

fn without_carrier(index: u32) -> Link {
    Link {
        carrier: false,
        ..link(name(index), true)
    }
}

fn single(index: u32) -> NextHopObject {
    NextHopObject::Single(hop("192.0.2.1", index))
}

fn by_object(family: Family, id: u32) -> Route {
    let mut new = route(1, 0, MIRRORED, &hop("192.0.2.1", 1));
    if family == Family::V6 {
        new.key.prefix = Prefix::v6(0x2001_0db8 << 96, 48);
        new.set.family = family;
    }
    new.set.next_hops = NextHopSource::Object(id);
    new
}

fn kernel_routes(table: &Table) -> usize {
    Family::ALL
        .map(|family| table.counts(family).kernel)
        .iter()
        .sum()
}

#[test]
fn an_object_goes_and_so_do_its_routes() {
    for family in Family::ALL {
        let mut table = World::new().table;
        table.next_hop(7, single(1));
        table.announce(by_object(family, 7), InsertMode::Append);
        let inline = route(2, 0, MIRRORED, &hop("192.0.2.1", 1));
        table.announce(inline, InsertMode::Append);
        assert_eq!(table.link(1, without_carrier(1)), 1, "{family:?}");
        assert_eq!(table.next_hop_object(7), None);
        assert_eq!(kernel_routes(&table), 1, "that of no object stays");
        table.next_hop(7, single(2));
        assert_eq!(kernel_routes(&table), 1, "the new object brings none back");
    }
}

#[test]
fn a_group_loses_the_member_and_goes_with_its_last() {
    let mut table = World::new().table;
    table.next_hop(1, single(1));
    table.next_hop(2, single(2));
    table.next_hop(9, NextHopObject::Group(vec![(1, 1), (2, 1)]));
    table.announce(by_object(Family::V4, 9), InsertMode::Append);
    assert_eq!(table.link(1, without_carrier(1)), 0);
    table.next_hop(1, single(3));
    let left = NextHopObject::Group(vec![(2, 1)]);
    assert_eq!(table.next_hop_object(9), Some(&left));
    assert_eq!(table.link(2, without_carrier(2)), 1);
    assert_eq!(table.next_hop_object(9), None);
    assert_eq!(kernel_routes(&table), 0);
}

/// The dump was read before the link's message, and is applied after it.
#[test]
fn a_dump_from_before_brings_nothing_back() {
    for lost in [without_carrier(1), link(name(1), false)] {
        let mut table = World::new().table;
        let group = NextHopObject::Group(vec![(1, 1), (2, 1)]);
        table.next_hop(1, single(1));
        table.next_hop(2, single(2));
        table.next_hop(9, group.clone());
        table.begin_resync(DumpScope::Everything);
        table.begin_next_hop_dump();
        table.link(1, lost);
        for (id, object) in [(1, single(1)), (2, single(2)), (9, group)] {
            table.dumped_next_hop(id, object);
        }
        table.sweep_next_hops();
        let left = NextHopObject::Group(vec![(2, 1)]);
        assert_eq!(table.next_hop_object(1), None);
        assert_eq!(table.next_hop_object(9), Some(&left));
    }
}

/// Its objects and routes are zebra's, which withdraws them itself.
#[test]
fn what_zebra_sent_stays() {
    let mut table = Table::new(Scope {
        source: RouteSource::Fpm,
        ..Scope::default()
    });
    table.link(1, link(name(1), true));
    table.next_hop(7, single(1));
    table.announce(by_object(Family::V4, 7), InsertMode::Append);
    assert_eq!(table.link(1, without_carrier(1)), 0);
    assert_eq!(table.next_hop_object(7), Some(&single(1)));
    assert_eq!(kernel_routes(&table), 1);
}
