//! Route messages (`struct rtmsg`, `linux/rtnetlink.h`).

use std::net::IpAddr;

use smallvec::SmallVec;

use super::attributes::{Attributes, address, align, u32_of};
use super::constants::{
    RTA_DST, RTA_METRICS, RTA_MULTIPATH, RTA_NH_ID, RTA_PREFSRC, RTA_PRIORITY, RTA_TABLE,
    RTM_F_CLONED, RTN_BLACKHOLE, RTN_PROHIBIT, RTN_UNICAST, RTN_UNREACHABLE,
};
use super::error::{Problem, SkipReason};
use super::message::{Action, Body};
use super::next_hop::{NextHopParts, low_byte};
use crate::route::{
    Family, NextHop, NextHopSet, NextHopSource, Prefix, Route, RouteKey, RouteType,
};

const RTMSG: usize = 12;
const RTNEXTHOP: usize = 8;

/// `RTM_NEWROUTE` or `RTM_DELROUTE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteMessage {
    /// Whether it comes or goes.
    pub action: Action,
    /// The route; where it goes, an IPv6 route may name only the legs that go.
    pub route: Route,
}

struct Parts<'a> {
    destination: Option<IpAddr>,
    table: u32,
    metric: u32,
    next_hop: NextHopParts<'a>,
    multipath: Option<&'a [u8]>,
    object: u32,
    digest: Digest,
}

/// FNV-1a, so that the same bytes give the same digest in every run.
#[derive(Default)]
struct Digest(u32);

impl Digest {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }
}

pub(super) fn decode(action: Action, payload: &[u8]) -> Result<Body, Problem> {
    let (header, rest) = payload
        .split_first_chunk::<RTMSG>()
        .ok_or(Problem::Short("struct rtmsg"))?;
    let [
        af,
        dst_len,
        src_len,
        tos,
        table,
        protocol,
        scope,
        kind,
        f0,
        f1,
        f2,
        f3,
    ] = *header;
    let flags = u32::from_ne_bytes([f0, f1, f2, f3]);
    let Some(family) = Family::from_af(af) else {
        return Ok(Body::Skipped(SkipReason::Family));
    };
    if flags & RTM_F_CLONED != 0 {
        return Ok(Body::Skipped(SkipReason::Cloned));
    }
    if src_len != 0 {
        return Ok(Body::Skipped(SkipReason::SourceSpecific));
    }
    let mut parts = parts(family, table, rest)?;
    if scope != 0 {
        parts.digest.add(&[scope]);
    }
    let prefix = prefix(family, parts.destination, dst_len)?;
    let key = RouteKey {
        table: parts.table,
        prefix,
        tos,
        metric: parts.metric,
    };
    let route_type = route_type(kind);
    // The low byte of rtm_flags holds the flags of a route's only next hop.
    let digest = match family {
        Family::V4 => parts.digest.0,
        // IPv6 takes no second route with the same next hop, whatever else differs.
        Family::V6 => 0,
    };
    let next_hops = next_hops(family, route_type, parts, low_byte(flags))?;
    let set = NextHopSet {
        family,
        route_type,
        next_hops,
        digest,
    };
    Ok(Body::Route(RouteMessage {
        action,
        route: Route { key, protocol, set },
    }))
}

fn parts(family: Family, table: u8, attributes: &[u8]) -> Result<Parts<'_>, Problem> {
    let mut parts = Parts {
        destination: None,
        table: table.into(),
        metric: 0,
        next_hop: NextHopParts::default(),
        multipath: None,
        object: 0,
        digest: Digest::default(),
    };
    for attribute in Attributes::new(attributes) {
        let (kind, value) = attribute?;
        match kind {
            RTA_DST => parts.destination = Some(address(family, kind, value)?),
            RTA_TABLE => parts.table = u32_of(kind, value)?,
            RTA_PRIORITY => parts.metric = u32_of(kind, value)?,
            RTA_MULTIPATH => parts.multipath = Some(value),
            RTA_PREFSRC | RTA_METRICS => parts.digest.add(value),
            RTA_NH_ID => parts.object = u32_of(kind, value)?,
            _ => {
                parts.next_hop.take(family, kind, value)?;
            }
        }
    }
    Ok(parts)
}

fn prefix(family: Family, address: Option<IpAddr>, length: u8) -> Result<Prefix, Problem> {
    match (address, family) {
        (Some(address), _) => {
            Prefix::new(address, length).map_err(|_| Problem::PrefixLength(length))
        }
        (None, Family::V4) if length == 0 => Ok(Prefix::v4(0, 0)),
        (None, Family::V6) if length == 0 => Ok(Prefix::v6(0, 0)),
        (None, _) => Err(Problem::Missing("RTA_DST")),
    }
}

fn route_type(number: u8) -> RouteType {
    match number {
        RTN_UNICAST => RouteType::Unicast,
        RTN_BLACKHOLE => RouteType::Blackhole,
        RTN_UNREACHABLE => RouteType::Unreachable,
        RTN_PROHIBIT => RouteType::Prohibit,
        other => RouteType::Other(other),
    }
}

fn next_hops(
    family: Family,
    route_type: RouteType,
    parts: Parts<'_>,
    flags: u8,
) -> Result<NextHopSource, Problem> {
    // With nexthop_compat_mode=1 the kernel writes the object's next hops into the route too; the
    // object is what changes, so it is the source. A route by an object that is a blackhole is of
    // type RTN_BLACKHOLE as long as the object is one, and goes with the object.
    if parts.object != 0 {
        return Ok(NextHopSource::Object(parts.object));
    }
    if route_type != RouteType::Unicast {
        // Whatever interface such a route carries (IPv6 names `lo`), it forwards to none.
        return Ok(NextHopSource::Inline(SmallVec::new()));
    }
    if let Some(multipath) = parts.multipath {
        return legs(family, multipath).map(NextHopSource::Inline);
    }
    let hop = parts.next_hop.finish(flags, 1)?;
    if hop.gateway.is_none() && hop.interface == 0 {
        // A withdrawal without next hops (BIRD's) names only the key.
        return Ok(NextHopSource::Inline(SmallVec::new()));
    }
    Ok(NextHopSource::Inline(SmallVec::from_buf([hop])))
}

/// `RTA_MULTIPATH`: a `struct rtnexthop` with attributes a leg. What is left over is an error, as
/// it is to the kernel (`fib_count_nexthops`): a leg may be missing.
fn legs(family: Family, mut rest: &[u8]) -> Result<SmallVec<[NextHop; 1]>, Problem> {
    let mut legs = SmallVec::new();
    while !rest.is_empty() {
        let (header, _) = rest
            .split_first_chunk::<RTNEXTHOP>()
            .ok_or(Problem::AttributeLength)?;
        let [l0, l1, flags, hops, i0, i1, i2, i3] = *header;
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let attributes = rest
            .get(RTNEXTHOP..length)
            .ok_or(Problem::AttributeLength)?;
        let mut parts = NextHopParts {
            interface: u32::from_ne_bytes([i0, i1, i2, i3]),
            ..NextHopParts::default()
        };
        for attribute in Attributes::new(attributes) {
            let (kind, value) = attribute?;
            parts.take(family, kind, value)?;
        }
        legs.push(parts.finish(flags, u32::from(hops) + 1)?);
        rest = rest.get(align(length)..).unwrap_or_default();
    }
    Ok(legs)
}
