//! A route as messages carry it (`vl_api_ip_route_t` and `vl_api_ip_route_v2_t` in `ip.api`).

use super::address::{PREFIX_LENGTH, put_prefix, read_prefix};
use super::bytes::Reader;
use super::{PathBytes, WireError};
use crate::route::Prefix;

/// Bytes of a v1 route without its paths; v2 has the u8 `src` more.
pub(super) const FIXED_LENGTH: usize = 8 + PREFIX_LENGTH + 1;

/// Which of the two layouts a message has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteVersion {
    /// `vl_api_ip_route_t`: every route belongs to the API's own FIB source.
    V1,
    /// `vl_api_ip_route_v2_t`: the route names its FIB source.
    V2,
}

/// A route in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpRoute<'a> {
    /// VPP table (`table_id`).
    pub table: u32,
    /// Index of the route's counters in the stats segment; 0 in requests.
    pub stats_index: u32,
    /// Destination.
    pub prefix: Prefix,
    /// Id of the FIB source (`src`), 0 for the API's own; none in the v1 layout.
    pub source: Option<u8>,
    /// The paths.
    pub paths: PathBytes<'a>,
}

impl<'a> IpRoute<'a> {
    /// Takes a route off a message.
    ///
    /// # Errors
    /// [`WireError::Truncated`], or the prefix's: see [`read_prefix`].
    pub fn read(reader: &mut Reader<'a>, version: RouteVersion) -> Result<Self, WireError> {
        let (table, stats_index) = (reader.u32()?, reader.u32()?);
        let prefix = read_prefix(reader)?;
        let count = reader.u8()?;
        let source = match version {
            RouteVersion::V1 => None,
            RouteVersion::V2 => Some(reader.u8()?),
        };
        Ok(Self {
            table,
            stats_index,
            prefix,
            source,
            paths: PathBytes::read(reader, count)?,
        })
    }

    /// Appends the route, in the v2 layout if it has a source.
    pub fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.table.to_be_bytes());
        out.extend_from_slice(&self.stats_index.to_be_bytes());
        put_prefix(out, &self.prefix);
        out.push(self.paths.count());
        out.extend(self.source);
        out.extend_from_slice(self.paths.as_bytes());
    }

    /// Bytes that [`IpRoute::put`] appends.
    #[must_use]
    pub const fn length(&self) -> usize {
        FIXED_LENGTH + self.source.is_some() as usize + self.paths.as_bytes().len()
    }
}
