//! Results for zebra: `RTM_NEWROUTE` with `RTM_F_OFFLOAD` or `RTM_F_OFFLOAD_FAILED`.
//!
//! zebra finds the route by its table, destination and protocol. Up to FRR 10.x it also compares
//! the next hops with its own (`rib_update_re_from_ctx`), so the result repeats those that it sent.

use std::net::IpAddr;

use crate::netlink::constants::{
    RTA_DST, RTA_GATEWAY, RTA_MULTIPATH, RTA_NH_ID, RTA_OIF, RTA_PRIORITY, RTA_TABLE, RTA_VIA,
    RTM_F_OFFLOAD, RTM_F_OFFLOAD_FAILED, RTM_NEWROUTE, RTN_BLACKHOLE, RTN_PROHIBIT, RTN_UNICAST,
    RTN_UNREACHABLE, RTNH_F_ONLINK,
};
use crate::netlink::{Request, attribute};
use crate::route::{Family, NextHop, NextHopSource, Prefix, Route, RouteType};

use super::frame::frame_header;

/// Appends a frame with the result for a route; false, and nothing appended, if it cannot be
/// expressed: zebra knows four route types, and a frame has a maximum length.
#[must_use]
pub fn encode_result(route: &Route, installed: bool, out: &mut Vec<u8>) -> bool {
    let route_type = match route.set.route_type {
        RouteType::Unicast => RTN_UNICAST,
        RouteType::Blackhole => RTN_BLACKHOLE,
        RouteType::Unreachable => RTN_UNREACHABLE,
        RouteType::Prohibit => RTN_PROHIBIT,
        RouteType::Other(_) => return false,
    };
    let key = &route.key;
    let flags = if installed {
        RTM_F_OFFLOAD
    } else {
        RTM_F_OFFLOAD_FAILED
    };
    let [f0, f1, f2, f3] = flags.to_ne_bytes();
    let (family, length) = (key.prefix.family(), key.prefix.length());
    // RT_TABLE_UNSPEC if the number exceeds a byte, as in zebra.
    let table = u8::try_from(key.table).unwrap_or(0);
    let fixed = [
        family.af(),
        length,
        0,
        key.tos,
        table,
        route.protocol,
        0,
        route_type,
        f0,
        f1,
        f2,
        f3,
    ];
    let mut message = Request::new(RTM_NEWROUTE, 0, 0, &fixed);
    destination(&mut message, &key.prefix);
    message.attribute(RTA_PRIORITY, &key.metric.to_ne_bytes());
    if table == 0 {
        message.attribute(RTA_TABLE, &key.table.to_ne_bytes());
    }
    if route_type == RTN_UNICAST {
        next_hops(&mut message, family, &route.set.next_hops);
    }
    let message = message.finish();
    let Some(header) = frame_header(message.len()) else {
        return false;
    };
    out.extend_from_slice(&header);
    out.extend_from_slice(&message);
    true
}

fn destination(message: &mut Request, prefix: &Prefix) {
    match prefix.address() {
        IpAddr::V4(address) => message.attribute(RTA_DST, &address.octets()),
        IpAddr::V6(address) => message.attribute(RTA_DST, &address.octets()),
    }
}

fn next_hops(message: &mut Request, family: Family, source: &NextHopSource) {
    match source {
        NextHopSource::Object(id) => message.attribute(RTA_NH_ID, &id.to_ne_bytes()),
        NextHopSource::Inline(hops) => match hops.as_slice() {
            [] => {}
            [hop] => {
                if let Some((kind, value)) = gateway(family, hop) {
                    message.attribute(kind, &value);
                }
                message.attribute(RTA_OIF, &hop.interface.to_ne_bytes());
            }
            next_hops => message.attribute(RTA_MULTIPATH, &multipath(family, next_hops)),
        },
    }
}

/// `struct rtnexthop` with its gateway, per next hop.
fn multipath(family: Family, next_hops: &[NextHop]) -> Vec<u8> {
    let mut out = Vec::new();
    for hop in next_hops {
        let at = out.len();
        let flags = if hop.onlink { RTNH_F_ONLINK } else { 0 };
        let weight = u8::try_from(hop.weight.saturating_sub(1)).unwrap_or(u8::MAX);
        out.extend_from_slice(&[0, 0, flags, weight]);
        out.extend_from_slice(&hop.interface.to_ne_bytes());
        if let Some((kind, value)) = gateway(family, hop) {
            attribute(&mut out, kind, &value);
        }
        let length = u16::try_from(out.len() - at).unwrap_or(u16::MAX);
        if let Some(field) = out
            .get_mut(at..)
            .and_then(|next_hop| next_hop.first_chunk_mut())
        {
            *field = length.to_ne_bytes();
        }
    }
    out
}

/// `RTA_GATEWAY`, or `RTA_VIA` (`struct rtvia`) if the gateway is of the other family.
fn gateway(family: Family, hop: &NextHop) -> Option<(u16, Vec<u8>)> {
    let (of, octets) = match hop.gateway? {
        IpAddr::V4(address) => (Family::V4, address.octets().to_vec()),
        IpAddr::V6(address) => (Family::V6, address.octets().to_vec()),
    };
    if of == family {
        return Some((RTA_GATEWAY, octets));
    }
    let mut via = u16::from(of.af()).to_ne_bytes().to_vec();
    via.extend(octets);
    Some((RTA_VIA, via))
}
