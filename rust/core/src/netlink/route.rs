//! Route messages (`struct rtmsg`, `linux/rtnetlink.h`).

use super::attributes::{Attributes, exact};
use super::constants::{AF_MPLS, RTA_SRC, RTM_F_CLONED, RTMSG};
use super::error::{DecodeErrorKind, SkipReason};
use super::label_route;
use super::next_hop::low_byte;
use super::route_key::{KeyAttributes, address};
use super::route_set::{NextHopAttributes, next_hops, route_type, router_preference};
use super::types::{Action, Payload, RouteMessage, SourceSpecificMessage};
use crate::route::{Family, NextHopSet, Prefix, Route, RouteKey, RouterPreference, SetBytes};

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
    /// Whether nothing else stands between them.
    contiguous: bool,
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
            return decode_uncommon(af, flags, payload).map(PartialMessage::Other);
        };
        let own = KeyAttributes::read(family, table.into(), attributes)?;
        let destination = address(family, own.destination, dst_len)?;
        let key = RouteKey {
            table: own.table,
            prefix: Prefix::of(family, destination, dst_len),
            tos,
            metric: own.metric,
        };
        Ok(PartialMessage::Announced(Self {
            key,
            protocol,
            expires: own.expires,
            // The low byte of rtm_flags holds the flags of a route's only next hop.
            head: [af, route_type, scope | own.preference, low_byte(flags)],
            set: attributes.get(own.set.range).unwrap_or_default(),
            contiguous: own.set.contiguous,
        }))
    }

    /// The bytes that determine forwarding; none if they are not contiguous.
    #[must_use]
    pub fn set_bytes(&self) -> Option<SetBytes<'a>> {
        self.contiguous.then_some(SetBytes {
            head: u32::from_ne_bytes(self.head),
            attributes: self.set,
        })
    }

    #[inline(always)]
    fn decode(&self) -> Result<Route, DecodeErrorKind> {
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
        let mut shared = NextHopAttributes::read(family, self.set)?;
        let route_type = route_type(number);
        let (preference, digest) = match family {
            Family::V4 => {
                if scope_or_preference != 0 {
                    shared.digest.add(&[scope_or_preference]);
                }
                (RouterPreference::default(), shared.digest.value())
            }
            // IPv6 rejects a second route with the same next hop, whatever else differs.
            Family::V6 => (router_preference(scope_or_preference), 0),
        };
        Ok(NextHopSet {
            family,
            route_type,
            next_hops: next_hops(family, route_type, shared, flags)?,
            preference,
            digest,
        })
    }
}

/// A route by label, or a source-specific one, or one that is skipped.
#[cold]
#[inline(never)]
fn decode_uncommon(af: u8, flags: u32, payload: &[u8]) -> Result<Box<Payload>, DecodeErrorKind> {
    let skipped = |reason| Ok(Box::new(Payload::Skipped(reason)));
    match Family::from_af(af) {
        None if af == AF_MPLS => {
            let route = label_route::decode(Action::New, payload)?;
            Ok(Box::new(Payload::LabelRoute(Box::new(route))))
        }
        None => skipped(SkipReason::Family),
        Some(_) if flags & RTM_F_CLONED != 0 => skipped(SkipReason::Cloned),
        Some(_) => decode_source_specific(payload),
    }
}

fn decode_source_specific(payload: &[u8]) -> Result<Box<Payload>, DecodeErrorKind> {
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
        route: encoded.decode()?,
    };
    Ok(Box::new(Payload::SourceSpecific(Box::new(
        SourceSpecificMessage {
            source: Prefix::of(family, address, length),
            expired: encoded.expires < 0,
            message,
        },
    ))))
}

#[cold]
#[inline(never)]
fn with_action(mut payload: Payload, action: Action) -> Payload {
    match &mut payload {
        Payload::SourceSpecific(route) => route.message.action = action,
        Payload::LabelRoute(route) => route.action = action,
        _ => {}
    }
    payload
}

pub(super) fn decode(action: Action, payload: &[u8]) -> Result<Payload, DecodeErrorKind> {
    let encoded = match EncodedRoute::read(payload)? {
        PartialMessage::Announced(encoded) => encoded,
        PartialMessage::Other(payload) => return Ok(with_action(*payload, action)),
    };
    let route = encoded.decode()?;
    Ok(Payload::Route(RouteMessage { action, route }))
}
