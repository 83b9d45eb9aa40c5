//! Routes whose output device is a VRF: their packets are looked up again in its table.

use std::collections::BTreeMap;

use super::support::{MIRRORED, all_unmapped, link, prefix, route, send_all};
use bgpreflector_core::route::{Family, NextHop, Path, PathSet, Prefix, Route};
use bgpreflector_core::table::{
    Discovery, HoldReason, InsertMode, Link, RouteSource, RouteState, Scope, Table, Unmapped,
};

const VRF: u32 = 7;
const OTHER_LINK: u32 = 2;

/// The VRF "blue" of this table.
fn vrf(table: u32) -> Link {
    Link {
        vrf_table: Some(table),
        ..link("blue", true)
    }
}

/// One with the VRF "blue" of this table, whatever else is configured about interfaces.
fn table(vrf_table: u32, scope: Scope) -> Table {
    let mut table = Table::new(scope);
    table.link(OTHER_LINK, link("eth0", true));
    table.link(VRF, vrf(vrf_table));
    table.set_interfaces(all_unmapped(Unmapped::Interface(1)));
    table
}

fn scope(tables: &[(u32, u32)]) -> Scope {
    Scope {
        tables: tables.iter().copied().collect(),
        ..Scope::default()
    }
}

fn every() -> Scope {
    Scope {
        discovery: Discovery {
            tables: vec![1..=u32::MAX],
            map: BTreeMap::from([(254, 0), (1000, 10)]),
            free: None,
        },
        ..Scope::default()
    }
}

fn announce(table: &mut Table, route: Route) {
    table.announce(route, InsertMode::Replace);
}

fn leak(number: u8) -> Route {
    route(number, 0, MIRRORED, &NextHop::new(None, VRF))
}

/// Sends all that is dirty; the paths of each request.
fn send(table: &mut Table) -> BTreeMap<Prefix, Option<PathSet>> {
    let sent = send_all(table).into_iter();
    sent.map(|sent| (sent.prefix, table.paths(sent.paths).cloned()))
        .collect()
}

fn looks_up_in(sent: &BTreeMap<Prefix, Option<PathSet>>, number: u8) -> Vec<Option<(Family, u32)>> {
    let set = sent[&prefix(number)].as_ref().unwrap();
    set.paths().iter().map(Path::looks_up_in).collect()
}

fn held(table: &Table, number: u8) -> Option<HoldReason> {
    let views = table.routes_of(254, &prefix(number));
    match views[0].state {
        RouteState::Held(reason) => Some(reason),
        _ => None,
    }
}

fn in_use(table: &Table) -> Vec<(u32, bool)> {
    let tables = table.mirrored_tables().into_iter();
    tables
        .filter(|t| t.discovered)
        .map(|t| (t.vpp_table, t.in_use))
        .collect()
}

#[test]
fn a_route_into_a_vrf_is_a_lookup_in_its_table() {
    let mut table = table(1000, scope(&[(254, 0), (1000, 10)]));
    announce(&mut table, leak(1));
    let via = NextHop::new(Some("10.9.9.9".parse().unwrap()), VRF);
    announce(&mut table, route(2, 0, MIRRORED, &via));
    announce(
        &mut table,
        route(3, 0, MIRRORED, &NextHop::new(None, OTHER_LINK)),
    );
    let sent = send(&mut table);
    let expected = Some((Family::V4, 10));
    assert_eq!(looks_up_in(&sent, 1), [expected]);
    assert_eq!(
        looks_up_in(&sent, 2),
        [expected],
        "its destination, not the gateway"
    );
    assert_eq!(looks_up_in(&sent, 3), [None]);
}

#[test]
fn zebras_routes_leak_too() {
    let mut table = table(
        1000,
        Scope {
            source: RouteSource::Fpm,
            ..scope(&[(254, 0), (1000, 1000)])
        },
    );
    announce(&mut table, leak(1));
    assert_eq!(
        looks_up_in(&send(&mut table), 1),
        [Some((Family::V4, 1000))]
    );
}

#[test]
fn it_waits_for_a_table_that_is_not_mirrored() {
    let mut table = table(1000, scope(&[(254, 0)]));
    announce(&mut table, leak(1));
    assert!(send(&mut table).is_empty());
    assert_eq!(held(&table, 1), Some(HoldReason::VrfTable(1000)));
    assert!(
        HoldReason::VrfTable(1000)
            .to_string()
            .contains("table 1000")
    );
    assert_eq!(table.held_routes()["vrf_table"], 1);
}

#[test]
fn labels_cannot_be_looked_up() {
    let mut table = table(1000, scope(&[(254, 0), (1000, 10)]));
    let mut via = NextHop::new(Some("10.9.9.9".parse().unwrap()), VRF);
    via.labels.push(100);
    announce(&mut table, route(1, 0, MIRRORED, &via));
    assert_eq!(held(&table, 1), Some(HoldReason::NoInterface(VRF)));
}

#[test]
fn an_interface_that_is_mapped_to_the_device_comes_first() {
    let mut table = table(1000, scope(&[(254, 0)]));
    let mut interfaces = table.interfaces().clone();
    interfaces.map.insert("blue".into(), 33);
    table.set_interfaces(interfaces);
    announce(&mut table, leak(1));
    let sent = send(&mut table);
    assert_eq!(
        sent[&prefix(1)].as_ref().unwrap().paths()[0].sw_if_index,
        33
    );
}

#[test]
fn a_discovered_table_is_in_use_while_others_look_up_there() {
    let mut table = table(1000, every());
    announce(&mut table, leak(1));
    assert_eq!(held(&table, 1), Some(HoldReason::VrfTable(1000)));
    let mut own = route(2, 0, MIRRORED, &NextHop::new(None, OTHER_LINK));
    own.key.table = 1000;
    announce(&mut table, own.clone());
    assert_eq!(looks_up_in(&send(&mut table), 1), [Some((Family::V4, 10))]);
    table.withdraw(own);
    send(&mut table);
    assert_eq!(in_use(&table), [(10, true)], "the leak still needs it");
    table.withdraw(leak(1));
    send(&mut table);
    assert_eq!(in_use(&table), [(10, false)]);
}

#[test]
fn the_routes_follow_the_device() {
    let mut table = table(1000, scope(&[(254, 0), (1000, 10), (2000, 20)]));
    announce(&mut table, leak(1));
    assert_eq!(looks_up_in(&send(&mut table), 1), [Some((Family::V4, 10))]);
    table.link(VRF, vrf(2000));
    assert_eq!(looks_up_in(&send(&mut table), 1), [Some((Family::V4, 20))]);
    // As the kernel does, without a message.
    table.remove_link(VRF);
    assert_eq!(send(&mut table), BTreeMap::from([(prefix(1), None)]));
}
