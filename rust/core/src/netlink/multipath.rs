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

/// The first next hop, and the bytes behind it. Leftover bytes are an error, as in the kernel
/// (`fib_count_nexthops`): a next hop may be missing.
#[inline(always)]
pub(super) fn split_next_hop(
    bytes: &[u8],
) -> Result<(MultipathNextHop<'_>, &[u8]), DecodeErrorKind> {
    let (header, _) = bytes
        .split_first_chunk::<RTNEXTHOP>()
        .ok_or(DecodeErrorKind::AttributeLength)?;
    let [l0, l1, flags, hops, i0, i1, i2, i3] = *header;
    let length = usize::from(u16::from_ne_bytes([l0, l1]));
    let next_hop = MultipathNextHop {
        flags,
        hops,
        interface: u32::from_ne_bytes([i0, i1, i2, i3]),
        attributes: bytes
            .get(RTNEXTHOP..length)
            .ok_or(DecodeErrorKind::AttributeLength)?,
    };
    Ok((next_hop, bytes.get(align(length)..).unwrap_or_default()))
}
