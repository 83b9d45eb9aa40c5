//! Any route survives being written and read; any bytes are read or refused, never worse.

use std::sync::LazyLock;

use super::support::encode::{put_delete_route, put_new_route};
use super::support::{captures, routes};
use crate::fuzz::decode::check;
use bgpreflector_core::netlink::{Action, Messages, Payload};
use bgpreflector_core::route::{NextHop, NextHopSource, Prefix, Route};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

static CAPTURES: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| captures::load().into_iter().map(|c| c.bytes).collect());

fn capture() -> impl Strategy<Value = Vec<u8>> {
    select(CAPTURES.as_slice())
}

fn decoded(bytes: &[u8]) -> Vec<(Action, Route)> {
    Messages::new(bytes)
        .map(|message| match message.unwrap().payload {
            Payload::Route(message) => (message.action, message.route),
            other => panic!("{other:?}"),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn any_route_survives_being_written_and_read(
        all in vec((any::<bool>(), routes::route()), 1..8),
    ) {
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        for (gone, route) in all {
            if gone {
                put_delete_route(&mut bytes, &route);
                expected.push((Action::Delete, route));
            } else {
                put_new_route(&mut bytes, &route);
                expected.push((Action::New, route));
            }
        }
        prop_assert_eq!(decoded(&bytes), expected);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..512)) {
        check(&bytes);
    }

    #[test]
    fn any_payload_is_read_or_refused(
        kind in select(vec![2u16, 3, 16, 17, 24, 25, 104, 105]),
        flags in any::<u16>(),
        payload in vec(prop_oneof![3 => 0u8..32, 1 => any::<u8>()], 0..256),
    ) {
        let mut bytes = u32::try_from(16 + payload.len()).unwrap().to_ne_bytes().to_vec();
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&flags.to_ne_bytes());
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(&payload);
        check(&bytes);
    }

    #[test]
    fn any_change_of_a_capture_is_read_or_refused(
        mut bytes in capture(),
        changes in vec((any::<Index>(), any::<u8>()), 1..16),
    ) {
        for (at, value) in changes {
            let at = at.index(bytes.len().max(1));
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        check(&bytes);
    }

    #[test]
    fn any_part_of_a_capture_is_read_or_refused(
        bytes in capture(),
        ends in any::<(Index, Index)>(),
    ) {
        let (one, other) = (ends.0.index(bytes.len() + 1), ends.1.index(bytes.len() + 1));
        check(&bytes[one.min(other)..one.max(other)]);
    }
}

/// Whatever the end of a capture, the messages before it are those of the whole.
#[test]
fn a_capture_that_is_cut_off_loses_only_its_last_message() {
    for bytes in CAPTURES.iter() {
        let whole: Vec<_> = Messages::new(bytes).collect();
        for end in 0..bytes.len() {
            let part: Vec<_> = Messages::new(&bytes[..end]).collect();
            let (last, before) = part
                .split_last()
                .map_or((None, &part[..]), |(l, b)| (Some(l), b));
            assert_eq!(before, &whole[..before.len()]);
            if let Some(Ok(last)) = last {
                assert_eq!(Ok(last), whole[before.len()].as_ref());
            }
        }
    }
}

#[test]
fn a_route_of_thousands_of_next_hops_survives() {
    let mut route = example();
    let NextHopSource::Inline(one) = &route.set.next_hops else {
        panic!("the example has a next hop");
    };
    let next_hops = (1..4000).map(|interface| NextHop {
        interface,
        weight: interface % 256 + 1,
        ..one[0].clone()
    });
    route.set.next_hops = NextHopSource::Inline(next_hops.collect());
    let mut bytes = Vec::new();
    put_new_route(&mut bytes, &route);
    assert_eq!(decoded(&bytes), [(Action::New, route)]);
}

#[test]
fn a_buffer_of_a_hundred_thousand_routes_survives() {
    let mut bytes = Vec::new();
    let example = example();
    let routes: Vec<Route> = (0..100_000_u32)
        .map(|number| {
            let mut route = example.clone();
            route.key.prefix = Prefix::v4(number << 8, 24);
            route.key.table = number;
            route
        })
        .collect();
    for route in &routes {
        put_new_route(&mut bytes, route);
    }
    let expected: Vec<_> = routes
        .into_iter()
        .map(|route| (Action::New, route))
        .collect();
    assert_eq!(decoded(&bytes), expected);
}

/// A route with one next hop.
fn example() -> Route {
    captures::load()
        .iter()
        .filter(|capture| capture.name.starts_with("v4 unicast: ipv4 routes"))
        .find_map(|capture| captures::route(&capture.expected["routes"][0]))
        .unwrap()
}
