//! Source-specific routes: listed and counted, never in VPP.

use bgpreflector_core::route::{
    Family, NextHopSet, NextHopSource, Prefix, RouteKey, RouteType, SetBytes,
};
use bgpreflector_core::table::{
    Announcement, Cursor, DumpScope, HoldReason, InsertMode, RouteFilter, RouteState, RouteView,
    RoutesInOrder, Table,
};

use super::support::{FOREIGN, MIRRORED, World, hop, route_by};

fn source(number: u8) -> Prefix {
    Prefix::v6(u128::from(number) << 112, 16)
}

fn key(number: u8) -> RouteKey {
    RouteKey::new(
        254,
        Prefix::v6(0x2001_0db8 << 96 | u128::from(number) << 80, 48),
    )
}

fn set(gateways: &[&str]) -> NextHopSet {
    let hops = gateways.iter().map(|gateway| hop(gateway, 1)).collect();
    NextHopSet::new(Family::V6, RouteType::Unicast, NextHopSource::Inline(hops))
}

fn announce(table: &mut Table, number: u8, from: u8, gateways: &[&str], insert_mode: InsertMode) {
    announce_as(table, MIRRORED, number, from, gateways, insert_mode);
}

fn announce_as(
    table: &mut Table,
    protocol: u8,
    number: u8,
    from: u8,
    gateways: &[&str],
    insert_mode: InsertMode,
) {
    let announcement = Announcement {
        key: key(number),
        protocol,
        expired: false,
    };
    assert!(table.announce_source_specific(source(from), announcement, set(gateways), insert_mode));
}

fn withdraw(table: &mut Table, number: u8, from: u8, gateways: &[&str]) {
    table.withdraw_source_specific(source(from), key(number), MIRRORED, set(gateways));
}

/// All that are held, in pages of one.
fn held(table: &Table) -> Vec<RouteView> {
    let filter = RouteFilter {
        states: vec!["held".into()],
        ..RouteFilter::default()
    };
    let (mut all, mut cursor) = (Vec::new(), Some(Cursor::default()));
    while let Some(at) = cursor {
        let (views, rest) = table.routes(at, 1, &filter);
        all.extend(views);
        cursor = rest;
    }
    let mut ordered = Vec::new();
    let mut listing = RoutesInOrder::by(filter.clone(), 2);
    while let Some(views) = listing.next(table, 1) {
        ordered.extend(views);
    }
    assert_eq!(ordered, all, "both listings have the same");
    let (groups, _) = table.group_routes(Cursor::default(), &filter);
    assert_eq!(
        groups.iter().map(|group| group.count).sum::<usize>(),
        all.len()
    );
    let mut by_set = Vec::new();
    assert_eq!(
        table.count_by_set(Cursor::default(), &filter, &mut by_set),
        None
    );
    assert_eq!(by_set.iter().sum::<u32>() as usize, all.len());
    let counted = table.held_routes().remove("source_specific");
    assert_eq!(counted.unwrap_or(0), all.len());
    all
}

fn shown(table: &Table) -> Vec<(Prefix, RouteState, usize)> {
    let view = |view: RouteView| (view.prefix, view.state, view.next_hops.len());
    held(table).into_iter().map(view).collect()
}

fn from(number: u8, by: u8, hops: usize) -> (Prefix, RouteState, usize) {
    let reason = HoldReason::SourceSpecific(source(by));
    (key(number).prefix, RouteState::Held(reason), hops)
}

#[test]
fn they_are_listed_and_leave_with_their_next_hops() {
    let mut table = World::new().table;
    announce(&mut table, 2, 1, &["fd00::1"], InsertMode::Append);
    announce(&mut table, 1, 1, &["fd00::1"], InsertMode::Append);
    announce(&mut table, 1, 2, &["fd00::1"], InsertMode::Append);
    announce(
        &mut table,
        1,
        2,
        &["fd00::2", "fd00::1"],
        InsertMode::Append,
    );
    announce_as(&mut table, FOREIGN, 3, 1, &["fd00::1"], InsertMode::Append);
    assert_eq!(shown(&table), [from(1, 1, 1), from(1, 2, 2), from(2, 1, 1)]);
    assert_eq!(table.dirty(), 0, "VPP has nothing of them");
    assert_eq!(table.counts(Family::V6).kernel, 0);
    withdraw(&mut table, 1, 2, &["fd00::1"]);
    withdraw(&mut table, 2, 1, &["fd00::1"]);
    withdraw(&mut table, 2, 1, &["fd00::1"]);
    assert_eq!(shown(&table), [from(1, 1, 1), from(1, 2, 1)]);
}

#[test]
fn they_take_nothing_from_a_route_for_all_sources() {
    let mut table = World::new().table;
    let announcement = Announcement {
        key: key(1),
        protocol: MIRRORED,
        expired: false,
    };
    let read = || Ok::<_, ()>(set(&["fd00::1"]));
    let none: Option<SetBytes<'_>> = None;
    table
        .announce_encoded(announcement, none, read, InsertMode::Append)
        .unwrap();
    announce(&mut table, 1, 1, &["fd00::2"], InsertMode::Replace);
    assert_eq!(shown(&table), [from(1, 1, 1)]);
    assert_eq!(table.counts(Family::V6).desired, 1);
    withdraw(&mut table, 1, 1, &["fd00::2"]);
    assert_eq!(table.counts(Family::V6).desired, 1);
}

#[test]
fn a_dump_shows_them_and_what_is_gone() {
    let mut table = World::new().table;
    announce(&mut table, 1, 1, &["fd00::1"], InsertMode::Append);
    announce(&mut table, 2, 1, &["fd00::1"], InsertMode::Append);
    let resync = |table: &mut Table, families: &[Family]| {
        table.begin_resync(DumpScope::Everything);
        announce(table, 2, 1, &["fd00::1"], InsertMode::Dump);
        announce(table, 3, 1, &["fd00::1"], InsertMode::Dump);
        // A notification is newer than the dump.
        withdraw(table, 4, 1, &["fd00::1"]);
        announce(table, 4, 1, &["fd00::1"], InsertMode::Dump);
        announce(table, 5, 1, &["fd00::1"], InsertMode::Append);
        table.end_resync(families);
    };
    resync(&mut table, &[Family::V4]);
    let all = [1, 2, 3, 5].map(|number| from(number, 1, 1));
    assert_eq!(shown(&table), all, "a dump that failed removes nothing");
    resync(&mut table, &Family::ALL);
    assert_eq!(shown(&table), all[1..]);
}

#[test]
fn they_go_with_their_link() {
    let mut table = World::new().table;
    announce(&mut table, 1, 1, &["fd00::1"], InsertMode::Append);
    table.remove_link(1);
    table.begin_resync(DumpScope::interface(1));
    table.end_resync(&Family::ALL);
    assert_eq!(shown(&table), []);
}

/// The number of its set is free at once, and a new one that takes it must not go with the link.
#[test]
fn a_route_that_comes_with_the_removal_of_their_link_stays() {
    let mut table = World::new().table;
    announce(&mut table, 1, 1, &["fd00::1"], InsertMode::Append);
    let route = route_by(key(2).prefix, [hop("fd00::2", 2)]);
    table.defer();
    table.remove_link(1);
    table.announce(route.clone(), InsertMode::Append);
    table.apply_deferred();
    assert!(!table.held_routes().contains_key("source_specific"));
    assert_eq!(table.routes_of(254, &route.key.prefix).len(), 1);
    assert_eq!(table.sets().0, 1);
    let again = route_by(key(3).prefix, [hop("fd00::3", 2)]);
    table.announce(again, InsertMode::Append);
    assert_eq!(table.sets().0, 2, "the number is in use");
}
