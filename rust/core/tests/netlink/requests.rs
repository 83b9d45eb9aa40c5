//! Requests to the kernel decode, by `netlink-packet-route`, to what was requested.

use bgpreflector_core::netlink::{
    RouteDumpRequest, link_dump, next_hop_dump, route_lookup, rule_dump,
};
use bgpreflector_core::route::Family;
use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteFlags, RouteMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

/// `NLM_F_REQUEST`
const REQUEST: u16 = 0x1;
/// `NLM_F_REQUEST | NLM_F_DUMP`
const DUMP: u16 = 0x301;

fn read(flags: u16, bytes: &[u8]) -> RouteNetlinkMessage {
    let request = NetlinkMessage::deserialize(bytes).unwrap();
    assert_eq!(request.header.length as usize, bytes.len());
    assert_eq!(request.header.sequence_number, 77);
    assert_eq!(request.header.flags, flags);
    match request.payload {
        NetlinkPayload::InnerMessage(message) => message,
        other => panic!("{other:?}"),
    }
}

fn read_route(flags: u16, bytes: &[u8]) -> RouteMessage {
    match read(flags, bytes) {
        RouteNetlinkMessage::GetRoute(message) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_dump_names_its_filters() {
    let dump = RouteDumpRequest {
        family: Family::V6,
        table: Some(1000),
        interface: Some(7),
    };
    let asked = read_route(DUMP, &dump.encode(77));
    assert_eq!(asked.header.address_family, AddressFamily::Inet6);
    let filters = [RouteAttribute::Table(1000), RouteAttribute::Oif(7)];
    assert_eq!(asked.attributes, filters);
}

#[test]
fn a_dump_without_filters_has_none() {
    let dump = RouteDumpRequest {
        family: Family::V4,
        table: None,
        interface: None,
    };
    let asked = read_route(DUMP, &dump.encode(77));
    assert_eq!(asked.header.address_family, AddressFamily::Inet);
    assert_eq!(u8::from(asked.header.protocol), 0);
    assert_eq!(asked.attributes, []);
}

#[test]
fn dumps_of_links_and_next_hops_ask_for_all() {
    let RouteNetlinkMessage::GetLink(asked) = read(DUMP, &link_dump(77)) else {
        panic!("not RTM_GETLINK");
    };
    assert_eq!(asked.header.index, 0);
    assert_eq!(asked.attributes, []);
    // netlink-packet-route knows no next-hop objects: RTM_GETNEXTHOP, an empty `struct nhmsg`.
    let header = [24_u32.to_ne_bytes(), [106, 0, 1, 3], 77_u32.to_ne_bytes()];
    let expected = [header.concat(), vec![0; 12]].concat();
    if cfg!(target_endian = "little") {
        assert_eq!(next_hop_dump(77), expected);
    }
}

#[test]
fn a_dump_of_rules_asks_for_all_of_a_family() {
    let RouteNetlinkMessage::GetRule(asked) = read(DUMP, &rule_dump(Family::V6, 77)) else {
        panic!("not RTM_GETRULE");
    };
    assert_eq!(asked.header.family, AddressFamily::Inet6);
    assert_eq!(asked.attributes, []);
}

#[test]
fn a_lookup_asks_for_the_entry_of_one_address() {
    let v4 = RouteFlags::FibMatch | RouteFlags::LookupTable;
    for (text, bits, flags) in [
        ("192.0.2.7", 32, v4),
        ("2001:db8::7", 128, RouteFlags::FibMatch),
    ] {
        let address = text.parse().unwrap();
        let asked = read_route(REQUEST, &route_lookup(address, 77));
        assert_eq!(asked.header.destination_prefix_length, bits);
        assert_eq!(asked.header.flags, flags);
        let destination = RouteAttribute::Destination(RouteAddress::from(address));
        assert_eq!(asked.attributes, [destination]);
    }
}
