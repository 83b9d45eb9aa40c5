//! The attributes of one next hop, the same in a route, in a next hop of a multipath route and
//! (under other numbers) in a next-hop object.

use std::net::IpAddr;

use super::attributes::{Attributes, address, encapsulation, u16_of, u32_of, via};
use super::constants::{
    MPLS_IPTUNNEL_DST, RTA_ENCAP, RTA_ENCAP_TYPE, RTA_FLOW, RTA_GATEWAY, RTA_OIF, RTA_VIA,
    RTNH_F_DEAD, RTNH_F_ONLINK,
};
use super::digest::Digest;
use super::error::DecodeErrorKind;
use crate::route::{Family, NextHop};

/// The flags of a next hop (`RTNH_F_…`) in a word of flags.
pub(super) const fn low_byte(flags: u32) -> u8 {
    let [.., low] = flags.to_be_bytes();
    low
}

/// What has been read of a next hop so far.
#[derive(Default)]
pub(super) struct NextHopParts<'a> {
    pub(super) gateway: Option<IpAddr>,
    pub(super) interface: u32,
    pub(super) encap_type: u16,
    pub(super) encap: Option<&'a [u8]>,
    pub(super) digest: Digest,
}

impl<'a> NextHopParts<'a> {
    /// Decodes an attribute of a route or a next hop; returns whether it belongs to a next hop.
    pub(super) fn read_attribute(
        &mut self,
        family: Family,
        kind: u16,
        value: &'a [u8],
    ) -> Result<bool, DecodeErrorKind> {
        match kind {
            RTA_GATEWAY => self.gateway = Some(address(family, kind, value)?),
            RTA_VIA => self.gateway = Some(via(value)?),
            RTA_OIF => self.interface = u32_of(kind, value)?,
            RTA_ENCAP_TYPE => self.encap_type = u16_of(kind, value)?,
            RTA_ENCAP => self.encap = Some(value),
            RTA_FLOW => self.digest.add(value),
            _ => return Ok(false),
        }
        Ok(true)
    }

    pub(super) fn finish(mut self, flags: u8, weight: u32) -> Result<NextHop, DecodeErrorKind> {
        let (labels, encapsulation) = encapsulation(self.encap_type, self.encap)?;
        let encap = self.encap.unwrap_or_default();
        if encapsulation != 0 || (!labels.is_empty() && has_more_than_labels(encap)) {
            self.digest.add(encap);
        }
        Ok(NextHop {
            gateway: self.gateway,
            interface: self.interface,
            weight,
            onlink: flags & RTNH_F_ONLINK != 0,
            dead: flags & RTNH_F_DEAD != 0,
            labels,
            encapsulation,
            digest: self.digest.value(),
        })
    }
}

/// Whether an MPLS encapsulation has attributes besides its labels, such as a TTL.
fn has_more_than_labels(encap: &[u8]) -> bool {
    let more = |attribute: Result<(u16, &[u8]), DecodeErrorKind>| {
        attribute.is_ok_and(|(kind, _)| kind != MPLS_IPTUNNEL_DST)
    };
    Attributes::new(encap).any(more)
}
