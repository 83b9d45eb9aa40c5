//! Routes: paths, sources, lookups.

use super::support::requests::{Ask, prefix, via, weighted};
use super::support::{Client, Harness};
use bgpreflector_core::route::{Path, PathType};
use bgpreflector_core::vpp::messages as m;

const P: &str = "198.51.100.0/24";
const NO_SUCH_ENTRY: i32 = -6;
/// VPP's own source of the default drop routes.
const DEFAULT_ROUTE: u8 = 20;

#[test]
fn next_hops_join_and_leave_one_by_one() {
    let harness = Harness::new();
    let mut client = harness.client();
    let (a, b, c) = (via("10.0.0.1"), via("10.0.0.2"), via("10.0.0.3"));
    let add = |paths| Ask::replace(8, P, paths).next_hops();
    let remove = |paths| Ask {
        is_add: false,
        ..Ask::replace(8, P, paths).next_hops()
    };
    let next_hop = |path: &_| vec![Path::clone(path)];
    let (a, b, c) = (&a, &b, &c);
    let (only_a, only_b, b_and_c) = (
        next_hop(a),
        next_hop(b),
        [next_hop(b), next_hop(c)].concat(),
    );
    let (all, without_b) = (
        [next_hop(a), b_and_c.clone()].concat(),
        [next_hop(a), next_hop(c)].concat(),
    );
    let steps = [
        (add(&only_a), &only_a),
        (add(&b_and_c), &all),
        (add(&only_b), &all),
        (remove(&only_b), &without_b),
        (remove(&only_b), &without_b),
    ];
    for (number, (ask, left)) in steps.iter().enumerate() {
        assert_eq!(client.route(ask), 0, "step {number}");
        let found = client.lookup(P, true).unwrap().2;
        assert_eq!(found.paths(), **left, "step {number}");
    }
    assert_eq!(client.route(&remove(&without_b)), 0);
    assert_eq!(client.lookup(P, true), Err(NO_SUCH_ENTRY));
}

/// Observed on VPP 26.10: `fib_path_list_copy_and_path_add` only looks for duplicates.
#[test]
fn a_next_hop_added_again_keeps_its_weight() {
    let harness = Harness::new();
    let mut client = harness.client();
    let first = [via("10.0.0.1"), via("10.0.0.2")];
    assert_eq!(client.route(&Ask::replace(8, P, &first)), 0);
    let next_hop = [weighted("10.0.0.1", 7)];
    assert_eq!(client.route(&Ask::replace(8, P, &next_hop).next_hops()), 0);
    let found = client.lookup(P, true).unwrap().2;
    assert_eq!(found.paths(), first);
}

#[test]
fn without_multipath_the_whole_set_is_replaced() {
    let harness = Harness::new();
    let mut client = harness.client();
    let (old, new) = ([via("10.0.0.1"), via("10.0.0.2")], [via("10.0.0.3")]);
    assert_eq!(client.route(&Ask::replace(8, P, &old)), 0);
    assert_eq!(client.route(&Ask::replace(8, P, &new)), 0);
    assert_eq!(client.lookup(P, true).unwrap().2.paths(), new);
    let statistics = harness.simulator.statistics();
    assert_eq!((statistics.adds, statistics.replaces), (1, 1));
}

#[test]
fn the_source_of_the_lowest_priority_forwards() {
    let harness = Harness::new();
    let mut client = harness.client();
    let (high, low) = (client.add_source("high", 10), client.add_source("low", 250));
    let (by_high, by_low, by_api) = ([via("10.0.0.1")], [via("10.0.0.2")], [via("10.0.0.3")]);
    let forwards = |client: &mut super::support::Client| {
        let (_, source, paths) = client.lookup(P, true).unwrap();
        (source, paths.paths().to_vec())
    };
    assert_eq!(client.route(&Ask::replace(low, P, &by_low)), 0);
    assert_eq!(forwards(&mut client), (low, by_low.to_vec()));
    assert_eq!(client.route(&Ask::replace(high, P, &by_high)), 0);
    assert_eq!(forwards(&mut client), (high, by_high.to_vec()));
    // Version 1 has no source: the API's is used, with priority 128.
    let mut v1 = Ask::replace(8, P, &by_api);
    v1.source = None;
    assert_eq!(client.route(&v1), 0);
    assert_eq!(forwards(&mut client), (high, by_high.to_vec()));
    let sources = |routes: Vec<(_, Option<u8>, _)>| -> Vec<u8> {
        routes
            .iter()
            .filter(|(shown, ..)| *shown == prefix(P))
            .map(|(_, source, _)| source.unwrap())
            .collect()
    };
    assert_eq!(sources(client.dump(0)), [high]);
    assert_eq!(sources(client.dump(high)), [high]);
    assert_eq!(client.dump(low), [], "only what forwards is shown");
    assert_eq!(client.route(&Ask::delete(high, P)), 0);
    assert_eq!(forwards(&mut client), (8, by_api.to_vec()));
    v1 = Ask::delete(8, P);
    v1.source = None;
    assert_eq!(client.route(&v1), 0);
    assert_eq!(forwards(&mut client), (low, by_low.to_vec()));
    assert_eq!(harness.simulator.snapshot("low").len(), 1);
}

#[test]
fn a_name_added_twice_makes_two_sources() {
    let harness = Harness::new();
    let mut client = harness.client();
    let ids = [0; 2].map(|_| client.add_source("same", 100));
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn the_longest_match_is_found() {
    let harness = Harness::new();
    let mut client = harness.client();
    let paths = [via("10.0.0.1")];
    for route in [
        "0.0.0.0/0",
        "198.51.0.0/16",
        P,
        "198.51.100.7/32",
        "2001:db8::/32",
    ] {
        let hop = match route.contains(':') {
            true => vec![via("fe80::1")],
            false => paths.to_vec(),
        };
        assert_eq!(client.route(&Ask::replace(8, route, &hop)), 0);
    }
    let expected = [
        ("198.51.100.7/32", "198.51.100.7/32"),
        ("198.51.100.8/32", P),
        ("198.51.100.0/25", P),
        ("198.51.100.0/23", "198.51.0.0/16"),
        ("203.0.113.1/32", "0.0.0.0/0"),
        ("2001:db8:1::1/128", "2001:db8::/32"),
    ];
    for (asked, found) in expected {
        assert_eq!(
            client.lookup(asked, false).unwrap().0,
            prefix(found),
            "{asked}"
        );
    }
    let (found, source, paths) = client.lookup("2001:db9::1/128", false).unwrap();
    assert_eq!((found, source), (prefix("::/0"), DEFAULT_ROUTE));
    assert_eq!(paths.paths()[0].path_type, PathType::Drop);
    assert_eq!(client.lookup("198.51.100.8/32", true), Err(NO_SUCH_ENTRY));
    assert_eq!(client.lookup(P, true).unwrap().0, prefix(P));
}

#[test]
fn deletions_are_noted_when_somebody_wants_to_know() {
    let harness = Harness::new();
    let mut client = harness.client();
    let (paths, q, absent) = ([via("10.0.0.7")], "2001:db8::/32", "192.0.2.0/24");
    for p in [P, q] {
        assert_eq!(client.route(&Ask::replace(8, p, &paths)), 0);
    }
    assert_eq!(client.route(&Ask::delete(8, P)), 0);
    assert_eq!(harness.simulator.deletions(), []);

    harness.simulator.record_deletions();
    assert_eq!(client.route(&Ask::replace(8, P, &paths)), 0);
    assert_eq!(client.route(&Ask::replace(8, P, &paths)), 0);
    assert_eq!(harness.simulator.deletions(), []);
    for p in [q, absent, P] {
        assert_eq!(client.route(&Ask::delete(8, p)), 0);
    }
    // A prefix that is added again was deleted all the same.
    assert_eq!(client.route(&Ask::replace(8, P, &paths)), 0);
    let noted = [absent, P, q].map(|p| (0, prefix(p)));
    assert_eq!(harness.simulator.deletions(), noted);

    harness.simulator.record_deletions();
    assert_eq!(harness.simulator.deletions(), []);
}

#[test]
fn what_went_through_a_deleted_interface_stays_dead_while_any_route_has_its_paths() {
    let harness = Harness::new();
    let mut client = harness.client();
    let (one, two) = ("198.51.100.0/24", "198.51.101.0/24");
    let paths = [via("10.0.0.1")];
    let dead = |client: &mut Client, prefix: &str| {
        let command = format!("show ip fib {prefix}");
        let mut fields = u32::try_from(command.len()).unwrap().to_be_bytes().to_vec();
        fields.extend_from_slice(command.as_bytes());
        let reply = client.call(m::CLI_INBAND, &fields);
        String::from_utf8_lossy(&reply).contains("unresolved")
    };
    for prefix in [one, two] {
        assert_eq!(client.route(&Ask::replace(8, prefix, &paths)), 0);
    }
    assert!(!dead(&mut client, one));
    client.call(m::DELETE_LOOPBACK, &1_u32.to_be_bytes());
    client.call(m::CREATE_LOOPBACK, &[0; 6]);
    assert!(dead(&mut client, one));
    assert_eq!(client.route(&Ask::replace(8, one, &paths)), 0);
    assert!(dead(&mut client, one), "the same paths heal nothing");
    assert_eq!(client.route(&Ask::delete(8, one)), 0);
    assert_eq!(client.route(&Ask::replace(8, one, &paths)), 0);
    assert!(dead(&mut client, one), "another route has them still");
    for prefix in [one, two] {
        assert_eq!(client.route(&Ask::delete(8, prefix)), 0);
    }
    assert_eq!(client.route(&Ask::replace(8, one, &paths)), 0);
    assert!(!dead(&mut client, one));
}
