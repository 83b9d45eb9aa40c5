//! Routes by MPLS label (`AF_MPLS`): `mpls_dump_route` in `net/mpls/af_mpls.c`, and
//! `netlink_lsp_msg_encoder` in FRR's `zebra/rt_netlink.c`.

use smallvec::SmallVec;

use super::attributes::{Attributes, exact, label_stack, u32_of, via};
use super::constants::{RTA_DST, RTA_MULTIPATH, RTA_NEWDST, RTA_OIF, RTA_VIA, RTMSG};
use super::error::DecodeErrorKind;
use super::multipath::split_next_hop;
use super::types::{Action, LabelRouteMessage};
use crate::route::{LabelHop, LabelRoute};

/// Decodes a `struct rtmsg` of `AF_MPLS` and its attributes.
pub(super) fn decode(action: Action, payload: &[u8]) -> Result<LabelRouteMessage, DecodeErrorKind> {
    let attributes = payload.get(RTMSG..).unwrap_or_default();
    let protocol = payload.get(5).copied().unwrap_or_default();
    let (mut label, mut hops) = (None, Vec::new());
    for attribute in Attributes::new(attributes) {
        match attribute? {
            (RTA_DST, value) => {
                label = Some(u32::from_be_bytes(exact(RTA_DST, value)?) >> 12);
            }
            (RTA_MULTIPATH, value) => hops = multipath(value)?,
            _ => {}
        }
    }
    let single = hop(attributes, 0)?;
    if hops.is_empty() && (single.interface != 0 || single.gateway.is_some()) {
        hops.push(single);
    }
    Ok(LabelRouteMessage {
        action,
        label: label.ok_or(DecodeErrorKind::Missing("RTA_DST"))?,
        route: LabelRoute { protocol, hops },
    })
}

fn hop(attributes: &[u8], interface: u32) -> Result<LabelHop, DecodeErrorKind> {
    let mut hop = LabelHop {
        labels: SmallVec::new(),
        gateway: None,
        interface,
    };
    for attribute in Attributes::new(attributes) {
        match attribute? {
            (RTA_NEWDST, value) => hop.labels = label_stack(RTA_NEWDST, value)?,
            // It may also be a hardware address.
            (RTA_VIA, value) => hop.gateway = via(value).ok(),
            (RTA_OIF, value) => hop.interface = u32_of(RTA_OIF, value)?,
            _ => {}
        }
    }
    Ok(hop)
}

fn multipath(mut bytes: &[u8]) -> Result<Vec<LabelHop>, DecodeErrorKind> {
    let mut hops = Vec::new();
    while !bytes.is_empty() {
        let (next_hop, rest) = split_next_hop(bytes)?;
        hops.push(hop(next_hop.attributes, next_hop.interface)?);
        bytes = rest;
    }
    Ok(hops)
}
