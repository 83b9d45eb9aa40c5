//! Reads VPP's routes (`ip_route_v2_dump`, `ip_route_lookup_v2`).

use super::address::{family_number, family_of, put_prefix, read_prefix};
use super::bytes::{NAME_LENGTH, Reader};
use super::canonical::installed_path;
use super::frame::put_fields;
use super::ip_route::{IpRoute, RouteVersion};
use super::{PathBytes, WireError};
use crate::route::{Family, PathSet, Prefix};

/// `ip_route_v2_dump`: requests the routes of one table and family.
///
/// VPP sends one [`RouteDetails`] per route and no end marker: send a `control_ping` after it. A
/// table that does not exist gives no details and no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteDump {
    /// The client's index.
    pub client_index: u32,
    /// Repeated in the details.
    pub context: u32,
    /// FIB source whose routes are asked for, 0 for all. A prefix that several sources have is
    /// shown only to the one that VPP forwards by.
    pub source: u8,
    /// VPP table.
    pub table: u32,
    /// Family.
    pub family: Family,
}

impl RouteDump {
    /// Reads a request.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::TrailingBytes`].
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::message("ip_route_v2_dump", payload)?;
        let request = Self {
            client_index: reader.u32()?,
            context: reader.u32()?,
            source: reader.u8()?,
            table: reader.u32()?,
            family: family_of(reader.bool()?),
        };
        reader.name()?;
        reader.finish()?;
        Ok(request)
    }

    /// Appends the whole frame.
    pub fn encode(&self, message_id: u16, out: &mut Vec<u8>) {
        let words = [self.client_index, self.context];
        put_fields(out, message_id, &words, |out| {
            out.push(self.source);
            out.extend_from_slice(&self.table.to_be_bytes());
            out.push(family_number(self.family));
            out.extend_from_slice(&[0; NAME_LENGTH]);
        });
    }
}

/// `ip_route_v2_details`: one route of a dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteDetails<'a> {
    /// The dump's context.
    pub context: u32,
    /// The route. Its source is the one VPP forwards by.
    pub route: IpRoute<'a>,
}

impl<'a> RouteDetails<'a> {
    /// Reads a details message; its paths are left as bytes.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::TrailingBytes`], or the prefix's.
    pub fn decode(payload: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader::message("ip_route_v2_details", payload)?;
        let details = Self {
            context: reader.u32()?,
            route: IpRoute::read(&mut reader, RouteVersion::V2)?,
        };
        reader.finish()?;
        Ok(details)
    }

    /// Appends the whole frame.
    pub fn encode(&self, message_id: u16, out: &mut Vec<u8>) {
        put_fields(out, message_id, &[self.context], |out| self.route.put(out));
    }
}

/// The paths of a dumped or looked-up route, in the canonical form of
/// [`installed_paths`](super::canonical::installed_paths): the route is as desired if they equal
/// that function's result for the desired paths.
///
/// # Errors
/// The error of the first path that cannot be decoded, such as one of a type that none of our
/// routes has: see [`decode_path`](super::path::decode_path).
pub fn dumped_paths(prefix: &Prefix, paths: PathBytes<'_>) -> Result<PathSet, WireError> {
    let installed = |path| installed_path(prefix, path);
    let paths: Result<Vec<_>, _> = paths.iter().map(|path| path.map(installed)).collect();
    paths.map(PathSet::new)
}

/// `ip_route_lookup_v2`: requests one route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteLookup {
    /// The client's index.
    pub client_index: u32,
    /// Repeated in the reply.
    pub context: u32,
    /// VPP table.
    pub table: u32,
    /// The prefix itself, else the longest match.
    pub exact: bool,
    /// The prefix to look up.
    pub prefix: Prefix,
}

impl RouteLookup {
    /// Reads a request.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::TrailingBytes`], or the prefix's.
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::message("ip_route_lookup_v2", payload)?;
        let request = Self {
            client_index: reader.u32()?,
            context: reader.u32()?,
            table: reader.u32()?,
            exact: reader.bool()?,
            prefix: read_prefix(&mut reader)?,
        };
        reader.finish()?;
        Ok(request)
    }

    /// Appends the whole frame.
    pub fn encode(&self, message_id: u16, out: &mut Vec<u8>) {
        let words = [self.client_index, self.context, self.table];
        put_fields(out, message_id, &words, |out| {
            out.push(self.exact.into());
            put_prefix(out, &self.prefix);
        });
    }
}

/// `ip_route_lookup_v2_reply`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteLookupReply<'a> {
    /// The request's context.
    pub context: u32,
    /// 0, or the reason why there is no route; `route` is then undefined.
    pub retval: i32,
    /// The route found.
    pub route: IpRoute<'a>,
}

impl<'a> RouteLookupReply<'a> {
    /// Reads a reply.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::TrailingBytes`], or the prefix's.
    pub fn decode(payload: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader::message("ip_route_lookup_v2_reply", payload)?;
        let reply = Self {
            context: reader.u32()?,
            retval: reader.i32()?,
            route: IpRoute::read(&mut reader, RouteVersion::V2)?,
        };
        reader.finish()?;
        Ok(reply)
    }

    /// Appends the whole frame.
    pub fn encode(&self, message_id: u16, out: &mut Vec<u8>) {
        let words = [self.context, self.retval as u32];
        put_fields(out, message_id, &words, |out| self.route.put(out));
    }
}
