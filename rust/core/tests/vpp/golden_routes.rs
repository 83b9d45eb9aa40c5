//! The recorded route requests from their field values, and their replies, byte for byte.

use super::vectors::{Direction, Recorded, load};
use bgpreflector_core::route::{Family, Path, PathSet, PathType, Prefix};
use bgpreflector_core::vpp::route::{NO_STATS_INDEX, decode_route_add_del_v2};
use bgpreflector_core::vpp::{EncodedPaths, RouteEncoder, RouteReply};

const ADD_DEL_V2: u16 = 400;
const CLIENT_INDEX: u32 = 0x8000_0001;
const SOURCE: u8 = 25;
const LOOP0: u32 = 1;

fn via(next_hop: &str, sw_if_index: u32) -> Path {
    let next_hop = next_hop.parse().unwrap();
    Path {
        next_hop: Some(next_hop),
        sw_if_index,
        ..Path::new(PathType::Normal, Family::of(next_hop))
    }
}

fn dropped(path_type: PathType) -> Option<Vec<Path>> {
    Some(vec![Path::new(path_type, Family::V4)])
}

/// The step's table, prefix and paths; no paths in a deletion.
fn said(step: &str) -> (u32, &'static str, Option<Vec<Path>>) {
    let gateway = || via("10.0.0.7", LOOP0);
    let none = Path::NO_INTERFACE;
    match step {
        "add_v4_interface" => (0, "198.51.100.0/24", Some(vec![gateway()])),
        "add_v4_recursive" => (0, "198.51.101.0/24", Some(vec![via("10.0.0.7", none)])),
        "add_v4_ecmp_weights" => {
            let heavy = Path {
                weight: 2,
                ..gateway()
            };
            (
                0,
                "198.51.102.0/24",
                Some(vec![heavy, via("10.0.0.8", LOOP0)]),
            )
        }
        "replace_v4" => (0, "198.51.102.0/24", Some(vec![via("10.0.0.9", LOOP0)])),
        "add_v4_blackhole" => (0, "192.0.2.0/24", dropped(PathType::Drop)),
        "add_v4_unreachable" => (0, "192.0.3.0/24", dropped(PathType::IcmpUnreach)),
        "add_v4_prohibit" => (0, "192.0.4.0/24", dropped(PathType::IcmpProhibit)),
        "add_v4_via_v6" => (0, "198.51.103.0/24", Some(vec![via("fe80::1", LOOP0)])),
        "add_v4_device_only" => {
            let device_only = Path {
                next_hop: None,
                ..gateway()
            };
            (0, "198.51.104.0/24", Some(vec![device_only]))
        }
        "add_v4_mpls" => {
            let labelled = Path {
                labels: [100].into_iter().collect(),
                ..gateway()
            };
            (0, "198.51.105.0/24", Some(vec![labelled]))
        }
        "add_v6" => (0, "2001:db8:a::/48", Some(vec![via("fe80::1", LOOP0)])),
        "add_v6_ecmp" => {
            let both = vec![via("fe80::2", LOOP0), via("fe80::1", LOOP0)];
            (0, "2001:db8:b::/48", Some(both))
        }
        "add_default_v4" => (0, "0.0.0.0/0", Some(vec![gateway()])),
        "add_table10" => (10, "203.0.113.0/24", Some(vec![gateway()])),
        "err_no_table" => (77, "203.0.113.0/24", Some(vec![gateway()])),
        "err_bad_interface" => (0, "203.0.113.0/24", Some(vec![via("10.0.0.7", 99)])),
        // The recording's name for an add without a path.
        "err_prefix_too_long" => (0, "203.0.113.0/24", Some(vec![])),
        "del_v4" => (0, "198.51.100.0/24", None),
        "del_absent" => (0, "198.51.222.0/24", None),
        other => panic!("no values for the recorded step {other}"),
    }
}

fn requests() -> Vec<Recorded> {
    let mut recorded = load("routes");
    recorded.retain(|frame| frame.direction == Direction::Request);
    assert_eq!(recorded.len(), 19);
    recorded
}

fn context_of(recorded: &Recorded) -> u32 {
    decode_route_add_del_v2(recorded.message()).unwrap().context
}

#[test]
fn every_request_is_written_to_the_byte() {
    let encoder = RouteEncoder::new(ADD_DEL_V2, CLIENT_INDEX, SOURCE);
    let mut all = Vec::new();
    for recorded in requests() {
        let (table, prefix, paths) = said(&recorded.step);
        let prefix = prefix.parse().unwrap();
        let start = all.len();
        let context = context_of(&recorded);
        match paths {
            Some(paths) => {
                let paths = EncodedPaths::new(&PathSet::new(paths)).unwrap();
                encoder.replace(&mut all, context, table, &prefix, &paths);
            }
            None => encoder.delete(&mut all, context, table, &prefix),
        }
        assert_eq!(all[start..], recorded.frame, "{}", recorded.step);
    }
}

#[test]
fn every_request_is_read_as_it_was_meant() {
    for recorded in requests() {
        let (table, prefix, paths) = said(&recorded.step);
        let request = decode_route_add_del_v2(recorded.message()).unwrap();
        assert_eq!(request.client_index, CLIENT_INDEX);
        assert_eq!(request.is_add, paths.is_some(), "{}", recorded.step);
        assert!(!request.is_multipath);
        assert_eq!(request.route.table, table);
        assert_eq!(request.route.prefix, prefix.parse::<Prefix>().unwrap());
        assert_eq!(request.route.source, Some(SOURCE));
        let set = request.route.paths.to_set().unwrap();
        assert_eq!(
            set,
            PathSet::new(paths.unwrap_or_default()),
            "{}",
            recorded.step
        );
        let mut again = Vec::new();
        request.encode(recorded.id(), &mut again);
        assert_eq!(again, recorded.frame, "{}", recorded.step);
    }
}

#[test]
fn every_reply_is_read_and_written_to_the_byte() {
    let requests = requests();
    let mut replies = load("routes");
    replies.retain(|frame| frame.direction == Direction::Reply);
    assert_eq!(replies.len(), requests.len());
    for (recorded, request) in replies.iter().zip(&requests) {
        let reply = RouteReply::decode(recorded.message()).unwrap();
        assert_eq!(reply.context, context_of(request), "{}", recorded.step);
        let retval = match recorded.step.as_str() {
            "err_no_table" => -3,
            "err_bad_interface" => -54,
            "err_prefix_too_long" => -52,
            _ => 0,
        };
        assert_eq!(reply.retval, retval, "{}", recorded.step);
        let added = !recorded.step.starts_with("err") && !recorded.step.starts_with("del");
        assert_eq!(
            reply.stats_index != NO_STATS_INDEX,
            added,
            "{}",
            recorded.step
        );
        let mut again = Vec::new();
        reply.encode(recorded.id(), &mut again);
        assert_eq!(again[16..], *recorded.message(), "{}", recorded.step);
    }
}
