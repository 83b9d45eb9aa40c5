//! Route messages (`struct rtmsg`, `linux/rtnetlink.h`).

use std::ops::Range;

use smallvec::SmallVec;

use super::attributes::{Attributes, align, exact, u32_of};
use super::constants::{
    RTA_DST, RTA_ENCAP, RTA_ENCAP_TYPE, RTA_GATEWAY, RTA_METRICS, RTA_MULTIPATH, RTA_NH_ID,
    RTA_OIF, RTA_PREFSRC, RTA_PRIORITY, RTA_TABLE, RTA_VIA, RTM_F_CLONED, RTN_BLACKHOLE,
    RTN_PROHIBIT, RTN_UNICAST, RTN_UNREACHABLE,
};
use super::error::{Problem, SkipReason};
use super::message::{Action, Body};
use super::next_hop::{NextHopParts, low_byte};
use crate::route::{
    Family, NextHop, NextHopSet, NextHopSource, Prefix, Route, RouteKey, RouteType, SetBytes,
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

/// A route whose next hops are unread yet. Many routes have the same ones, so whoever has read
/// those bytes before need not do so again.
#[derive(Clone, Debug)]
pub struct EncodedRoute<'a> {
    /// Its key.
    pub key: RouteKey,
    /// Who installed it (`rtm_protocol`).
    pub protocol: u8,
    family: Family,
    route_type: u8,
    scope: u8,
    flags: u8,
    attributes: &'a [u8],
    set: Option<Range<usize>>,
}

/// A route message, read as far as its key.
pub(super) enum Encoded<'a> {
    Route(EncodedRoute<'a>),
    Skipped(SkipReason),
}

impl<'a> EncodedRoute<'a> {
    pub(super) fn read(payload: &'a [u8]) -> Result<Encoded<'a>, Problem> {
        let (header, attributes) = payload
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
            route_type,
            f0,
            f1,
            f2,
            f3,
        ] = *header;
        let flags = u32::from_ne_bytes([f0, f1, f2, f3]);
        let Some(family) = Family::from_af(af) else {
            return Ok(Encoded::Skipped(SkipReason::Family));
        };
        if flags & RTM_F_CLONED != 0 {
            return Ok(Encoded::Skipped(SkipReason::Cloned));
        }
        if src_len != 0 {
            return Ok(Encoded::Skipped(SkipReason::SourceSpecific));
        }
        let outer = Outer::read(table.into(), attributes)?;
        let key = RouteKey {
            table: outer.table,
            prefix: prefix(family, outer.destination, dst_len)?,
            tos,
            metric: outer.metric,
        };
        Ok(Encoded::Route(Self {
            key,
            protocol,
            family,
            route_type,
            scope,
            // The low byte of rtm_flags holds the flags of a route's only next hop.
            flags: low_byte(flags),
            attributes,
            set: outer.set,
        }))
    }

    /// The bytes that say what the route does with packets; none where they are scattered.
    #[must_use]
    pub fn set_bytes(&self) -> Option<SetBytes<'a>> {
        let range = self.set.clone()?;
        Some(SetBytes {
            head: u32::from_ne_bytes([self.family.af(), self.route_type, self.scope, self.flags]),
            attributes: self.attributes.get(range)?,
        })
    }

    /// Reads what the route does with packets.
    ///
    /// # Errors
    /// [`Problem`] where an attribute is malformed.
    pub fn read_set(&self) -> Result<NextHopSet, Problem> {
        let bytes = self.set.clone().and_then(|set| self.attributes.get(set));
        let mut inner = Inner::read(self.family, bytes.unwrap_or(self.attributes))?;
        if self.scope != 0 {
            inner.digest.add(&[self.scope]);
        }
        let route_type = route_type(self.route_type);
        let digest = match self.family {
            Family::V4 => inner.digest.0,
            // IPv6 takes no second route with the same next hop, whatever else differs.
            Family::V6 => 0,
        };
        Ok(NextHopSet {
            family: self.family,
            route_type,
            next_hops: next_hops(self.family, route_type, inner, self.flags)?,
            digest,
        })
    }
}

pub(super) fn decode(action: Action, payload: &[u8]) -> Result<Body, Problem> {
    let encoded = match EncodedRoute::read(payload)? {
        Encoded::Route(encoded) => encoded,
        Encoded::Skipped(reason) => return Ok(Body::Skipped(reason)),
    };
    let route = Route {
        set: encoded.read_set()?,
        key: encoded.key,
        protocol: encoded.protocol,
    };
    Ok(Body::Route(RouteMessage { action, route }))
}

/// The attributes of the key, and where those of the set are.
struct Outer<'a> {
    destination: Option<&'a [u8]>,
    table: u32,
    metric: u32,
    /// None where other attributes stand between those of the set.
    set: Option<Range<usize>>,
}

impl<'a> Outer<'a> {
    fn read(table: u32, bytes: &'a [u8]) -> Result<Self, Problem> {
        let mut outer = Self {
            destination: None,
            table,
            metric: 0,
            set: None,
        };
        let mut attributes = Attributes::new(bytes);
        let (mut begin, mut set, mut scattered) = (0, 0..0, false);
        while let Some((kind, value)) = attributes.step() {
            let end = bytes.len().saturating_sub(attributes.left());
            match kind {
                RTA_DST => outer.destination = Some(value),
                RTA_TABLE => outer.table = u32_of(kind, value)?,
                RTA_PRIORITY => outer.metric = u32_of(kind, value)?,
                RTA_OIF | RTA_GATEWAY | RTA_VIA | RTA_MULTIPATH | RTA_NH_ID | RTA_PREFSRC
                | RTA_METRICS | RTA_ENCAP | RTA_ENCAP_TYPE => {
                    if set.is_empty() {
                        set.start = begin;
                    }
                    scattered |= !set.is_empty() && set.end != begin;
                    set.end = end;
                }
                _ => {}
            }
            begin = end;
        }
        attributes.end()?;
        outer.set = (!scattered).then_some(set);
        Ok(outer)
    }
}

/// The attributes of the set.
#[derive(Default)]
struct Inner<'a> {
    next_hop: NextHopParts<'a>,
    multipath: Option<&'a [u8]>,
    object: u32,
    digest: Digest,
}

impl<'a> Inner<'a> {
    fn read(family: Family, bytes: &'a [u8]) -> Result<Self, Problem> {
        let mut inner = Self::default();
        for attribute in Attributes::new(bytes) {
            let (kind, value) = attribute?;
            match kind {
                RTA_MULTIPATH => inner.multipath = Some(value),
                RTA_PREFSRC | RTA_METRICS => inner.digest.add(value),
                RTA_NH_ID => inner.object = u32_of(kind, value)?,
                _ => {
                    inner.next_hop.take(family, kind, value)?;
                }
            }
        }
        Ok(inner)
    }
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

fn prefix(family: Family, bytes: Option<&[u8]>, length: u8) -> Result<Prefix, Problem> {
    let Some(bytes) = bytes else {
        return match (family, length) {
            (Family::V4, 0) => Ok(Prefix::v4(0, 0)),
            (Family::V6, 0) => Ok(Prefix::v6(0, 0)),
            _ => Err(Problem::Missing("RTA_DST")),
        };
    };
    match family {
        Family::V4 if length <= 32 => {
            let address = u32::from_be_bytes(exact(RTA_DST, bytes)?);
            Ok(Prefix::v4(address, length))
        }
        Family::V6 if length <= 128 => {
            let address = u128::from_be_bytes(exact(RTA_DST, bytes)?);
            Ok(Prefix::v6(address, length))
        }
        _ => Err(Problem::PrefixLength(length)),
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
    inner: Inner<'_>,
    flags: u8,
) -> Result<NextHopSource, Problem> {
    // With nexthop_compat_mode=1 the kernel writes the object's next hops into the route too; the
    // object is what changes, so it is the source. A route by an object that is a blackhole is of
    // type RTN_BLACKHOLE as long as the object is one, and goes with the object.
    if inner.object != 0 {
        return Ok(NextHopSource::Object(inner.object));
    }
    if route_type != RouteType::Unicast {
        // Whatever interface such a route carries (IPv6 names `lo`), it forwards to none.
        return Ok(NextHopSource::Inline(SmallVec::new()));
    }
    if let Some(multipath) = inner.multipath {
        return legs(family, multipath).map(NextHopSource::Inline);
    }
    let hop = inner.next_hop.finish(flags, 1)?;
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
