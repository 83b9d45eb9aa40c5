//! Any route that the kernel can hold.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bgpreflector_core::route::{
    Family, NextHop, NextHopSet, NextHopSource, Prefix, Route, RouteKey, RouteType,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Any route.
pub fn route() -> impl Strategy<Value = Route> {
    prop_oneof![Just(Family::V4), Just(Family::V6)].prop_flat_map(|family| {
        let key = (prefix(family), table(), tos(family), metric());
        (key, any::<u8>(), set(family)).prop_map(|((prefix, table, tos, metric), protocol, set)| {
            Route {
                key: RouteKey {
                    table,
                    prefix,
                    tos,
                    metric,
                },
                protocol,
                set,
            }
        })
    })
}

fn prefix(family: Family) -> impl Strategy<Value = Prefix> {
    let length = prop_oneof![
        1 => Just(0),
        1 => Just(family.bits()),
        4 => 0..=family.bits(),
    ];
    (address(family), length).prop_map(|(address, length)| Prefix::new(address, length).unwrap())
}

fn table() -> impl Strategy<Value = u32> {
    prop_oneof![Just(254), 1u32..256, any::<u32>()]
}

fn tos(family: Family) -> BoxedStrategy<u8> {
    match family {
        Family::V4 => any::<u8>().boxed(),
        Family::V6 => Just(0).boxed(),
    }
}

fn metric() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), any::<u32>()]
}

fn set(family: Family) -> impl Strategy<Value = NextHopSet> {
    let special = (2u8..=u8::MAX).prop_map(|number| match number {
        6 => RouteType::Blackhole,
        7 => RouteType::Unreachable,
        8 => RouteType::Prohibit,
        other => RouteType::Other(other),
    });
    let none = NextHopSource::Inline([].into_iter().collect());
    let unicast = prop_oneof![
        3 => flat_hop(family).prop_map(|hop| NextHopSource::Inline([hop].into_iter().collect())),
        3 => vec(next_hop(family), 1..20).prop_map(|next_hops| NextHopSource::Inline(next_hops.into())),
        1 => Just(none.clone()),
        2 => (1..=u32::MAX).prop_map(NextHopSource::Object),
    ];
    let unicast = unicast.prop_map(|next_hops| (RouteType::Unicast, next_hops));
    let special = prop_oneof![
        4 => special.clone().prop_map(move |special| (special, none.clone())),
        1 => (special, 1..=u32::MAX).prop_map(|(special, id)| (special, NextHopSource::Object(id))),
    ];
    prop_oneof![4 => unicast, 1 => special]
        .prop_map(move |(route_type, next_hops)| NextHopSet::new(family, route_type, next_hops))
}

/// A next hop as an attribute of the route itself: it has a gateway, an interface or both.
fn flat_hop(family: Family) -> impl Strategy<Value = NextHop> {
    next_hop(family)
        .prop_filter("neither gateway nor interface", |hop| {
            hop.gateway.is_some() || hop.interface != 0
        })
        .prop_map(|hop| NextHop { weight: 1, ..hop })
}

fn next_hop(family: Family) -> impl Strategy<Value = NextHop> {
    let other = match family {
        Family::V4 => Family::V6,
        Family::V6 => Family::V4,
    };
    let gateway = option::weighted(0.8, prop_oneof![4 => address(family), 1 => address(other)]);
    let interface = prop_oneof![Just(0), 1u32..100, any::<u32>()];
    let encapsulation = prop_oneof![
        4 => Just((vec![], 0)),
        2 => vec(0u32..1 << 20, 1..17).prop_map(|labels| (labels, 0)),
        1 => (2..=u16::MAX).prop_map(|kind| (vec![], kind)),
    ];
    let flags = (any::<bool>(), any::<bool>());
    (gateway, interface, 1u32..=256, flags, encapsulation).prop_map(
        |(gateway, interface, weight, (onlink, dead), (labels, encapsulation))| NextHop {
            gateway,
            interface,
            weight,
            onlink,
            dead,
            labels: labels.into(),
            encapsulation,
            digest: 0,
        },
    )
}

fn address(family: Family) -> BoxedStrategy<IpAddr> {
    match family {
        Family::V4 => any::<u32>()
            .prop_map(|bits| Ipv4Addr::from(bits).into())
            .boxed(),
        Family::V6 => any::<u128>()
            .prop_map(|bits| Ipv6Addr::from(bits).into())
            .boxed(),
    }
}
