//! Next-hop object messages (`struct nhmsg`, `linux/nexthop.h`).

use smallvec::SmallVec;

use super::attributes::{Attributes, address, u16_of, u32_of};
use super::constants::{
    AF_UNSPEC, NHA_BLACKHOLE, NHA_ENCAP, NHA_ENCAP_TYPE, NHA_FDB, NHA_GATEWAY, NHA_GROUP, NHA_ID,
    NHA_OIF, NHA_OP_FLAG_RESP_GRP_RESVD_0, NHA_OP_FLAGS,
};
use super::error::{DecodeErrorKind, SkipReason};
use super::next_hop::{NextHopParts, low_byte};
use super::types::{Action, NextHopMessage, Payload};
use crate::route::Family;

const NHMSG: usize = 8;
const NEXTHOP_GRP: usize = 8;

pub(super) fn decode(action: Action, payload: &[u8]) -> Result<Payload, DecodeErrorKind> {
    let (header, rest) = payload
        .split_first_chunk::<NHMSG>()
        .ok_or(DecodeErrorKind::Short("struct nhmsg"))?;
    let [af, _, _, _, f0, f1, f2, f3] = *header;
    let flags = low_byte(u32::from_ne_bytes([f0, f1, f2, f3]));
    let family = Family::from_af(af);
    if family.is_none() && af != AF_UNSPEC {
        return Ok(Payload::Skipped(SkipReason::Family));
    }
    let mut id = None;
    let mut parts = NextHopParts::default();
    let (mut blackhole, mut fdb, mut group, mut op_flags) = (false, false, None, 0);
    for attribute in Attributes::new(rest) {
        let (kind, value) = attribute?;
        match (kind, family) {
            (NHA_ID, _) => id = Some(u32_of(kind, value)?),
            (NHA_GROUP, _) => group = Some(value),
            (NHA_OP_FLAGS, _) => op_flags = u32_of(kind, value)?,
            (NHA_BLACKHOLE, _) => blackhole = true,
            (NHA_FDB, _) => fdb = true,
            (NHA_OIF, _) => parts.interface = u32_of(kind, value)?,
            (NHA_GATEWAY, None) => return Err(DecodeErrorKind::AddressFamily(af.into())),
            (NHA_GATEWAY, Some(family)) => parts.gateway = Some(address(family, kind, value)?),
            (NHA_ENCAP_TYPE, _) => parts.encap_type = u16_of(kind, value)?,
            (NHA_ENCAP, _) => parts.encap = Some(value),
            _ => {}
        }
    }
    let wide = op_flags & NHA_OP_FLAG_RESP_GRP_RESVD_0 != 0;
    let single = group.is_none() && !blackhole;
    Ok(Payload::NextHop(NextHopMessage {
        action,
        id: id.ok_or(DecodeErrorKind::Missing("NHA_ID"))?,
        next_hop: single.then(|| parts.finish(flags, 1)).transpose()?,
        blackhole,
        is_group: group.is_some(),
        group: members(group.unwrap_or_default(), wide)?,
        fdb,
    }))
}

/// `struct nexthop_grp`: id, weight - 1 in two bytes. The high byte exists since Linux 6.12; on
/// kernels that do not announce it, it holds garbage.
fn members(value: &[u8], wide: bool) -> Result<SmallVec<[(u32, u32); 4]>, DecodeErrorKind> {
    let entries = value.chunks_exact(NEXTHOP_GRP);
    if !entries.remainder().is_empty() {
        return Err(DecodeErrorKind::AttributeSize {
            attribute: NHA_GROUP,
            length: value.len(),
        });
    }
    let member = |entry: &[u8]| {
        let [a, b, c, d, low, high, ..] = *<&[u8; NEXTHOP_GRP]>::try_from(entry).ok()?;
        let high = if wide { high } else { 0 };
        let weight = u32::from(u16::from_le_bytes([low, high])) + 1;
        Some((u32::from_ne_bytes([a, b, c, d]), weight))
    };
    Ok(entries.filter_map(member).collect())
}
