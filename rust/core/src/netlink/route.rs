//! Route messages (`struct rtmsg`, `linux/rtnetlink.h`).

use std::ops::Range;

use smallvec::SmallVec;

use super::attributes::{Attributes, align, exact, u32_of};
use super::constants::{
    AF_MPLS, ICMPV6_ROUTER_PREF_HIGH, ICMPV6_ROUTER_PREF_LOW, RTA_CACHEINFO, RTA_DST, RTA_ENCAP,
    RTA_ENCAP_TYPE, RTA_FLOW, RTA_GATEWAY, RTA_METRICS, RTA_MULTIPATH, RTA_NH_ID, RTA_OIF,
    RTA_PREF, RTA_PREFSRC, RTA_PRIORITY, RTA_SRC, RTA_TABLE, RTA_VIA, RTM_F_CLONED, RTN_BLACKHOLE,
    RTN_PROHIBIT, RTN_UNICAST, RTN_UNREACHABLE,
};
use super::digest::Digest;
use super::error::{DecodeErrorKind, SkipReason};
use super::label_route;
use super::next_hop::{NextHopParts, low_byte};
use super::types::{Action, Payload, RouteMessage, SourceRouteMessage};
use crate::route::{
    Family, NextHop, NextHopSet, NextHopSource, Prefix, Route, RouteKey, RouteType,
    RouterPreference, SetBytes,
};

const RTMSG: usize = 12;
const RTNEXTHOP: usize = 8;

/// A route whose next hops are not yet decoded. Many routes carry the same bytes, which a cache can
/// then decode once.
#[derive(Clone, Debug)]
pub struct EncodedRoute<'a> {
    /// Its key.
    pub key: RouteKey,
    /// The protocol that installed it (`rtm_protocol`).
    pub protocol: u8,
    /// Ticks (`USER_HZ`, 10 ms each) until the kernel stops using the route
    /// (`rta_cacheinfo.rta_expires`): negative if it has stopped, 0 if it never does.
    pub expires: i32,
    /// As in [`SetBytes::head`].
    head: [u8; 4],
    /// The attributes of the set, including those between them.
    set: &'a [u8],
    /// Whether the set has them for itself.
    together: bool,
}

/// A message's payload; the next hops of a route are not yet decoded.
#[derive(Clone, Debug)]
pub enum PartialMessage<'a> {
    /// A route comes.
    Announced(EncodedRoute<'a>),
    /// Anything else; boxed, since nearly all messages of a dump are routes.
    Other(Box<Payload>),
}

impl<'a> EncodedRoute<'a> {
    // See `RawMessage::read_partial`.
    #[inline(always)]
    pub(super) fn read(payload: &'a [u8]) -> Result<PartialMessage<'a>, DecodeErrorKind> {
        let (header, attributes) = payload
            .split_first_chunk::<RTMSG>()
            .ok_or(DecodeErrorKind::Short("struct rtmsg"))?;
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
        let (Some(family), 0, 0) = (Family::from_af(af), flags & RTM_F_CLONED, src_len) else {
            return rare(af, flags, payload).map(PartialMessage::Other);
        };
        let outer = KeyAttributes::read(family, table.into(), attributes)?;
        let destination = address(family, outer.destination, dst_len)?;
        let key = RouteKey {
            table: outer.table,
            prefix: Prefix::of(family, destination, dst_len),
            tos,
            metric: outer.metric,
        };
        Ok(PartialMessage::Announced(Self {
            key,
            protocol,
            expires: outer.expires,
            // The low byte of rtm_flags holds the flags of a route's only next hop.
            head: [af, route_type, scope | outer.preference, low_byte(flags)],
            set: attributes.get(outer.set.range).unwrap_or_default(),
            together: outer.set.together,
        }))
    }

    /// The bytes that determine forwarding; none if they are not contiguous.
    #[must_use]
    pub fn set_bytes(&self) -> Option<SetBytes<'a>> {
        self.together.then_some(SetBytes {
            head: u32::from_ne_bytes(self.head),
            attributes: self.set,
        })
    }

    #[inline(always)]
    fn whole(&self) -> Result<Route, DecodeErrorKind> {
        Ok(Route {
            set: self.read_set()?,
            key: self.key,
            protocol: self.protocol,
        })
    }

    /// Decodes what the route does with packets.
    ///
    /// # Errors
    /// [`DecodeErrorKind`] if an attribute is malformed.
    pub fn read_set(&self) -> Result<NextHopSet, DecodeErrorKind> {
        let family = self.key.prefix.family();
        let [_, number, scope_or_preference, flags] = self.head;
        let mut inner = NextHopAttributes::read(family, self.set)?;
        let route_type = route_type(number);
        let (preference, digest) = match family {
            Family::V4 => {
                if scope_or_preference != 0 {
                    inner.digest.add(&[scope_or_preference]);
                }
                (RouterPreference::default(), inner.digest.value())
            }
            // IPv6 rejects a second route with the same next hop, whatever else differs.
            Family::V6 => (router_preference(scope_or_preference), 0),
        };
        Ok(NextHopSet {
            family,
            route_type,
            next_hops: next_hops(family, route_type, inner, flags)?,
            preference,
            digest,
        })
    }
}

/// What is not a route as nearly all are.
#[cold]
#[inline(never)]
fn rare(af: u8, flags: u32, payload: &[u8]) -> Result<Box<Payload>, DecodeErrorKind> {
    let skipped = |reason| Ok(Box::new(Payload::Skipped(reason)));
    match Family::from_af(af) {
        None if af == AF_MPLS => {
            let route = label_route::decode(Action::New, payload)?;
            Ok(Box::new(Payload::LabelRoute(Box::new(route))))
        }
        None => skipped(SkipReason::Family),
        Some(_) if flags & RTM_F_CLONED != 0 => skipped(SkipReason::Cloned),
        Some(_) => source_route(payload),
    }
}

fn source_route(payload: &[u8]) -> Result<Box<Payload>, DecodeErrorKind> {
    let skipped = || Box::new(Payload::Skipped(SkipReason::SourceSpecific));
    let (Some(Family::V6), Some(&length)) = (
        payload.first().copied().and_then(Family::from_af),
        payload.get(2),
    ) else {
        // IPv4 has no such routes: this is the answer to a lookup.
        return Ok(skipped());
    };
    let family = Family::V6;
    let attributes = Attributes::new(payload.get(RTMSG..).unwrap_or_default());
    let source = attributes.flatten().find(|(kind, _)| *kind == RTA_SRC);
    let (_, source) = source.ok_or(DecodeErrorKind::Missing("RTA_SRC"))?;
    if length > family.bits() {
        return Err(DecodeErrorKind::PrefixLength(length));
    }
    let address = exact(RTA_SRC, source).map(u128::from_be_bytes)?;
    // Otherwise it is like any other.
    let mut rest = payload.to_vec();
    if let Some(source_length) = rest.get_mut(2) {
        *source_length = 0;
    }
    let PartialMessage::Announced(encoded) = EncodedRoute::read(&rest)? else {
        return Ok(skipped());
    };
    let message = RouteMessage {
        action: Action::New,
        route: encoded.whole()?,
    };
    Ok(Box::new(Payload::SourceRoute(Box::new(
        SourceRouteMessage {
            source: Prefix::of(family, address, length),
            expired: encoded.expires < 0,
            message,
        },
    ))))
}

#[cold]
#[inline(never)]
fn with_action(mut body: Payload, action: Action) -> Payload {
    match &mut body {
        Payload::SourceRoute(route) => route.message.action = action,
        Payload::LabelRoute(route) => route.action = action,
        _ => {}
    }
    body
}

pub(super) fn decode(action: Action, payload: &[u8]) -> Result<Payload, DecodeErrorKind> {
    let encoded = match EncodedRoute::read(payload)? {
        PartialMessage::Announced(encoded) => encoded,
        PartialMessage::Other(body) => return Ok(with_action(*body, action)),
    };
    let route = encoded.whole()?;
    Ok(Payload::Route(RouteMessage { action, route }))
}

/// The attributes of the key, and the position of those of the set.
struct KeyAttributes<'a> {
    destination: Option<&'a [u8]>,
    table: u32,
    metric: u32,
    expires: i32,
    preference: u8,
    set: Run,
}

impl<'a> KeyAttributes<'a> {
    #[inline]
    fn read(family: Family, table: u32, bytes: &'a [u8]) -> Result<Self, DecodeErrorKind> {
        let mut outer = Self {
            destination: None,
            table,
            metric: 0,
            expires: 0,
            preference: 0,
            set: Run::new(),
        };
        let mut attributes = Attributes::new(bytes);
        outer.begin(family, &mut attributes);
        loop {
            let left = attributes.left();
            let Some((kind, value)) = attributes.step() else {
                break;
            };
            match kind {
                RTA_DST => outer.destination = Some(value),
                RTA_TABLE => outer.table = u32_of(kind, value)?,
                RTA_PRIORITY => outer.metric = u32_of(kind, value)?,
                RTA_OIF | RTA_GATEWAY | RTA_VIA | RTA_MULTIPATH | RTA_NH_ID | RTA_PREFSRC
                | RTA_METRICS | RTA_FLOW | RTA_ENCAP | RTA_ENCAP_TYPE => {
                    let at = |left| bytes.len().saturating_sub(left);
                    outer.set.add(at(left)..at(attributes.left()));
                }
                RTA_CACHEINFO => outer.expires = expires(value),
                RTA_PREF if family == Family::V6 => {
                    outer.preference = value.first().copied().unwrap_or_default();
                }
                _ => {}
            }
        }
        attributes.end()?;
        Ok(outer)
    }

    /// Decodes the attributes that the kernel writes first (`fib_dump_info`, `rt6_fill_node`), in
    /// its order.
    #[inline]
    fn begin(&mut self, family: Family, attributes: &mut Attributes<'a>) {
        if let Some(table) = attributes.expect(RTA_TABLE) {
            self.table = u32::from_ne_bytes(*table);
        }
        self.destination = match family {
            Family::V4 => attributes.expect::<4>(RTA_DST).map(|v| v.as_slice()),
            Family::V6 => attributes.expect::<16>(RTA_DST).map(|v| v.as_slice()),
        };
        if let Some(metric) = attributes.expect(RTA_PRIORITY) {
            self.metric = u32::from_ne_bytes(*metric);
        }
    }
}

/// The position of attributes, from the first to the last of them.
struct Run {
    range: Range<usize>,
    /// Whether nothing else stands between them.
    together: bool,
}

impl Run {
    fn new() -> Self {
        Self {
            range: 0..0,
            together: true,
        }
    }

    fn add(&mut self, at: Range<usize>) {
        if self.range.is_empty() {
            self.range = at;
        } else {
            self.together &= self.range.end == at.start;
            self.range.end = at.end;
        }
    }
}

/// The attributes of the set.
#[derive(Default)]
struct NextHopAttributes<'a> {
    next_hop: NextHopParts<'a>,
    multipath: Option<&'a [u8]>,
    object: u32,
    digest: Digest,
}

impl<'a> NextHopAttributes<'a> {
    fn read(family: Family, bytes: &'a [u8]) -> Result<Self, DecodeErrorKind> {
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

#[inline]
fn address(family: Family, bytes: Option<&[u8]>, length: u8) -> Result<u128, DecodeErrorKind> {
    let Some(bytes) = bytes else {
        return match length {
            0 => Ok(0),
            _ => Err(DecodeErrorKind::Missing("RTA_DST")),
        };
    };
    if length > family.bits() {
        return Err(DecodeErrorKind::PrefixLength(length));
    }
    match family {
        Family::V4 => exact(RTA_DST, bytes).map(|bytes| u32::from_be_bytes(bytes).into()),
        Family::V6 => exact(RTA_DST, bytes).map(u128::from_be_bytes),
    }
}

/// `struct rta_cacheinfo`: the third number.
fn expires(value: &[u8]) -> i32 {
    let ticks = value.get(8..).and_then(<[u8]>::first_chunk::<4>);
    ticks.map_or(0, |bytes| i32::from_ne_bytes(*bytes))
}

fn router_preference(number: u8) -> RouterPreference {
    match number {
        ICMPV6_ROUTER_PREF_HIGH => RouterPreference::High,
        ICMPV6_ROUTER_PREF_LOW => RouterPreference::Low,
        _ => RouterPreference::Medium,
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
    inner: NextHopAttributes<'_>,
    flags: u8,
) -> Result<NextHopSource, DecodeErrorKind> {
    // With nexthop_compat_mode=1 the kernel also writes the object's next hops into the route; the
    // object can change, so it is the source. A route by a blackhole object has type RTN_BLACKHOLE
    // while the object is one, and is removed with the object.
    if inner.object != 0 {
        return Ok(NextHopSource::Object(inner.object));
    }
    if route_type != RouteType::Unicast {
        // Whatever interface such a route names (IPv6 names `lo`), it does not forward.
        return Ok(NextHopSource::Inline(SmallVec::new()));
    }
    if let Some(multipath) = inner.multipath {
        return nexthops(family, multipath).map(NextHopSource::Inline);
    }
    let hop = inner.next_hop.finish(flags, 1)?;
    if hop.gateway.is_none() && hop.interface == 0 {
        // A withdrawal without next hops (as BIRD sends it) names only the key.
        return Ok(NextHopSource::Inline(SmallVec::new()));
    }
    Ok(NextHopSource::Inline(SmallVec::from_buf([hop])))
}

/// `RTA_MULTIPATH`: a `struct rtnexthop` with attributes per next hop. Leftover bytes are an error,
/// as in the kernel (`fib_count_nexthops`): a next hop may be missing.
fn nexthops(family: Family, mut rest: &[u8]) -> Result<SmallVec<[NextHop; 1]>, DecodeErrorKind> {
    let mut nexthops = SmallVec::new();
    while !rest.is_empty() {
        let (header, _) = rest
            .split_first_chunk::<RTNEXTHOP>()
            .ok_or(DecodeErrorKind::AttributeLength)?;
        let [l0, l1, flags, hops, i0, i1, i2, i3] = *header;
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let attributes = rest
            .get(RTNEXTHOP..length)
            .ok_or(DecodeErrorKind::AttributeLength)?;
        let mut parts = NextHopParts {
            interface: u32::from_ne_bytes([i0, i1, i2, i3]),
            ..NextHopParts::default()
        };
        for attribute in Attributes::new(attributes) {
            let (kind, value) = attribute?;
            parts.take(family, kind, value)?;
        }
        nexthops.push(parts.finish(flags, u32::from(hops) + 1)?);
        rest = rest.get(align(length)..).unwrap_or_default();
    }
    Ok(nexthops)
}
