//! Writes rtnetlink messages as the kernel does (`fib_dump_info`, `rt6_fill_node`): the decoder's
//! other half, for tests only.

use std::net::IpAddr;

use bgpreflector_core::netlink::constants::{
    ICMPV6_ROUTER_PREF_HIGH, ICMPV6_ROUTER_PREF_LOW, LWTUNNEL_ENCAP_MPLS, MPLS_IPTUNNEL_DST,
    RTA_DST, RTA_ENCAP, RTA_ENCAP_TYPE, RTA_GATEWAY, RTA_MULTIPATH, RTA_NH_ID, RTA_OIF, RTA_PREF,
    RTA_PRIORITY, RTA_TABLE, RTA_VIA, RTM_DELROUTE, RTM_NEWROUTE, RTN_BLACKHOLE, RTN_PROHIBIT,
    RTN_UNICAST, RTN_UNREACHABLE, RTNH_F_DEAD, RTNH_F_ONLINK,
};
use bgpreflector_core::route::{
    Family, Label, NextHop, NextHopSource, Route, RouteType, RouterPreference,
};

const RT_TABLE_COMPAT: u8 = 252;
const NLA_F_NESTED: u16 = 0x8000;

/// Appends a message: header, `body`, padding.
pub fn put_message(out: &mut Vec<u8>, kind: u16, flags: u16, body: &[u8]) {
    let length = u32::try_from(16 + body.len()).unwrap();
    out.extend_from_slice(&length.to_ne_bytes());
    out.extend_from_slice(&kind.to_ne_bytes());
    out.extend_from_slice(&flags.to_ne_bytes());
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(body);
    pad(out);
}

/// Appends an attribute and its padding.
pub fn put_attribute(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(4 + value.len()).unwrap();
    out.extend_from_slice(&length.to_ne_bytes());
    out.extend_from_slice(&kind.to_ne_bytes());
    out.extend_from_slice(value);
    pad(out);
}

/// A message.
pub fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_message(&mut bytes, kind, flags, body);
    bytes
}

/// `body` with attributes behind it.
pub fn with(mut body: Vec<u8>, attributes: &[(u16, &[u8])]) -> Vec<u8> {
    for (kind, value) in attributes {
        put_attribute(&mut body, *kind, value);
    }
    body
}

/// `struct rtmsg` of an IPv4 unicast route in the main table, without attributes.
pub fn rtmsg_of_v4(prefix_length: u8) -> Vec<u8> {
    vec![2, prefix_length, 0, 0, 254, 12, 0, 1, 0, 0, 0, 0]
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}

/// Appends the route as `RTM_NEWROUTE`.
pub fn put_new_route(out: &mut Vec<u8>, route: &Route) {
    put_message(out, RTM_NEWROUTE, 0, &rtmsg(route));
}

/// Appends the route as `RTM_DELROUTE`.
pub fn put_delete_route(out: &mut Vec<u8>, route: &Route) {
    put_message(out, RTM_DELROUTE, 0, &rtmsg(route));
}

/// `struct rtmsg` and its attributes.
pub fn rtmsg(route: &Route) -> Vec<u8> {
    let key = &route.key;
    let family = route.set.family;
    let flat = only_hop(&route.set.next_hops);
    let mut out = vec![
        family.af(),
        key.prefix.length(),
        0,
        key.tos,
        u8::try_from(key.table).unwrap_or(RT_TABLE_COMPAT),
        route.protocol,
        0,
        type_number(route.set.route_type),
    ];
    let flags = u32::from(flat.map_or(0, hop_flags));
    out.extend_from_slice(&flags.to_ne_bytes());
    put_attribute(&mut out, RTA_TABLE, &key.table.to_ne_bytes());
    if key.prefix.length() > 0 {
        put_address(&mut out, RTA_DST, key.prefix.address());
    }
    if key.metric != 0 {
        put_attribute(&mut out, RTA_PRIORITY, &key.metric.to_ne_bytes());
    }
    let preference = match route.set.preference {
        RouterPreference::Low => Some(ICMPV6_ROUTER_PREF_LOW),
        RouterPreference::Medium => None,
        RouterPreference::High => Some(ICMPV6_ROUTER_PREF_HIGH),
    };
    if let Some(preference) = preference {
        put_attribute(&mut out, RTA_PREF, &[preference]);
    }
    match (&route.set.next_hops, flat) {
        (NextHopSource::Object(id), _) => put_attribute(&mut out, RTA_NH_ID, &id.to_ne_bytes()),
        (NextHopSource::Inline(_), Some(hop)) => {
            put_hop(&mut out, family, hop);
            if hop.interface != 0 {
                put_attribute(&mut out, RTA_OIF, &hop.interface.to_ne_bytes());
            }
        }
        (NextHopSource::Inline(hops), None) if hops.is_empty() => {}
        (NextHopSource::Inline(hops), None) => {
            let next_hops: Vec<u8> = hops.iter().flat_map(|hop| next_hop(family, hop)).collect();
            put_attribute(&mut out, RTA_MULTIPATH, &next_hops);
        }
    }
    out
}

/// The next hop that the kernel writes into the route itself, not into `RTA_MULTIPATH`.
fn only_hop(next_hops: &NextHopSource) -> Option<&NextHop> {
    match next_hops {
        NextHopSource::Inline(hops) => match hops.as_slice() {
            [hop] if hop.weight == 1 && (hop.gateway.is_some() || hop.interface != 0) => Some(hop),
            _ => None,
        },
        NextHopSource::Object(_) => None,
    }
}

/// `rtm_type`.
pub const fn type_number(route_type: RouteType) -> u8 {
    match route_type {
        RouteType::Unicast => RTN_UNICAST,
        RouteType::Blackhole => RTN_BLACKHOLE,
        RouteType::Unreachable => RTN_UNREACHABLE,
        RouteType::Prohibit => RTN_PROHIBIT,
        RouteType::Other(number) => number,
    }
}

fn hop_flags(hop: &NextHop) -> u8 {
    u8::from(hop.dead) * RTNH_F_DEAD + u8::from(hop.onlink) * RTNH_F_ONLINK
}

/// `struct rtnexthop` and its attributes.
fn next_hop(family: Family, hop: &NextHop) -> Vec<u8> {
    let mut attributes = Vec::new();
    put_hop(&mut attributes, family, hop);
    let length = u16::try_from(8 + attributes.len()).unwrap();
    let mut out = length.to_ne_bytes().to_vec();
    out.push(hop_flags(hop));
    out.push(u8::try_from(hop.weight - 1).unwrap());
    out.extend_from_slice(&hop.interface.to_ne_bytes());
    out.extend_from_slice(&attributes);
    out
}

/// Gateway and encapsulation.
fn put_hop(out: &mut Vec<u8>, family: Family, hop: &NextHop) {
    match (hop.gateway, family) {
        (Some(gateway @ IpAddr::V4(_)), Family::V4)
        | (Some(gateway @ IpAddr::V6(_)), Family::V6) => put_address(out, RTA_GATEWAY, gateway),
        (Some(gateway), _) => put_attribute(out, RTA_VIA, &rtvia(gateway)),
        (None, _) => {}
    }
    if !hop.labels.is_empty() {
        let mut nested = Vec::new();
        put_attribute(&mut nested, MPLS_IPTUNNEL_DST, &label_stack(&hop.labels));
        put_attribute(out, RTA_ENCAP | NLA_F_NESTED, &nested);
        put_attribute(out, RTA_ENCAP_TYPE, &LWTUNNEL_ENCAP_MPLS.to_ne_bytes());
    } else if hop.encapsulation != 0 {
        put_attribute(out, RTA_ENCAP | NLA_F_NESTED, &[]);
        put_attribute(out, RTA_ENCAP_TYPE, &hop.encapsulation.to_ne_bytes());
    }
}

fn put_address(out: &mut Vec<u8>, kind: u16, address: IpAddr) {
    match address {
        IpAddr::V4(v4) => put_attribute(out, kind, &v4.octets()),
        IpAddr::V6(v6) => put_attribute(out, kind, &v6.octets()),
    }
}

/// `struct rtvia`.
fn rtvia(address: IpAddr) -> Vec<u8> {
    let (family, octets) = match address {
        IpAddr::V4(v4) => (Family::V4, v4.octets().to_vec()),
        IpAddr::V6(v6) => (Family::V6, v6.octets().to_vec()),
    };
    [u16::from(family.af()).to_ne_bytes().to_vec(), octets].concat()
}

/// Label stack entries (RFC 3032), the last with the bottom-of-stack bit.
pub fn label_stack(labels: &[Label]) -> Vec<u8> {
    let last = labels.len() - 1;
    let entry = |(at, label): (usize, &Label)| (label << 12) | (u32::from(at == last) << 8);
    let entries = labels.iter().enumerate().map(entry);
    entries.flat_map(u32::to_be_bytes).collect()
}
