//! The recorded dumps and the lookup, byte for byte, and against the routes added before.

use std::collections::BTreeMap;

use super::vectors::{Direction, load};
use bgpreflector_core::route::{Family, PathSet, Prefix};
use bgpreflector_core::vpp::canonical::installed_paths;
use bgpreflector_core::vpp::route::decode_route_add_del_v2;
use bgpreflector_core::vpp::route_dump::dumped_paths;
use bgpreflector_core::vpp::route_dump::{RouteDetails, RouteDump, RouteLookup, RouteLookupReply};
use bgpreflector_core::vpp::{ControlPingReply, EmptyRequest, EncodedPaths, RouteReply};

const CONTROL_PING: u16 = 23;
const CONTROL_PING_REPLY: u16 = 24;
const V2_DUMP: u16 = 404;
const V2_DETAILS: u16 = 406;
const LOOKUP_V2: u16 = 408;
const LOOKUP_V2_REPLY: u16 = 410;

type Routes = BTreeMap<(u32, Prefix), PathSet>;

/// The routes that VPP accepted until the dump, with the last paths each was given.
fn added() -> Routes {
    let mut routes = Routes::new();
    for pair in load("routes").chunks_exact(2) {
        let request = decode_route_add_del_v2(pair[0].message()).unwrap();
        let reply = RouteReply::decode(pair[1].message()).unwrap();
        if request.is_add && reply.retval == 0 {
            let paths = request.route.paths.to_set().unwrap();
            routes.insert((request.route.table, request.route.prefix), paths);
        }
    }
    routes
}

#[test]
fn every_dumped_route_equals_the_one_added() {
    let mut dumped = Routes::new();
    for recorded in load("dumps") {
        if recorded.id() == V2_DETAILS {
            let RouteDetails { route, .. } = RouteDetails::decode(recorded.message()).unwrap();
            assert_eq!(route.source, Some(25));
            let paths = dumped_paths(&route.prefix, route.paths).unwrap();
            assert_eq!(dumped.insert((route.table, route.prefix), paths), None);
        }
    }
    let wanted: Routes = added()
        .into_iter()
        .map(|(key, paths)| (key, installed_paths(&key.1, &paths).into_owned()))
        .collect();
    assert_eq!(dumped.len(), 13);
    assert_eq!(dumped, wanted);
}

#[test]
fn dumped_bytes_differ_from_the_request_and_are_made_to_the_byte() {
    let mut seen = 0;
    for recorded in load("dumps")
        .iter()
        .filter(|frame| frame.id() == V2_DETAILS)
    {
        let details = RouteDetails::decode(recorded.message()).unwrap();
        let mut bytes = Vec::new();
        details.encode(V2_DETAILS, &mut bytes);
        assert_eq!(bytes[16..], *recorded.message());
        let requested = EncodedPaths::new(&details.route.paths.to_set().unwrap()).unwrap();
        assert_ne!(requested.as_bytes(), details.route.paths.as_bytes());
        seen += 1;
    }
    assert_eq!(seen, 13);
}

#[test]
fn dump_requests_are_read_and_written_to_the_byte() {
    let expected = [
        ("dump_v4_own", 0, Family::V4),
        ("dump_v6_own", 0, Family::V6),
        ("dump_v4_table10", 10, Family::V4),
    ];
    let dumps = load("dumps");
    let requests = dumps.iter().filter(|frame| frame.id() == V2_DUMP);
    assert_eq!(requests.clone().count(), expected.len());
    for (recorded, (step, table, family)) in requests.zip(expected) {
        assert_eq!(recorded.step, step);
        let request = RouteDump::decode(recorded.message()).unwrap();
        let expected = RouteDump {
            client_index: 0x8000_0001,
            context: request.context,
            source: 25,
            table,
            family,
        };
        assert_eq!(request, expected);
        let mut bytes = Vec::new();
        expected.encode(V2_DUMP, &mut bytes);
        assert_eq!(bytes, recorded.frame);
    }
}

#[test]
fn the_lookup_finds_the_longest_match() {
    let mut seen = 0;
    for recorded in load("dumps") {
        let mut bytes = Vec::new();
        match recorded.id() {
            LOOKUP_V2 => {
                let request = RouteLookup::decode(recorded.message()).unwrap();
                assert_eq!(request.prefix.to_string(), "198.51.100.7/32");
                assert!(!request.exact);
                request.encode(LOOKUP_V2, &mut bytes);
                assert_eq!(bytes, recorded.frame);
            }
            LOOKUP_V2_REPLY => {
                let reply = RouteLookupReply::decode(recorded.message()).unwrap();
                assert_eq!(reply.retval, 0);
                let prefix = reply.route.prefix;
                assert_eq!(prefix.to_string(), "198.51.100.0/24");
                let found = dumped_paths(&prefix, reply.route.paths).unwrap();
                assert_eq!(found, added()[&(0, prefix)]);
                reply.encode(LOOKUP_V2_REPLY, &mut bytes);
                assert_eq!(bytes[16..], *recorded.message());
            }
            _ => continue,
        }
        seen += 1;
    }
    assert_eq!(seen, 2);
}

#[test]
fn a_ping_marks_the_end_of_each_dump() {
    let mut open = None;
    let mut ended = 0;
    for recorded in load("dumps") {
        match (recorded.direction, recorded.id()) {
            (Direction::Request, CONTROL_PING) => {
                open = Some(EmptyRequest::decode(recorded.message()).unwrap().context);
            }
            (Direction::Reply, V2_DETAILS) => {
                let details = RouteDetails::decode(recorded.message()).unwrap();
                assert_eq!(Some(details.context), open);
            }
            (Direction::Reply, CONTROL_PING_REPLY) => {
                let reply = ControlPingReply::decode(recorded.message()).unwrap();
                assert_eq!(Some(reply.context), open.take());
                ended += 1;
            }
            _ => {}
        }
    }
    assert_eq!(ended, 3);
}
