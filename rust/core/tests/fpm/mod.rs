//! Real frames of zebra's, and the results for them.

use std::net::IpAddr;
use std::path::Path;

use bgpreflector_core::fpm::{FpmFrameReader, encode_result};
use bgpreflector_core::netlink::constants::{RTM_F_OFFLOAD, RTM_F_OFFLOAD_FAILED, RTM_NEWROUTE};
use bgpreflector_core::netlink::{Action, Message, Messages, Payload};
use bgpreflector_core::route::{
    Family, NextHop, NextHopSet, NextHopSource, Prefix, Route, RouteKey, RouteType,
};

use crate::netlink::support::captures::from_hex;

/// Every frame that FRR 8.4.4's zebra sent.
pub fn frames() -> Vec<Vec<u8>> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/fpm/frr-8.4.4.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let frame = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        from_hex(value["frame"].as_str().unwrap())
    };
    text.lines().map(frame).collect()
}

fn messages(stream: &[u8], step: usize) -> Vec<Message> {
    let mut reader = FpmFrameReader::default();
    let mut seen = Vec::new();
    for part in stream.chunks(step) {
        reader.spare()[..part.len()].copy_from_slice(part);
        reader.advance(part.len());
        while let Some(frame) = reader.next_frame().unwrap() {
            seen.extend(Messages::new(frame).map(Result::unwrap));
        }
    }
    assert_eq!(reader.buffered(), 0);
    seen
}

#[test]
fn the_decoder_reads_all_that_zebra_says() {
    let stream = frames().concat();
    let all = messages(&stream, 4096);
    for step in [1, 7, 61] {
        assert_eq!(messages(&stream, step), all, "{step} bytes at a time");
    }
    let mut counts = [0; 4];
    let mut announced = Vec::new();
    for message in &all {
        match &message.payload {
            Payload::Route(route) if route.action == Action::New => {
                counts[0] += 1;
                announced.push(route.route.clone());
            }
            Payload::Route(_) => counts[1] += 1,
            Payload::NextHop(next_hop) if next_hop.action == Action::New => counts[2] += 1,
            Payload::NextHop(_) => counts[3] += 1,
            other => panic!("{other:?}"),
        }
    }
    // Beside those of the kernel's, ten IPv4 and five IPv6 prefixes and what replaced their routes.
    assert_eq!(counts, [40, 20, 10, 2]);
    let of = |protocol| {
        announced
            .iter()
            .filter(move |route| route.protocol == protocol)
    };
    assert_eq!((of(186).count(), of(2).count()), (35, 5));
    let first = of(186).next().unwrap();
    assert_eq!(first.key.prefix.to_string(), "198.51.100.0/28");
    assert_eq!((first.key.table, first.key.metric), (254, 20));
    assert_eq!(first.set.next_hops, NextHopSource::Object(13));
}

fn result_for(route: &Route, installed: bool) -> Message {
    let mut out = Vec::new();
    assert!(encode_result(route, installed, &mut out));
    assert_eq!(usize::from(u16::from_be_bytes([out[2], out[3]])), out.len());
    // `nlmsg_flags` NLM_F_REQUEST, without which zebra reads no further.
    assert_eq!(u16::from_ne_bytes([out[10], out[11]]), 1);
    let flags = u32::from_ne_bytes([out[28], out[29], out[30], out[31]]);
    let wanted = if installed {
        RTM_F_OFFLOAD
    } else {
        RTM_F_OFFLOAD_FAILED
    };
    assert_eq!(flags, wanted);
    let mut all = messages(&out, 4096);
    assert_eq!(all.len(), 1);
    let message = all.pop().unwrap();
    assert_eq!(message.header.kind, RTM_NEWROUTE);
    message
}

#[test]
fn a_result_says_the_route_as_zebra_said_it() {
    let gateway = |text: &str| text.parse::<IpAddr>().ok();
    let route = |table, prefix: Prefix, route_type, next_hops| Route {
        key: RouteKey {
            table,
            prefix,
            tos: 0,
            metric: 20,
        },
        protocol: 186,
        set: NextHopSet::new(prefix.family(), route_type, next_hops),
    };
    let one = |hop: NextHop| NextHopSource::Inline([hop].into_iter().collect());
    let (v4, v6) = (
        Prefix::v4(0xc633_6400, 28),
        Prefix::v6(0x2001_0db8 << 96, 48),
    );
    let next_hops = [
        NextHop {
            weight: 3,
            ..NextHop::new(gateway("10.2.0.2"), 2)
        },
        NextHop {
            onlink: true,
            ..NextHop::new(gateway("fe80::1"), 3)
        },
        NextHop::new(None, 4),
    ];
    let unicast = RouteType::Unicast;
    for route in [
        route(254, v4, unicast, NextHopSource::Object(13)),
        route(254, v4, unicast, one(NextHop::new(gateway("10.2.0.2"), 2))),
        route(254, v4, unicast, one(NextHop::new(gateway("fe80::2"), 2))),
        route(1000, v6, unicast, one(NextHop::new(gateway("fe80::2"), 2))),
        route(
            1000,
            v4,
            unicast,
            NextHopSource::Inline(next_hops.into_iter().collect()),
        ),
        route(
            70_000,
            v6,
            RouteType::Blackhole,
            NextHopSource::Inline([].into_iter().collect()),
        ),
        route(
            254,
            Prefix::of(Family::V4, 0, 0),
            RouteType::Prohibit,
            NextHopSource::Inline([].into_iter().collect()),
        ),
    ] {
        for installed in [true, false] {
            let Payload::Route(said) = result_for(&route, installed).payload else {
                panic!("{route:?}");
            };
            assert_eq!((said.action, &said.route), (Action::New, &route));
        }
    }
    let mut out = Vec::new();
    let many = (0..9000)
        .map(|n| NextHop::new(gateway("10.0.0.1"), n))
        .collect();
    let throw = route(254, v4, RouteType::Other(9), NextHopSource::Object(1));
    let long = route(254, v4, unicast, NextHopSource::Inline(many));
    assert!(!encode_result(&throw, true, &mut out) && out.is_empty());
    // Its next hops are more than an attribute holds: the route is named without them.
    assert!(encode_result(&long, true, &mut out));
}
