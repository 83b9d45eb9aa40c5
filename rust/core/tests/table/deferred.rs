//! Deferred changes of links and next-hop objects, compared with the same changes one by one and
//! with a new table of the final state.

use std::collections::BTreeMap;

use super::support::{link, route_by, send_all};
use bgpreflector_core::route::{
    Family, NextHop, NextHopSet, NextHopSource, Prefix, Route, RouteKey, RouteType,
};
use bgpreflector_core::table::{
    Cursor, InsertMode, Interfaces, Link, NextHopObject, RouteFilter, RouteView, Scope, Table,
    Unmapped,
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Announce(Route),
    Withdraw(Route),
    Object(u32, NextHopObject),
    RemoveObject(u32),
    Link(u32, Link),
    RemoveLink(u32),
    /// Applies the deferred changes, and VPP answers all requests.
    Apply,
}

fn hop(interface: u32) -> NextHop {
    NextHop::new(None, interface)
}

fn source() -> impl Strategy<Value = NextHopSource> {
    prop_oneof![
        3 => (1..7_u32).prop_map(NextHopSource::Object),
        2 => prop::collection::btree_set(1..4_u32, 1..3).prop_map(|interfaces| {
            NextHopSource::Inline(interfaces.into_iter().map(hop).collect())
        }),
    ]
}

fn route() -> impl Strategy<Value = Route> {
    let route_type = prop_oneof![6 => Just(RouteType::Unicast), 1 => Just(RouteType::Blackhole)];
    let protocol = prop_oneof![4 => Just(12), 1 => Just(4)];
    let tos = prop_oneof![6 => Just(0_u8), 1 => Just(16)];
    (
        0..4_u32,
        any::<bool>(),
        0..2_u32,
        tos,
        protocol,
        route_type,
        source(),
    )
        .prop_map(
            |(number, v6, metric, tos, protocol, route_type, next_hops)| {
                let (family, prefix, tos) = match v6 {
                    false => (Family::V4, Prefix::v4(number << 8, 24), tos),
                    true => (Family::V6, Prefix::v6(u128::from(number) << 64, 64), 0),
                };
                Route {
                    key: RouteKey {
                        table: 254,
                        prefix,
                        tos,
                        metric,
                    },
                    protocol,
                    set: NextHopSet::new(family, route_type, next_hops),
                }
            },
        )
}

fn object() -> impl Strategy<Value = (u32, NextHopObject)> {
    prop_oneof![
        4 => (1..4_u32, 1..4_u32).prop_map(|(id, link)| (id, NextHopObject::Single(hop(link)))),
        1 => (1..4_u32).prop_map(|id| (id, NextHopObject::Blackhole)),
        3 => (4..7_u32, prop::collection::btree_set(1..4_u32, 1..3)).prop_map(|(id, members)| {
            let members = members.into_iter().map(|member| (member, 1));
            (id, NextHopObject::Group(members.collect()))
        }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => route().prop_map(Step::Announce),
        2 => route().prop_map(Step::Withdraw),
        4 => object().prop_map(|(id, object)| Step::Object(id, object)),
        3 => (1..7_u32).prop_map(Step::RemoveObject),
        3 => (1..4_u32, any::<bool>(), any::<bool>()).prop_map(|(index, up, carrier)| {
            Step::Link(index, Link { carrier, ..link(name(index), up) })
        }),
        1 => (1..4_u32).prop_map(Step::RemoveLink),
        3 => Just(Step::Apply),
    ]
}

fn new_table() -> Table {
    let mut table = Table::new(Scope::default());
    let map = [(name(1), 1), (name(2), 2)].into_iter().collect();
    table.set_interfaces(Interfaces {
        map,
        unmapped: Unmapped::Wait,
        ..Interfaces::default()
    });
    table
}

fn name(index: u32) -> String {
    if index == 3 {
        "lo".into()
    } else {
        format!("eth{index}")
    }
}

/// Executes a step; returns how many routes were removed.
fn apply(table: &mut Table, step: &Step) -> usize {
    match step.clone() {
        Step::Announce(route) => {
            table.announce(route, InsertMode::Replace);
            0
        }
        Step::Withdraw(route) => {
            table.withdraw(route);
            0
        }
        Step::Object(id, object) => {
            table.next_hop(id, object);
            0
        }
        Step::RemoveObject(id) => table.remove_next_hop(id),
        Step::Link(index, link) => table.link(index, link),
        Step::RemoveLink(index) => table.remove_link(index),
        Step::Apply => {
            send_all(table);
            0
        }
    }
}

fn views(table: &Table) -> Vec<RouteView> {
    let (mut views, rest) = table.routes(Cursor::default(), usize::MAX, &RouteFilter::default());
    assert_eq!(rest, None);
    views.sort_by_key(|v| {
        (
            v.prefix.family() == Family::V6,
            v.prefix.bits(),
            v.metric,
            v.tos,
        )
    });
    views
}

fn compare(one: &Table, other: &Table) {
    assert_eq!(views(one), views(other));
    assert_eq!(one.sets(), other.sets());
    assert_eq!(one.dirty(), other.dirty());
    assert_eq!(one.anomalies(), other.anomalies());
    for family in Family::ALL {
        assert_eq!(one.counts(family), other.counts(family));
    }
    assert_eq!(one.held_routes(), other.held_routes());
}

/// The counts of held routes, which are kept incrementally.
fn held(table: &Table) -> BTreeMap<&'static str, usize> {
    let mut held = BTreeMap::new();
    for view in views(table) {
        if let bgpreflector_core::table::RouteState::Held(reason) = view.state {
            *held.entry(reason.name()).or_default() += 1;
        }
    }
    held
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn one_walk_does_for_many_messages(steps in prop::collection::vec(step(), 1..60)) {
        let (mut at_once, mut deferred) = (new_table(), new_table());
        let (mut went, mut links) = ([0, 0], BTreeMap::new());
        deferred.defer();
        for step in steps.iter().chain([&Step::Apply]) {
            went[0] += apply(&mut at_once, step);
            if matches!(step, Step::Apply) {
                went[1] += deferred.apply_deferred();
            }
            assert_eq!(apply(&mut deferred, step), 0, "reported when it is applied");
            match step {
                Step::Link(index, link) => {
                    links.insert(*index, link.clone());
                }
                Step::RemoveLink(index) => {
                    links.remove(index);
                }
                Step::Apply => {
                    assert_eq!(went[0], went[1]);
                    compare(&at_once, &deferred);
                    assert_eq!(held(&deferred), deferred.held_routes());
                    deferred.defer();
                }
                _ => {}
            }
        }
        deferred.apply_deferred();

        // Each set resolves as in a new table with the same topology.
        let mut anew = new_table();
        for (index, link) in &links {
            anew.link(*index, link.clone());
        }
        for id in 1..7 {
            if let Some(object) = deferred.next_hop_object(id) {
                anew.next_hop(id, object.clone());
            }
        }
        let mut resolutions = BTreeMap::new();
        for view in deferred.next_hop_sets(0, usize::MAX).0 {
            resolutions.insert(format!("{:?}", view.set), view.resolved);
        }
        for view in views(&deferred) {
            let RouteView { table, prefix, tos, metric, protocol, set, .. } = view;
            let key = RouteKey { table, prefix, tos, metric };
            anew.announce(Route { key, protocol, set }, InsertMode::Append);
        }
        for view in anew.next_hop_sets(0, usize::MAX).0 {
            assert_eq!(resolutions.get(&format!("{:?}", view.set)), Some(&view.resolved));
        }

        for family in Family::ALL {
            deferred.begin_resync(bgpreflector_core::table::DumpScope::Everything);
            deferred.end_resync(&[family]);
        }
        apply(&mut deferred, &Step::Apply);
        assert_eq!(deferred.sets(), (0, 0), "every set must be given back");
        assert!(deferred.held_routes().is_empty());
    }
}

fn by_object(number: u32, id: u32) -> Route {
    let mut route = route_by(Prefix::v4(number << 8, 24), []);
    route.set.next_hops = NextHopSource::Object(id);
    route
}

#[test]
fn a_route_that_comes_again_by_an_object_of_the_same_id_stays() {
    let mut table = new_table();
    table.next_hop(1, NextHopObject::Single(hop(1)));
    table.announce(by_object(1, 1), InsertMode::Replace);
    table.announce(by_object(2, 1), InsertMode::Replace);
    table.defer();
    table.remove_next_hop(1);
    table.next_hop(1, NextHopObject::Single(hop(2)));
    table.announce(by_object(2, 1), InsertMode::Replace);
    table.announce(by_object(3, 1), InsertMode::Replace);
    assert_eq!(table.apply_deferred(), 2);
    let prefixes: Vec<Prefix> = views(&table).iter().map(|view| view.prefix).collect();
    assert_eq!(prefixes, [Prefix::v4(2 << 8, 24), Prefix::v4(3 << 8, 24)]);
    assert_eq!(table.sets().0, 1);
}
