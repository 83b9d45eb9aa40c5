//! Notifications about links and next-hop objects while a dump of them runs.

use super::support::link;
use bgpreflector_core::route::{Family, NextHop};
use bgpreflector_core::table::{NextHopObject, Scope, Table};

fn up(table: &Table, index: u32) -> Option<bool> {
    table.link_of(index).map(|link| link.up)
}

#[test]
fn a_dump_of_links_does_not_undo_the_notifications_during_it() {
    let mut table = Table::new(Scope::default());
    for index in [1, 3, 5] {
        table.link(index, link("eth", true));
    }
    table.begin_link_dump();
    table.link(1, link("eth", false));
    table.link(4, link("eth", true));
    table.remove_link(5);
    for index in [1, 2, 5] {
        table.dumped_link(index, link("eth", true));
    }
    assert_eq!(table.sweep_links(), 1, "only 3 is unknown to both");
    let seen = [1, 2, 3, 4, 5].map(|index| up(&table, index));
    assert_eq!(seen, [Some(false), Some(true), None, Some(true), None]);
}

#[test]
fn a_link_that_was_told_of_before_the_dump_is_as_the_dump_shows_it() {
    let mut table = Table::new(Scope::default());
    table.begin_link_dump();
    table.link(1, link("eth", true));
    table.sweep_links();
    table.begin_link_dump();
    table.dumped_link(1, link("eth", false));
    assert_eq!((table.sweep_links(), up(&table, 1)), (0, Some(false)));
    assert_eq!(table.sweep_links(), 0, "no dump is under way");
}

/// zebra's routes have a thread of their own, beside the one that reads the kernel's links.
#[test]
fn a_dump_of_links_goes_on_while_a_resync_of_routes_ends() {
    let mut table = Table::new(Scope::default());
    for index in [1, 2] {
        table.link(index, link("eth", true));
    }
    table.begin_connection();
    table.begin_link_dump();
    table.link(1, link("eth", false));
    table.end_resync(&Family::ALL);
    table.dumped_link(1, link("eth", true));
    assert_eq!(up(&table, 1), Some(false));
    assert_eq!(table.sweep_links(), 1, "2 is unknown to the dump");
    table.begin_link_dump();
    table.abandon_link_dump();
    assert_eq!(table.sweep_links(), 0);
}

#[test]
fn so_does_one_of_next_hop_objects() {
    let mut table = Table::new(Scope::default());
    let single = || NextHopObject::Single(NextHop::new(None, 7));
    table.next_hop(3, NextHopObject::Blackhole);
    table.begin_next_hop_dump();
    table.next_hop(1, NextHopObject::Blackhole);
    table.remove_next_hop(2);
    for id in [1, 2] {
        table.dumped_next_hop(id, single());
    }
    table.dumped_next_hop(4, NextHopObject::Blackhole);
    assert_eq!(table.sweep_next_hops(), 1, "only 3 is unknown to both");
    let blackholes = [1, 2, 3, 4].map(|id| table.is_blackhole(id));
    assert_eq!(blackholes, [true, false, false, true]);
}
