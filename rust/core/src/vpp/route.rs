//! Adding, replacing and deleting routes (`ip_route_add_del_v2`; `ip_route_add_del`, of clients that
//! name no source, for the simulator).

use super::bytes::Reader;
use super::frame::{header, put_words};
use super::ip_route::{IpRoute, RouteVersion};
use super::{EncodedPaths, PathBytes, WireError};
use crate::route::Prefix;

const FIXED_LENGTH: usize = 12;
/// `stats_index` in the reply to a deletion or a failure.
pub const NO_STATS_INDEX: u32 = u32::MAX;

/// Writes route requests, as many as wanted one after the other, without any allocation but the
/// buffer's own growth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteEncoder {
    message_id: u16,
    client_index: u32,
    source: u8,
}

impl RouteEncoder {
    /// Writes `ip_route_add_del_v2`, whose id here is `message_id`, under the FIB source of id
    /// `source`. The client index is `sockclnt_create_reply`'s `index`: with another one VPP
    /// acts and never answers.
    #[must_use]
    pub const fn new(message_id: u16, client_index: u32, source: u8) -> Self {
        Self {
            message_id,
            client_index,
            source,
        }
    }

    /// Appends a frame that makes `paths` all the paths of the prefix, whether it exists or not
    /// (`is_add` 1, `is_multipath` 0).
    pub fn replace(
        &self,
        out: &mut Vec<u8>,
        context: u32,
        table: u32,
        prefix: &Prefix,
        paths: &EncodedPaths,
    ) {
        self.write(out, context, true, table, prefix, paths.view());
    }

    /// Appends a frame that deletes the prefix (`is_add` 0, `is_multipath` 0, no paths). VPP
    /// answers 0 if there is none.
    pub fn delete(&self, out: &mut Vec<u8>, context: u32, table: u32, prefix: &Prefix) {
        self.write(out, context, false, table, prefix, PathBytes::default());
    }

    fn write(
        &self,
        out: &mut Vec<u8>,
        context: u32,
        is_add: bool,
        table: u32,
        prefix: &Prefix,
        paths: PathBytes<'_>,
    ) {
        let request = RouteAddDel {
            client_index: self.client_index,
            context,
            is_add,
            is_multipath: false,
            route: IpRoute {
                table,
                stats_index: 0,
                prefix: *prefix,
                source: Some(self.source),
                paths,
            },
        };
        request.encode(self.message_id, out);
    }
}

/// A route request: `ip_route_add_del_v2`, or `ip_route_add_del` if the route has no source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteAddDel<'a> {
    /// The client's index.
    pub client_index: u32,
    /// Repeated in the reply.
    pub context: u32,
    /// Add or replace, else delete.
    pub is_add: bool,
    /// The paths join or leave those there, else they replace all, or all go.
    pub is_multipath: bool,
    /// The route.
    pub route: IpRoute<'a>,
}

impl RouteAddDel<'_> {
    /// Appends the whole frame.
    pub fn encode(&self, message_id: u16, out: &mut Vec<u8>) {
        // At most 12 + 28 + 255 × 167 bytes.
        let length = (FIXED_LENGTH + self.route.length()) as u32;
        out.reserve(super::frame::HEADER_LENGTH + length as usize);
        out.extend_from_slice(&header(length));
        out.extend_from_slice(&message_id.to_be_bytes());
        out.extend_from_slice(&self.client_index.to_be_bytes());
        out.extend_from_slice(&self.context.to_be_bytes());
        out.extend_from_slice(&[self.is_add.into(), self.is_multipath.into()]);
        self.route.put(out);
    }
}

/// Reads an `ip_route_add_del_v2`.
///
/// # Errors
/// [`WireError::Truncated`], [`WireError::TrailingBytes`], or the prefix's; a path that cannot be
/// read is reported by [`PathBytes::iter`].
pub fn decode_route_add_del_v2(payload: &[u8]) -> Result<RouteAddDel<'_>, WireError> {
    decode("ip_route_add_del_v2", payload, RouteVersion::V2)
}

/// Reads an `ip_route_add_del`.
///
/// # Errors
/// See [`decode_route_add_del_v2`].
pub fn decode_route_add_del(payload: &[u8]) -> Result<RouteAddDel<'_>, WireError> {
    decode("ip_route_add_del", payload, RouteVersion::V1)
}

fn decode<'a>(
    message: &'static str,
    payload: &'a [u8],
    version: RouteVersion,
) -> Result<RouteAddDel<'a>, WireError> {
    let mut reader = Reader::message(message, payload)?;
    let request = RouteAddDel {
        client_index: reader.u32()?,
        context: reader.u32()?,
        is_add: reader.bool()?,
        is_multipath: reader.bool()?,
        route: IpRoute::read(&mut reader, version)?,
    };
    reader.finish()?;
    Ok(request)
}

/// `ip_route_add_del_v2_reply`, and `ip_route_add_del_reply`: the two are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteReply {
    /// The request's context.
    pub context: u32,
    /// 0, or why VPP refused: see [`Retval`](super::retval::Retval).
    pub retval: i32,
    /// Index of the route's counters, [`NO_STATS_INDEX`] if nothing was added.
    pub stats_index: u32,
}

impl RouteReply {
    /// Reads a reply.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::TrailingBytes`].
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::message("ip_route_add_del_v2_reply", payload)?;
        let reply = Self {
            context: reader.u32()?,
            retval: reader.i32()?,
            stats_index: reader.u32()?,
        };
        reader.finish()?;
        Ok(reply)
    }

    /// Appends the whole frame.
    pub fn encode(&self, message_id: u16, out: &mut Vec<u8>) {
        let words = [self.context, self.retval as u32, self.stats_index];
        put_words(out, message_id, &words);
    }
}
