//! `netlink-packet-route`, an independent reader of rtnetlink, sees in every message what the
//! decoder sees.

use std::net::IpAddr;

use super::support::{captures, encode, routes};
use bgpreflector_core::netlink::{
    Action, LinkMessage, Message, Messages, NextHopMessage, Payload, SkipReason,
};
use bgpreflector_core::route::{NextHop, NextHopSource, Prefix, Route};
use netlink_packet_core::{NetlinkMessage, NetlinkPayload, Nla, NlasIterator};
use netlink_packet_route::link::{
    InfoData, InfoVrf, LinkAttribute, LinkFlags, LinkInfo, LinkMessage as OtherLink,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteLwTunnelEncap, RouteMessage as OtherRoute,
    RouteMplsIpTunnel, RouteNextHopFlags, RouteVia,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use proptest::prelude::*;

type Other = NetlinkMessage<RouteNetlinkMessage>;

/// The bytes of each message, found by their length fields alone.
fn split(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let length = u32::from_ne_bytes(bytes[..4].try_into().unwrap()) as usize;
        messages.push(&bytes[..length]);
        bytes = &bytes[length.next_multiple_of(4).min(bytes.len())..];
    }
    messages
}

#[test]
fn both_see_the_same_in_every_capture() {
    let mut seen = 0;
    for capture in captures::load() {
        let ours: Vec<Message> = Messages::new(&capture.bytes).map(Result::unwrap).collect();
        let parts = split(&capture.bytes);
        assert_eq!(ours.len(), parts.len(), "{}", capture.name);
        for (ours, bytes) in ours.iter().zip(parts) {
            compare(&capture.name, ours, bytes);
            seen += 1;
        }
    }
    assert!(seen > 350, "{seen} messages");
}

fn compare(name: &str, ours: &Message, bytes: &[u8]) {
    if let Payload::NextHop(object) = &ours.payload {
        return assert_eq!(object, &next_hop_object(object.action, bytes), "{name}");
    }
    let other = Other::deserialize(bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
    let header = &other.header;
    assert_eq!(
        (
            ours.header.kind,
            ours.header.flags,
            ours.header.sequence,
            ours.header.port
        ),
        (
            header.message_type,
            header.flags,
            header.sequence_number,
            header.port_number
        ),
        "{name}"
    );
    match (&ours.payload, other.payload) {
        (Payload::Done(errno), NetlinkPayload::Done(done)) => {
            assert_eq!(*errno, done.code, "{name}")
        }
        (Payload::Error { errno, .. }, NetlinkPayload::Error(error)) => {
            assert_eq!(*errno, error.raw_code(), "{name}");
        }
        (body, NetlinkPayload::InnerMessage(message)) => inner(name, body, &message),
        (body, payload) => panic!("{name}: {body:?} against {payload:?}"),
    }
}

fn inner(name: &str, ours: &Payload, other: &RouteNetlinkMessage) {
    match (ours, other) {
        (Payload::Route(route), RouteNetlinkMessage::NewRoute(other)) => {
            assert_eq!(route.action, Action::New, "{name}");
            assert_route(name, &route.route, other);
        }
        (Payload::Route(route), RouteNetlinkMessage::DelRoute(other)) => {
            assert_eq!(route.action, Action::Delete, "{name}");
            assert_route(name, &route.route, other);
        }
        (Payload::Link(link), RouteNetlinkMessage::NewLink(other)) => {
            assert_eq!(**link, link_of(Action::New, other), "{name}");
        }
        (Payload::Link(link), RouteNetlinkMessage::DelLink(other)) => {
            assert_eq!(**link, link_of(Action::Delete, other), "{name}");
        }
        (
            Payload::SourceSpecific(route),
            RouteNetlinkMessage::NewRoute(other) | RouteNetlinkMessage::DelRoute(other),
        ) => assert_eq!(
            route.source.length(),
            other.header.source_prefix_length,
            "{name}"
        ),
        (
            Payload::Skipped(SkipReason::Family),
            RouteNetlinkMessage::NewLink(other) | RouteNetlinkMessage::DelLink(other),
        ) => assert_eq!(
            other.header.interface_family,
            AddressFamily::Bridge,
            "{name}"
        ),
        (ours, other) => panic!("{name}: {ours:?} against {other:?}"),
    }
}

fn assert_route(name: &str, ours: &Route, other: &OtherRoute) {
    let header = &other.header;
    let mut key = (u32::from(header.table), 0, None);
    let mut multipath = None;
    let mut object = None;
    for attribute in &other.attributes {
        match attribute {
            RouteAttribute::Table(table) => key.0 = *table,
            RouteAttribute::Priority(metric) => key.1 = *metric,
            RouteAttribute::Destination(address) => key.2 = Some(ip(address)),
            RouteAttribute::MultiPath(next_hops) => multipath = Some(next_hops),
            RouteAttribute::NhId(id) => object = Some(*id),
            _ => {}
        }
    }
    let default = match header.address_family {
        AddressFamily::Inet => Prefix::v4(0, 0),
        AddressFamily::Inet6 => Prefix::v6(0, 0),
        other => panic!("{name}: family {other:?}"),
    };
    let address = key.2.unwrap_or(default.address());
    let prefix = Prefix::new(address, header.destination_prefix_length).unwrap();
    assert_eq!(ours.key.prefix, prefix, "{name}");
    assert_eq!(ours.set.family, prefix.family(), "{name}");
    assert_eq!((ours.key.table, ours.key.metric), (key.0, key.1), "{name}");
    assert_eq!(ours.key.tos, header.tos, "{name}");
    assert_eq!(ours.protocol, u8::from(header.protocol), "{name}");
    assert_eq!(
        encode::type_number(ours.set.route_type),
        u8::from(header.kind),
        "{name}"
    );
    let flags = header.flags;
    let flags = (
        flags.contains(RouteFlags::Onlink),
        flags.contains(RouteFlags::Dead),
    );
    let expected = match (object, u8::from(header.kind), multipath) {
        (Some(id), ..) => NextHopSource::Object(id),
        (None, 1, Some(next_hops)) => NextHopSource::Inline(
            next_hops
                .iter()
                .map(|other| {
                    let bits = other.flags;
                    let onlink = bits.contains(RouteNextHopFlags::Onlink);
                    let flags = (onlink, bits.contains(RouteNextHopFlags::Dead));
                    let hop = next_hop(other.interface_index, flags, &other.attributes);
                    NextHop {
                        weight: u32::from(other.hops) + 1,
                        ..hop
                    }
                })
                .collect(),
        ),
        (None, 1, None) => {
            let hop = next_hop(0, flags, &other.attributes);
            let named = hop.gateway.is_some() || hop.interface != 0;
            NextHopSource::Inline(named.then_some(hop).into_iter().collect())
        }
        (None, ..) => NextHopSource::Inline([].into_iter().collect()),
    };
    // What the digests are of, the other one reads as bytes.
    let mut next_hops = ours.set.next_hops.clone();
    if let NextHopSource::Inline(hops) = &mut next_hops {
        hops.iter_mut().for_each(|hop| hop.digest = 0);
    }
    assert_eq!(next_hops, expected, "{name}");
}

fn ip(address: &RouteAddress) -> IpAddr {
    match address {
        RouteAddress::Inet(v4) => (*v4).into(),
        RouteAddress::Inet6(v6) => (*v6).into(),
        other => panic!("{other:?}"),
    }
}

fn next_hop(interface: u32, flags: (bool, bool), attributes: &[RouteAttribute]) -> NextHop {
    let mut hop = NextHop::new(None, interface);
    (hop.onlink, hop.dead) = flags;
    for attribute in attributes {
        match attribute {
            RouteAttribute::Gateway(address) => hop.gateway = Some(ip(address)),
            RouteAttribute::Via(RouteVia::Inet(v4)) => hop.gateway = Some((*v4).into()),
            RouteAttribute::Via(RouteVia::Inet6(v6)) => hop.gateway = Some((*v6).into()),
            RouteAttribute::Oif(index) => hop.interface = *index,
            RouteAttribute::EncapType(kind) => hop.encapsulation = u16::from(*kind),
            _ => {}
        }
    }
    if hop.encapsulation == 1 {
        hop.encapsulation = 0;
        let encap = attributes.iter().find_map(|attribute| match attribute {
            RouteAttribute::Encap(parts) => Some(parts),
            _ => None,
        });
        hop.labels = encap.unwrap().iter().flat_map(labels).collect();
    }
    hop
}

fn labels(part: &RouteLwTunnelEncap) -> Vec<u32> {
    match part {
        RouteLwTunnelEncap::Mpls(RouteMplsIpTunnel::Destination(stack)) => {
            stack.iter().map(|entry| entry.label).collect()
        }
        // In a next hop it does not look for the type of an encapsulation.
        RouteLwTunnelEncap::Other(nla) if nla.kind() == 1 => {
            let mut value = vec![0; nla.value_len()];
            nla.emit_value(&mut value);
            let entry = |entry: &[u8]| u32::from_be_bytes(entry.try_into().unwrap()) >> 12;
            value.chunks(4).map(entry).collect()
        }
        _ => vec![],
    }
}

fn link_of(action: Action, other: &OtherLink) -> LinkMessage {
    let name = other
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            LinkAttribute::IfName(name) => Some(name.as_str().into()),
            _ => None,
        });
    let address = other
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            LinkAttribute::Address(bytes) => bytes.as_slice().try_into().ok(),
            _ => None,
        });
    LinkMessage {
        action,
        index: other.header.index,
        name,
        address: address.filter(|address| *address != [0; 6]),
        up: other.header.flags.contains(LinkFlags::Up),
        carrier: other.header.flags.contains(LinkFlags::LowerUp),
        vrf_table: other.attributes.iter().find_map(vrf_table),
    }
}

fn vrf_table(attribute: &LinkAttribute) -> Option<u32> {
    let LinkAttribute::LinkInfo(info) = attribute else {
        return None;
    };
    info.iter().find_map(|info| match info {
        LinkInfo::Data(InfoData::Vrf(data)) => data.iter().find_map(|one| match one {
            InfoVrf::TableId(table) => Some(*table),
            _ => None,
        }),
        _ => None,
    })
}

/// `netlink-packet-route` has no next-hop objects: its core's walk over the attributes has to do.
fn next_hop_object(action: Action, bytes: &[u8]) -> NextHopMessage {
    let (nhmsg, attributes) = bytes[16..].split_at(8);
    let mut object = NextHopMessage {
        action,
        id: 0,
        next_hop: None,
        blackhole: false,
        is_group: false,
        group: [].into_iter().collect(),
        fdb: false,
    };
    let mut hop = NextHop::new(None, 0);
    let flags = u32::from_ne_bytes(nhmsg[4..8].try_into().unwrap());
    (hop.dead, hop.onlink) = (flags & 1 != 0, flags & 4 != 0);
    for attribute in NlasIterator::new(attributes) {
        let attribute = attribute.unwrap();
        let value = attribute.value();
        let number = || u32::from_ne_bytes(value.try_into().unwrap());
        match attribute.kind() {
            1 => object.id = number(),
            2 => {
                object.is_group = true;
                let member = |entry: &[u8]| {
                    let id = u32::from_ne_bytes(entry[..4].try_into().unwrap());
                    (id, u32::from(entry[4]) + 256 * u32::from(entry[5]) + 1)
                };
                object.group = value.chunks(8).map(member).collect();
            }
            4 => object.blackhole = true,
            5 => hop.interface = number(),
            6 => {
                hop.gateway = Some(match value.len() {
                    4 => IpAddr::from(<[u8; 4]>::try_from(value).unwrap()),
                    _ => IpAddr::from(<[u8; 16]>::try_from(value).unwrap()),
                });
            }
            11 => object.fdb = true,
            _ => {}
        }
    }
    object.next_hop = (!object.blackhole && !object.is_group).then_some(hop);
    object
}

/// It knows the parts of encapsulations that a test cannot make up.
fn well_known(route: &Route) -> bool {
    match &route.set.next_hops {
        NextHopSource::Inline(hops) => hops.iter().all(|hop| hop.encapsulation == 0),
        NextHopSource::Object(_) => true,
    }
}

proptest! {
    #[test]
    fn both_see_the_same_in_any_route(route in routes::route().prop_filter("known", well_known)) {
        let mut bytes = Vec::new();
        encode::put_new_route(&mut bytes, &route);
        let ours = Messages::new(&bytes).next().unwrap().unwrap();
        prop_assert!(matches!(ours.payload, Payload::Route(_)), "{:?}", ours.payload);
        compare("generated", &ours, &bytes);
    }
}
