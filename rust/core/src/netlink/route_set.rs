//! The attributes of a route that many routes share: those of its next-hop set.

use smallvec::SmallVec;

use super::attributes::{Attributes, u32_of};
use super::constants::{
    ICMPV6_ROUTER_PREF_HIGH, ICMPV6_ROUTER_PREF_LOW, RTA_METRICS, RTA_MULTIPATH, RTA_NH_ID,
    RTA_PREFSRC, RTN_BLACKHOLE, RTN_PROHIBIT, RTN_UNICAST, RTN_UNREACHABLE,
};
use super::digest::Digest;
use super::error::DecodeErrorKind;
use super::multipath::split_next_hop;
use super::next_hop::NextHopParts;
use crate::route::{Family, NextHop, NextHopSource, RouteType, RouterPreference};

/// The attributes of the set.
#[derive(Default)]
pub(super) struct NextHopAttributes<'a> {
    next_hop: NextHopParts<'a>,
    multipath: Option<&'a [u8]>,
    object: u32,
    pub(super) digest: Digest,
}

impl<'a> NextHopAttributes<'a> {
    pub(super) fn read(family: Family, bytes: &'a [u8]) -> Result<Self, DecodeErrorKind> {
        let mut attributes = Self::default();
        for attribute in Attributes::new(bytes) {
            let (kind, value) = attribute?;
            match kind {
                RTA_MULTIPATH => attributes.multipath = Some(value),
                RTA_PREFSRC | RTA_METRICS => attributes.digest.add(value),
                RTA_NH_ID => attributes.object = u32_of(kind, value)?,
                _ => {
                    attributes.next_hop.read_attribute(family, kind, value)?;
                }
            }
        }
        Ok(attributes)
    }
}

pub(super) fn router_preference(number: u8) -> RouterPreference {
    match number {
        ICMPV6_ROUTER_PREF_HIGH => RouterPreference::High,
        ICMPV6_ROUTER_PREF_LOW => RouterPreference::Low,
        _ => RouterPreference::Medium,
    }
}

pub(super) fn route_type(number: u8) -> RouteType {
    match number {
        RTN_UNICAST => RouteType::Unicast,
        RTN_BLACKHOLE => RouteType::Blackhole,
        RTN_UNREACHABLE => RouteType::Unreachable,
        RTN_PROHIBIT => RouteType::Prohibit,
        other => RouteType::Other(other),
    }
}

pub(super) fn next_hops(
    family: Family,
    route_type: RouteType,
    attributes: NextHopAttributes<'_>,
    flags: u8,
) -> Result<NextHopSource, DecodeErrorKind> {
    // With nexthop_compat_mode=1 the kernel also writes the object's next hops into the route; the
    // object can change, so it is the source. A route by a blackhole object has type RTN_BLACKHOLE
    // while the object is one, and is removed with the object.
    if attributes.object != 0 {
        return Ok(NextHopSource::Object(attributes.object));
    }
    if route_type != RouteType::Unicast {
        // Whatever interface such a route names (IPv6 names `lo`), it does not forward.
        return Ok(NextHopSource::Inline(SmallVec::new()));
    }
    if let Some(multipath) = attributes.multipath {
        return multipath_next_hops(family, multipath).map(NextHopSource::Inline);
    }
    let hop = attributes.next_hop.finish(flags, 1)?;
    if hop.gateway.is_none() && hop.interface == 0 {
        // A withdrawal without next hops (as BIRD sends it) names only the key.
        return Ok(NextHopSource::Inline(SmallVec::new()));
    }
    Ok(NextHopSource::Inline(SmallVec::from_buf([hop])))
}

/// Bytes of a `struct rtnexthop` with `RTA_GATEWAY`.
const fn with_gateway(family: Family) -> usize {
    match family {
        Family::V4 => 16,
        Family::V6 => 28,
    }
}

// Apart from what every single next hop runs through.
#[inline(never)]
fn multipath_next_hops(
    family: Family,
    mut bytes: &[u8],
) -> Result<SmallVec<[NextHop; 1]>, DecodeErrorKind> {
    // As many as there are where each has a gateway and no more, which is nearly always.
    let mut next_hops = SmallVec::with_capacity(bytes.len() / with_gateway(family));
    while !bytes.is_empty() {
        let (next_hop, rest) = split_next_hop(bytes)?;
        let mut parts = NextHopParts {
            interface: next_hop.interface,
            ..NextHopParts::default()
        };
        for attribute in Attributes::new(next_hop.attributes) {
            let (kind, value) = attribute?;
            parts.read_attribute(family, kind, value)?;
        }
        next_hops.push(parts.finish(next_hop.flags, u32::from(next_hop.hops) + 1)?);
        bytes = rest;
    }
    Ok(next_hops)
}
