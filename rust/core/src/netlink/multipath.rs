//! `RTA_MULTIPATH`: a `struct rtnexthop` (`linux/rtnetlink.h`) with attributes per next hop.

use super::attributes::align;
use super::error::DecodeErrorKind;

const RTNEXTHOP: usize = 8;

/// A next hop whose attributes are not yet decoded.
pub(super) struct MultipathNextHop<'a> {
    /// `rtnh_flags`.
    pub(super) flags: u8,
    /// `rtnh_hops`: the weight, less one.
    pub(super) hops: u8,
    /// `rtnh_ifindex`.
    pub(super) interface: u32,
    /// Its attributes.
    pub(super) attributes: &'a [u8],
}

/// Iterates over the next hops. Leftover bytes are an error, as in the kernel
/// (`fib_count_nexthops`): a next hop may be missing.
pub(super) struct MultipathNextHops<'a> {
    rest: &'a [u8],
}

impl<'a> MultipathNextHops<'a> {
    pub(super) fn new(value: &'a [u8]) -> Self {
        Self { rest: value }
    }

    fn read(&self) -> Option<(MultipathNextHop<'a>, &'a [u8])> {
        let (header, _) = self.rest.split_first_chunk::<RTNEXTHOP>()?;
        let [l0, l1, flags, hops, i0, i1, i2, i3] = *header;
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let next_hop = MultipathNextHop {
            flags,
            hops,
            interface: u32::from_ne_bytes([i0, i1, i2, i3]),
            attributes: self.rest.get(RTNEXTHOP..length)?,
        };
        let rest = self.rest.get(align(length)..).unwrap_or_default();
        Some((next_hop, rest))
    }
}

impl<'a> Iterator for MultipathNextHops<'a> {
    type Item = Result<MultipathNextHop<'a>, DecodeErrorKind>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let Some((next_hop, rest)) = self.read() else {
            self.rest = &[];
            return Some(Err(DecodeErrorKind::AttributeLength));
        };
        self.rest = rest;
        Some(Ok(next_hop))
    }
}
