//! Listings: in the order of the prefixes whatever the order in which they came, filtered, counted.

use bgpreflector_core::route::{Family, NextHop};
use bgpreflector_core::table::{Cursor, InsertMode, RouteFilter, RouteView, RoutesInOrder, Table};

use super::support::{World, hop, route_by};

fn announce(table: &mut Table, prefix: &str, hop: &NextHop) {
    let route = route_by(prefix.parse().unwrap(), [hop.clone()]);
    table.announce(route, InsertMode::Replace);
}

/// IPv6 comes before IPv4, and high before low.
const COME: [&str; 7] = [
    "2001:db8:2::/48",
    "2001:db8:1::/48",
    "10.2.0.0/16",
    "10.10.0.0/16",
    "10.1.0.0/24",
    "10.1.0.0/16",
    "9.0.0.0/8",
];
const ORDER: [&str; 7] = [
    "9.0.0.0/8",
    "10.1.0.0/16",
    "10.1.0.0/24",
    "10.2.0.0/16",
    "10.10.0.0/16",
    "2001:db8:1::/48",
    "2001:db8:2::/48",
];

fn filled() -> World {
    let mut world = World::new();
    for (number, prefix) in (0..).zip(COME) {
        let gateway = if prefix.contains(':') {
            "fe80::1"
        } else {
            "192.0.2.1"
        };
        announce(&mut world.table, prefix, &hop(gateway, 1 + number % 2));
    }
    world
}

fn prefixes(views: &[RouteView]) -> Vec<String> {
    views.iter().map(|view| view.prefix.to_string()).collect()
}

fn all(table: &Table, mut listing: RoutesInOrder, limit: usize) -> Vec<String> {
    let mut shown = Vec::new();
    while let Some(views) = listing.next(table, limit) {
        assert!(views.len() <= limit);
        shown.extend(prefixes(&views));
    }
    shown
}

#[test]
fn routes_are_shown_in_the_order_of_their_prefixes() {
    let world = filled();
    for found in [1, 2, 5, 7, 100] {
        for limit in [1, 3, 100] {
            let listing = RoutesInOrder::by(RouteFilter::default(), found);
            assert_eq!(all(&world.table, listing, limit), ORDER, "{found} {limit}");
        }
    }
    assert!(
        all(
            &Table::new(Default::default()),
            RoutesInOrder::new(RouteFilter::default()),
            9
        )
        .is_empty()
    );
}

#[test]
fn a_listing_goes_on_while_the_table_changes() {
    let mut world = filled();
    let mut listing = RoutesInOrder::by(RouteFilter::default(), 2);
    let mut shown = Vec::new();
    while let Some(views) = listing.next(&world.table, 1) {
        if views
            .iter()
            .any(|view| view.prefix.to_string() == "9.0.0.0/8")
        {
            // Before what was shown, and behind it.
            announce(&mut world.table, "8.0.0.0/8", &hop("192.0.2.1", 1));
            announce(&mut world.table, "10.3.0.0/16", &hop("192.0.2.1", 1));
        }
        shown.extend(prefixes(&views));
    }
    let mut expected: Vec<String> = ORDER.iter().map(|prefix| (*prefix).to_owned()).collect();
    expected.insert(4, "10.3.0.0/16".to_owned());
    assert_eq!(shown, expected);
}

#[test]
fn a_filter_takes_what_leads_to_a_gateway_or_through_an_interface() {
    let world = filled();
    let by = |gateway: Option<&str>, interface, within: Option<&str>| {
        let filter = RouteFilter {
            gateway: gateway.map(|text| text.parse().unwrap()),
            interface,
            within: within.map(|text| text.parse().unwrap()),
            ..RouteFilter::default()
        };
        all(&world.table, RoutesInOrder::by(filter, 2), 2)
    };
    assert_eq!(by(Some("192.0.2.1"), None, None), ORDER[..5]);
    assert_eq!(by(Some("fe80::1"), Some(2), None), ["2001:db8:1::/48"]);
    assert_eq!(
        by(None, Some(2), Some("10.0.0.0/8")),
        ["10.1.0.0/16", "10.10.0.0/16"]
    );
    assert!(by(Some("192.0.2.2"), None, None).is_empty());
}

#[test]
fn routes_are_counted_by_what_they_have_in_common() {
    let world = filled();
    let (groups, rest) = world
        .table
        .group_routes(Cursor::default(), &RouteFilter::default());
    assert_eq!(rest, None);
    let of = |interface| {
        let through = |one: &&bgpreflector_core::table::RouteGroup| {
            let v4 = one.next_hops[0]
                .gateway
                .is_some_and(|gateway| gateway.is_ipv4());
            v4 && one.next_hops[0].interface == interface
        };
        let found: Vec<_> = groups.iter().filter(through).collect();
        assert_eq!(found.len(), 1);
        (found[0].state, found[0].protocol, found[0].count)
    };
    // Nothing stands for the second one.
    assert_eq!(of(1), ("queued", 12, 3));
    assert_eq!(of(2), ("held", 12, 2));
    assert_eq!(
        groups.iter().map(|one| one.count).sum::<usize>(),
        COME.len()
    );
    assert_eq!(world.table.counts(Family::V6).kernel, 2);
    let filter = RouteFilter {
        states: vec!["held".to_owned()],
        ..RouteFilter::default()
    };
    let mut counts = Vec::new();
    let rest = world
        .table
        .count_by_set(Cursor::default(), &filter, &mut counts);
    assert_eq!(rest, None);
    let (sets, _) = world.table.next_hop_sets(0, 100);
    let of = |id: u32| counts.get(id as usize).copied().unwrap_or(0);
    let mut found: Vec<_> = sets.iter().map(|set| (of(set.id), set.routes)).collect();
    found.sort_unstable();
    assert_eq!(found, [(0, 1), (0, 3), (1, 1), (2, 2)]);
}
