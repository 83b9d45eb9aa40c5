//! Routes of zebra: one a prefix, connections that begin and are lost, and the results.

use std::convert::Infallible;

use bgpreflector_core::route::{Family, NextHop, NextHopSource, Route};
use bgpreflector_core::table::{
    Announcement, Interfaces, NextHopObject, RouteSource, RouteState, Scope, Table,
};

use super::support::{MIRRORED, hop, link, name, prefix, route};

const OTHER: u8 = 196;

/// A table with interface 1 mapped, and 2 not.
fn table() -> Table {
    let mut table = Table::new(Scope {
        source: RouteSource::Fpm,
        protocols: [MIRRORED, OTHER].into_iter().collect(),
        ..Scope::default()
    });
    table.link(1, link(name(1), true));
    table.link(2, link(name(2), true));
    let map = [(name(1), 10)].into_iter().collect();
    table.set_interfaces(Interfaces {
        map,
        ..Interfaces::default()
    });
    table
}

fn announce(table: &mut Table, route: Route) {
    let announcement = Announcement {
        key: route.key,
        protocol: route.protocol,
        expired: false,
    };
    let set = route.set;
    let entered = table.announce_only(announcement, None, || Ok::<_, Infallible>(set));
    entered.unwrap();
}

fn by_object(number: u8, id: u32) -> Route {
    let mut route = route(number, 20, MIRRORED, &hop("192.0.2.1", 1));
    route.set.next_hops = NextHopSource::Object(id);
    route
}

/// Lets VPP do what is to be done, but for the prefixes that it refuses; returns how many.
fn commit(table: &mut Table, refused: &[u8]) -> usize {
    let handles = table.take_dirty(usize::MAX).handles;
    for handle in &handles {
        if let Some(request) = table.begin_request(*handle) {
            let refuse = refused
                .iter()
                .any(|number| prefix(*number) == request.prefix);
            table.acknowledge(&request, if refuse { Err(-5) } else { Ok(()) });
        }
    }
    handles.len()
}

fn has(table: &Table, number: u8) -> Vec<(u8, u32)> {
    let routes = table.routes_of(254, &prefix(number));
    routes.iter().map(|r| (r.protocol, r.metric)).collect()
}

fn state(table: &Table, number: u8) -> Option<RouteState> {
    table
        .routes_of(254, &prefix(number))
        .first()
        .map(|r| r.state)
}

fn results(table: &mut Table) -> Vec<(u8, bool)> {
    let taken = table.take_results(100);
    taken
        .iter()
        .map(|a| (a.route.protocol, a.installed))
        .collect()
}

#[test]
fn a_route_takes_the_place_of_whatever_its_prefix_had() {
    let mut table = table();
    table.inject(route(1, 9, MIRRORED, &hop("192.0.2.9", 1)));
    for (protocol, metric, gateway) in [
        (MIRRORED, 20, "192.0.2.1"),
        (MIRRORED, 20, "192.0.2.2"),
        (OTHER, 20, "192.0.2.2"),
        (OTHER, 0, "192.0.2.2"),
        (OTHER, 0, "192.0.2.2"),
    ] {
        announce(&mut table, route(1, metric, protocol, &hop(gateway, 1)));
        let mut expected = vec![(MIRRORED, 9), (protocol, metric.into())];
        expected.sort_by_key(|(_, metric)| *metric);
        assert_eq!(has(&table, 1), expected);
    }
    assert_eq!(table.counts(Family::V4).kernel, 2);
    table.withdraw_only(254, &prefix(1));
    assert_eq!(has(&table, 1), [(MIRRORED, 9)], "what is not zebra's stays");
    table.withdraw_only(254, &prefix(1));
    assert_eq!(table.anomalies().unknown_withdrawals, 1);
    assert_eq!(table.counts(Family::V4).kernel, 1);
}

#[test]
fn what_a_connection_did_not_show_goes_with_its_sweep_and_no_sooner() {
    let mut table = table();
    for number in 1..4 {
        announce(
            &mut table,
            route(number, 20, MIRRORED, &hop("192.0.2.1", 1)),
        );
    }
    table.inject(route(3, 9, MIRRORED, &hop("192.0.2.9", 1)));
    commit(&mut table, &[]);
    // More connections than there are generations; each sends something and is lost.
    for _ in 0..300 {
        table.begin_connection();
        announce(&mut table, route(1, 20, MIRRORED, &hop("192.0.2.1", 1)));
        table.end_resync(&[]);
        assert_eq!(table.dirty(), 0);
    }
    table.begin_connection();
    announce(&mut table, route(2, 20, MIRRORED, &hop("192.0.2.1", 1)));
    assert_eq!(table.end_resync(&Family::ALL).removed, 2);
    assert_eq!([1, 2, 3].map(|n| has(&table, n).len()), [0, 1, 1]);
    assert_eq!(has(&table, 3), [(MIRRORED, 9)]);
}

#[test]
fn links_and_objects_take_no_route_with_them() {
    let mut table = table();
    table.next_hop(
        7,
        NextHopObject::Single(NextHop::new("192.0.2.1".parse().ok(), 1)),
    );
    announce(&mut table, by_object(1, 7));
    announce(&mut table, route(2, 20, MIRRORED, &hop("192.0.2.1", 1)));
    assert_eq!(commit(&mut table, &[]), 2);
    assert_eq!(table.link(1, link(name(1), false)), 0);
    assert_eq!(
        commit(&mut table, &[]),
        2,
        "VPP forwards by none of them meanwhile"
    );
    table.link(1, link(name(1), true));
    assert_eq!(commit(&mut table, &[]), 2, "zebra need not say them again");
    assert_eq!(table.remove_link(1), 0);
    table.link(1, link(name(1), true));
    commit(&mut table, &[]);
    assert_eq!(table.remove_next_hop(7), 0);
    assert!(matches!(state(&table, 1), Some(RouteState::Held(_))));
    table.next_hop(7, NextHopObject::Blackhole);
    commit(&mut table, &[]);
    assert_eq!(
        [1, 2].map(|n| state(&table, n)),
        [Some(RouteState::Installed); 2]
    );
}

#[test]
fn ids_of_objects_are_told_also_of_those_that_are_missing() {
    let mut table = table();
    table.next_hop(7, NextHopObject::Group(vec![(8, 1)]));
    announce(&mut table, by_object(1, 9));
    let mut ids = table.next_hop_ids();
    ids.sort_unstable();
    assert_eq!(ids, [7, 8, 9]);
}

#[test]
fn a_result_is_sent_once_and_as_it_is_then() {
    let mut table = table();
    let to = |number: u8, gateway: &str| route(number, 20, MIRRORED, &hop(gateway, 1));
    announce(&mut table, to(1, "192.0.2.1"));
    commit(&mut table, &[]);
    assert_eq!(results(&mut table), [], "nobody has asked");
    table.begin_results();
    announce(&mut table, to(1, "192.0.2.1"));
    assert_eq!(
        results(&mut table),
        [(MIRRORED, true)],
        "VPP has it already"
    );
    announce(&mut table, to(2, "192.0.2.1"));
    assert_eq!(results(&mut table), [], "VPP has not spoken");
    commit(&mut table, &[2]);
    assert_eq!(results(&mut table), [(MIRRORED, false)]);
    announce(&mut table, to(2, "192.0.2.1"));
    assert_eq!(
        results(&mut table),
        [(MIRRORED, false)],
        "it has refused this"
    );
    table.retry_rejected(|_| true);
    commit(&mut table, &[]);
    assert_eq!(results(&mut table), [(MIRRORED, true)]);
    // However many changes precede a read, a prefix is queued once.
    for gateway in ["192.0.2.2", "192.0.2.3", "192.0.2.4"] {
        announce(&mut table, to(1, gateway));
        commit(&mut table, &[]);
    }
    assert_eq!(table.results_queued(), 1);
    announce(&mut table, to(1, "192.0.2.5"));
    assert_eq!(results(&mut table), [], "VPP has still to answer");
    commit(&mut table, &[]);
    assert_eq!(results(&mut table), [(MIRRORED, true)]);
}

#[test]
fn a_route_that_vpp_gives_up_has_a_result_and_one_that_goes_has_none() {
    let mut table = table();
    table.begin_results();
    announce(&mut table, route(1, 20, MIRRORED, &hop("192.0.2.1", 2)));
    commit(&mut table, &[]);
    assert_eq!(results(&mut table), [], "held, and nobody refused it");
    announce(&mut table, route(1, 20, MIRRORED, &hop("192.0.2.1", 1)));
    commit(&mut table, &[]);
    assert_eq!(results(&mut table), [(MIRRORED, true)]);
    announce(&mut table, route(1, 20, OTHER, &hop("192.0.2.1", 1)));
    assert_eq!(
        results(&mut table),
        [(OTHER, true)],
        "the same paths for another's route"
    );
    table.link(1, link(name(1), false));
    commit(&mut table, &[]);
    assert_eq!(results(&mut table), [(OTHER, false)]);
    table.withdraw_only(254, &prefix(1));
    announce(&mut table, route(2, 20, 2, &hop("192.0.2.1", 1)));
    commit(&mut table, &[]);
    assert_eq!(results(&mut table), [], "gone, and foreign");
    table.end_results();
    assert_eq!(table.results_queued(), 0);
}
